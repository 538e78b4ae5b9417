"""Dispositions of command centres (`hub.viid.dispositions`), and the entries that were requested for them."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from hub.store.tables import Moment, metadata

#: Gone when its time is over; one that was withdrawn keeps its id until then, so that it is not taken anew.
dispositions = Table(
    "dispositions",
    metadata,
    Column("id", String(33), primary_key=True),
    Column("peer", String(63), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("target", String(36), nullable=False),
    Column("title", String(120), nullable=False),
    Column("priority", String(4), nullable=False),
    Column("organisation", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("begins_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", Moment, nullable=False),
    Index("ix_dispositions_received_at", "received_at", "id"),
    Index("ix_dispositions_ends_at", "ends_at"),
)

disposition_entries = Table(
    "disposition_entries",
    metadata,
    Column("entry_id", ForeignKey("watchlist_entries.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "disposition_id",
        ForeignKey("dispositions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Index("ix_disposition_entries_disposition", "disposition_id"),
)
