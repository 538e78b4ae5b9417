"""A visitor's telephone number, where the site asks for one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("passes", sa.Column("phone", sa.String(length=21), nullable=True))
