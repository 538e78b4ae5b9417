"""Dispositions of command centres, and the watchlist entries that were requested for them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dispositions",
        sa.Column("id", sa.String(length=33), nullable=False),
        sa.Column("peer", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("target", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("priority", sa.String(length=4), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dispositions_received_at", "dispositions", ["received_at", "id"])
    op.create_index("ix_dispositions_ends_at", "dispositions", ["ends_at"])
    op.create_table(
        "disposition_entries",
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("disposition_id", sa.String(length=33), nullable=False),
        sa.ForeignKeyConstraint(["disposition_id"], ["dispositions.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["entry_id"], ["watchlist_entries.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index("ix_disposition_entries_disposition", "disposition_entries", ["disposition_id"])
