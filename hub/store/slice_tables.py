"""The table of the slices of the gallery (`hub.slices`): what each box was given. No person is in it."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text

from hub.store.tables import Moment, metadata

#: One row for each box that matches faces itself.
gallery_slices = Table(
    "gallery_slices",
    metadata,
    Column("edge", String(63), primary_key=True),
    Column("site", String(63), nullable=False),
    # What its status says: its cameras, key and networks, and the slice it holds.
    Column("cameras", JSON, nullable=False),
    Column("sealing_key", String(64), nullable=False),
    Column("pack", String(63), nullable=False),
    Column("pack_sha256", String(64), nullable=False),
    Column("oldest_version", BigInteger, nullable=False),
    Column("held_version", BigInteger, nullable=False),
    Column("held_templates", Integer, nullable=False),
    Column("held_expires_at", Moment),
    # What it was sent, and what became of that.
    Column("version", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("people", Integer, nullable=False),
    Column("templates", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("expires_at", Moment),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
)
