"""Clips, whose hash is known once they are made; signatures of evidence; observations as they were signed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the columns and the table."""
    with op.batch_alter_table("evidence") as table:
        table.alter_column("sha256", existing_type=sa.String(length=64), nullable=True)
        table.alter_column("size_bytes", existing_type=sa.BigInteger(), nullable=True)
        table.add_column(sa.Column("starts_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("ends_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("signature", sa.String(length=88), nullable=True))
        table.add_column(sa.Column("reason", sa.Text(), nullable=True))
    op.create_table(
        "signed_observations",
        sa.Column("observation_id", sa.String(length=36), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("observation_id"),
    )
    op.create_index(
        "ix_signed_observations_stored_at", "signed_observations", ["stored_at"], unique=False
    )
