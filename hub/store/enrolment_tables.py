"""The tables of enrolment beside subjects and templates: the ledger, reference pictures, what has changed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table, Text

from hub.store.tables import Moment, metadata

#: Why each person was enrolled (`hub.consent`). A row outlives its subject.
consents = Table(
    "consents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("subject_id", String(36), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("text_version", String(63), nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("guardian", String(120), nullable=False),
    Column("recorded_by", String(63), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("withdrawn_by", String(63)),
    Column("erased_at", Moment),
    Index("ix_consents_subject", "subject_id"),
)

#: One picture of an enrolled face, where the policy keeps it; encrypted like a template (`hub.vault`).
reference_pictures = Table(
    "reference_pictures",
    metadata,
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

#: Whom or what each rise of `watch_version` was about, so that who matches reads only that anew; NULL is all.
watch_changes = Table(
    "watch_changes",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("target", String(36)),
)
