"""The consent ledger, reference pictures, what each change was about, a site's own ids of people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables and the column; people who were enrolled before get an entry in the ledger."""
    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("text_version", sa.String(length=63), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("guardian", sa.String(length=120), nullable=False),
        sa.Column("recorded_by", sa.String(length=63), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=63), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consents_subject", "consents", ["subject_id"], unique=False)
    op.create_table(
        "reference_pictures",
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subject_id"),
    )
    op.create_table(
        "watch_changes",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
    op.add_column("subjects", sa.Column("external_id", sa.String(length=63), nullable=True))
    op.create_index("ix_subjects_external_id", "subjects", ["external_id"], unique=True)
    op.execute(
        "INSERT INTO consents (id, subject_id, kind, purpose, basis, reference, text_version, given_at,"
        " guardian, recorded_by, recorded_at)"
        " SELECT id, id, 'law', purpose, basis, reference, '', enrolled_at, '', enrolled_by, enrolled_at"
        " FROM subjects"
    )
