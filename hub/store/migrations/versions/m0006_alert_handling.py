"""Whose alerts are, which belong together, which are muted, and when they escalate."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables and the columns. Alerts of before belong to nobody and do not escalate."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at", "id"], unique=False)
    op.create_table(
        "silences",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("gate", sa.String(length=63), nullable=False),
        sa.Column("camera", sa.String(length=63), nullable=False),
        sa.Column("rule_id", sa.String(length=63), nullable=False),
        sa.Column("author", sa.String(length=63), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_silences_starts_at", "silences", ["starts_at", "id"], unique=False)
    op.create_index("ix_silences_ends_at", "silences", ["ends_at"], unique=False)
    for name, length in (
        ("edge", 63), ("rule_kind", 32), ("cell", 63), ("assignee", 63), ("escalation", 63), ("muted_why", 16)
    ):  # fmt: skip
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        op.add_column("alerts", column)
    op.add_column("alerts", sa.Column("level_due_at", sa.BigInteger(), nullable=True))
    for name in ("incident_id", "muted_by"):
        op.add_column("alerts", sa.Column(name, sa.String(length=36), nullable=True))
    op.create_index("ix_alerts_due", "alerts", ["level_due_at"], unique=False)
    op.create_index("ix_alerts_incident", "alerts", ["incident_id"], unique=False)
    op.create_index(
        "ix_alerts_site_state", "alerts", ["site", "state", "last_seen_at"], unique=False
    )
