"""What was done to alerts, in one place and numbered; verdicts, levels, and the times of their way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MILESTONES = {
    "acknowledged": "acknowledged_at",
    "dispatched": "dispatched_at",
    "on_scene": "on_scene_at",
}


def upgrade() -> None:
    """Make the table and the columns, and take over the transitions that there are."""
    op.create_table(
        "alert_changes",
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=63), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("alert_id", "number"),
    )
    op.add_column("alerts", sa.Column("disposition", sa.String(length=16), nullable=True))
    op.add_column(
        "alerts", sa.Column("level", sa.String(length=8), nullable=False, server_default="grid")
    )
    op.add_column(
        "alerts", sa.Column("change_count", sa.Integer(), nullable=False, server_default="0")
    )
    for name in ("told_at", *_MILESTONES.values()):
        op.add_column("alerts", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute(
        "INSERT INTO alert_changes (alert_id, number, kind, at, actor, note, from_state, to_state, level)"
        " SELECT alert_id, ROW_NUMBER() OVER (PARTITION BY alert_id ORDER BY position), 'moved', at, actor,"
        " note, from_state, to_state, 'grid' FROM transitions"
    )
    op.execute(
        "UPDATE alerts SET change_count ="
        " (SELECT COUNT(*) FROM alert_changes WHERE alert_changes.alert_id = alerts.id)"
    )
    for state, verdict in (("verified", "confirmed"), ("false_alarm", "false_match")):
        op.execute(
            f"UPDATE alerts SET disposition = '{verdict}' WHERE id IN"  # noqa: S608 - our own names
            f" (SELECT alert_id FROM alert_changes WHERE to_state = '{state}')"
        )
    for state, column in _MILESTONES.items():
        op.execute(
            f"UPDATE alerts SET {column} = (SELECT MIN(at) FROM alert_changes"  # noqa: S608 - our own names
            f" WHERE alert_changes.alert_id = alerts.id AND to_state = '{state}')"
        )
    op.drop_index("ix_transitions_alert", table_name="transitions")
    op.drop_table("transitions")
