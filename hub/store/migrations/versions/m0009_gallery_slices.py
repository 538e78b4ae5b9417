"""Which boxes match faces themselves, and which slice of the gallery each was given."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "gallery_slices",
        sa.Column("edge", sa.String(length=63), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("cameras", sa.JSON(), nullable=False),
        sa.Column("sealing_key", sa.String(length=64), nullable=False),
        sa.Column("pack", sa.String(length=63), nullable=False),
        sa.Column("pack_sha256", sa.String(length=64), nullable=False),
        sa.Column("oldest_version", sa.BigInteger(), nullable=False),
        sa.Column("held_version", sa.BigInteger(), nullable=False),
        sa.Column("held_templates", sa.Integer(), nullable=False),
        sa.Column("held_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("templates", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("edge"),
    )
