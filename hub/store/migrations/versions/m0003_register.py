"""The register: what belongs to a site and who is responsible for it; passes of visitors and tenants."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make all tables."""
    _passes()
    _places()
    _people()


def _passes() -> None:
    """Visits and tenants' cars."""
    op.create_table(
        "passes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("unit", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("plate", sa.String(length=16), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("consent", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.String(length=63), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_passes_end", "passes", ["state", "valid_until"], unique=False)
    op.create_index("ix_passes_plate", "passes", ["site", "plate"], unique=False)
    op.create_index("ix_passes_requested_at", "passes", ["requested_at", "id"], unique=False)
    op.create_index("ix_passes_unit", "passes", ["site", "unit", "state"], unique=False)


def _places() -> None:
    """Sites and what is in them."""
    op.create_table(
        "register_buildings",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("cell", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("site", "id"),
    )
    op.create_table(
        "register_cameras",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("gate", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("cell", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("site", "id"),
    )
    op.create_table(
        "register_cells",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("polygon", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "register_gates",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("site", "id"),
    )
    op.create_table(
        "register_sites",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "register_units",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("building", sa.String(length=63), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("occupancy", sa.String(length=8), nullable=False),
        sa.Column("code_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "id"),
    )


def _people() -> None:
    """Who lives there, and who is on duty."""
    op.create_table(
        "register_people",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("phone", sa.String(length=21), nullable=False),
        sa.Column("token", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "register_shifts",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_register_shifts_person", "register_shifts", ["person"], unique=False)
    op.create_table(
        "register_vehicles",
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("plate", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=63), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "plate"),
    )
    op.create_table(
        "register_residents",
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("site", sa.String(length=63), nullable=False),
        sa.Column("unit", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("consent_reference", sa.String(length=120), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=True),
        sa.Column("lives_alone", sa.Boolean(), nullable=False),
        sa.Column("welfare_since", sa.BigInteger(), nullable=True),
        sa.Column("welfare_hours", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_register_residents_subject", "register_residents", ["subject_id"], unique=False
    )
    op.create_index(
        "ix_register_residents_unit", "register_residents", ["site", "unit"], unique=False
    )
