"""The tables of rules and of what they ask: documents, their versions, and whom faces were recognised as."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from hub.store.tables import Moment, metadata

#: One row a rule. `source` is ``store`` for one that is made through the API, ``file`` for one that a
#: file says, of which this keeps the history only. `enabled_version` is what is in force; null where none
#: is.
rules = Table(
    "rules",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("title", String(120), nullable=False),
    Column("source", String(8), nullable=False),
    Column("latest_version", Integer, nullable=False),
    Column("enabled_version", Integer),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", String(63), nullable=False),
    Index("ix_rules_updated_at", "updated_at", "id"),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("rule_id", ForeignKey("rules.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(63), nullable=False),
    Column("note", Text, nullable=False),
)

#: One row. Its number grows whenever a rule of the store changes, in the same transaction.
rules_version = Table(
    "rules_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

#: Whom a face was recognised as: residents and listed subjects only, gone with the subject and with the
#: observation. Of anybody else there is no row.
recognitions = Table(
    "recognitions",
    metadata,
    Column("observation_id", ForeignKey("observations.id", ondelete="CASCADE"), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("site", String(63), nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("margin", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("pack", String(63), nullable=False),
    Index("ix_recognitions_subject", "subject_id", "seen_at"),
)
