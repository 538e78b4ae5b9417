"""Rules with their versions, whom faces were recognised as, and columns that rules select observations by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FACTS = (
    ("event", sa.String(length=24)),
    ("label", sa.String(length=16)),
    ("zone", sa.String(length=63)),
    ("unit", sa.String(length=64)),
    ("amount", sa.Float()),
    ("stay_s", sa.Float()),
    ("confidence", sa.Float()),
    ("weakest", sa.Float()),
)


def upgrade() -> None:
    """Make the tables, add the columns."""
    for name, kind in _FACTS:
        op.add_column("observations", sa.Column(name, kind, nullable=True))
    op.create_index("ix_observations_kind", "observations", ["kind", "captured_at"])
    _rules()
    op.execute("INSERT INTO rules_version (id, version) VALUES (1, 1)")


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("enabled_version", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rules_updated_at", "rules", ["updated_at", "id"])
    op.create_table(
        "rule_versions",
        sa.Column("rule_id", sa.String(length=63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=63), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rule_id", "version"),
    )
    op.create_table(
        "rules_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "recognitions",
        sa.Column("observation_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("pack", sa.String(length=63), nullable=False),
        sa.ForeignKeyConstraint(["observation_id"], ["observations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("observation_id"),
    )
    op.create_index("ix_recognitions_subject", "recognitions", ["subject_id", "seen_at"])
