"""The tables. The migrations make them; a test holds the two together.

Times are whole microseconds since 1970 in UTC, so that they sort and compare alike in every database. No
table has a place for an embedding of a face that was not enrolled, or for a picture that no rule has matched.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Aware datetime -> microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Microseconds -> aware UTC datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


#: A growing number. SQLite gives out rising ones only for INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

observations = Table(
    "observations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("edge", String(63), nullable=False),
    Column("boot_id", String(16), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("site", String(63), nullable=False),
    Column("gate", String(63), nullable=False),
    Column("camera", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("captured_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("plate", String(16)),
    Column("matched", Boolean, nullable=False),
    # The message's data without its sealed probe and its crop, and what proves who sent it.
    Column("data", JSON, nullable=False),
    Column("time", Moment, nullable=False),
    Column("clock_offset_ms", BigInteger),
    Column("sha256", String(64), nullable=False),
    Column("signature", String(88), nullable=False),
    # What rules select by, beside where and when: taken out of `data` (`hub.decide`).
    Column("event", String(24)),
    Column("label", String(16)),
    Column("zone", String(63)),
    Column("unit", String(64)),
    Column("amount", Float),
    Column("stay_s", Float),
    Column("confidence", Float),
    Column("weakest", Float),
    UniqueConstraint("edge", "boot_id", "sequence", name="uq_observations_place"),
    Index("ix_observations_captured_at", "captured_at", "id"),
    Index("ix_observations_plate", "plate", "captured_at"),
    Index("ix_observations_kind", "kind", "captured_at"),
)

sequences = Table(
    "sequences",
    metadata,
    Column("edge", String(63), primary_key=True),
    Column("boot_id", String(16), primary_key=True),
    Column("committed", BigInteger, nullable=False),
    Column("ahead", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("gate", String(63), nullable=False),
    Column("camera", String(63), nullable=False),
    Column("rule_id", String(63), nullable=False),
    Column("rule_title", String(120), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("certainty", String(16), nullable=False),
    Column("disposition", String(16)),
    Column("level", String(8), nullable=False),
    Column("change_count", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("match", JSON, nullable=False),
    Column("category", String(32), nullable=False),
    Column("basis", Text, nullable=False),
    Column("target", String(80), nullable=False),
    Column("edge", String(63), nullable=False),
    Column("rule_kind", String(32), nullable=False),
    # Whose it is: the grid cell of its camera, and the id of a person of the register; "" where nobody's.
    Column("cell", String(63), nullable=False),
    Column("assignee", String(63), nullable=False),
    # The policy that its rule names, "" for that of its colour.
    Column("escalation", String(63), nullable=False),
    # When it goes to the next level unless somebody does something; null for never.
    Column("level_due_at", Moment),
    Column("incident_id", String(36)),
    # The silence, or the alert, that keeps it from being told of; null for one that is told of.
    Column("muted_by", String(36)),
    Column("muted_why", String(16), nullable=False),
    Column("dedup_key", String(240), nullable=False),
    Column("captured_at", Moment, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("told_at", Moment),
    Column("acknowledged_at", Moment),
    Column("dispatched_at", Moment),
    Column("on_scene_at", Moment),
    Column("closed_at", Moment),
    Column("observation_id", String(36), nullable=False),
    Column("observations", Integer, nullable=False),
    Index("ix_alerts_target", "target"),
    Index("ix_alerts_due", "level_due_at"),
    Index("ix_alerts_incident", "incident_id"),
    Index("ix_alerts_site_state", "site", "state", "last_seen_at"),
    Index("ix_alerts_dedup", "dedup_key", "last_seen_at"),
    Index("ix_alerts_raised_at", "raised_at", "id"),
)

rule_matches = Table(
    "rule_matches",
    metadata,
    Column("rule_id", String(63), primary_key=True),
    Column("observation_id", String(36), primary_key=True),
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("placement", String(32), nullable=False),
    Index("ix_rule_matches_alert", "alert_id"),
    Index("ix_rule_matches_observation", "observation_id"),
)

#: What was done to an alert after it was raised, numbered from 1: its way, and all else that concerns it.
alert_changes = Table(
    "alert_changes",
    metadata,
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(63), nullable=False),
    Column("note", Text, nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("to_state", String(16), nullable=False),
    Column("level", String(8), nullable=False),
)

#: Alerts that are handled together name one of these.
incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Index("ix_incidents_opened_at", "opened_at", "id"),
)

#: What people mute for a while. "" names any.
silences = Table(
    "silences",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("gate", String(63), nullable=False),
    Column("camera", String(63), nullable=False),
    Column("rule_id", String(63), nullable=False),
    Column("author", String(63), nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index("ix_silences_starts_at", "starts_at", "id"),
    Index("ix_silences_ends_at", "ends_at"),
)

#: What happened to alerts, in order: what sinks deliver and the event stream shows. `body` is the signed
#: message, the same for all of them.
events = Table(
    "events",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("alert_id", ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("site", String(63), nullable=False),
    Column("type", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_events_alert", "alert_id"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("sink", String(63), primary_key=True),
    Column("event_position", ForeignKey("events.position", ondelete="CASCADE"), primary_key=True),
    Column("alert_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("delivered_at", Moment),
    Column("last_error", Text, nullable=False),
    Index("ix_deliveries_due", "sink", "state", "next_attempt_at"),
    Index("ix_deliveries_order", "alert_id", "sink", "state"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("observation_id", String(36), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("edge", String(63), nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    # Of a clip they are known once its edge has made it; so is when it starts and ends.
    Column("sha256", String(64)),
    Column("size_bytes", BigInteger),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    # The edge's signature of the evidence itself (`wire.evidence`), and why it is gone.
    Column("signature", String(88)),
    Column("reason", Text),
    Column("requested_at", Moment, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("next_ask_at", Moment, nullable=False),
    Column("settled_at", Moment),
    # Only of the small picture that came with its observation: it is stored in the same transaction.
    Column("data", LargeBinary),
    Index("ix_evidence_due", "state", "next_ask_at"),
)

#: What an edge said of an observation that raised an alert, byte for byte as it signed it: for a case that is
#: checked later. A face in it is sealed to the hub.
signed_observations = Table(
    "signed_observations",
    metadata,
    Column("observation_id", String(36), primary_key=True),
    Column("stored_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_signed_observations_stored_at", "stored_at"),
)

watchlist_entries = Table(
    "watchlist_entries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("target", String(36), nullable=False),
    Column("label", String(120), nullable=False),
    Column("category", String(32), nullable=False),
    Column("basis", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("requester", String(63), nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("approver", String(63)),
    Column("approved_at", Moment),
    Column("expires_at", Moment, nullable=False),
    Index("ix_watchlist_state", "kind", "state", "expires_at"),
    Index("ix_watchlist_target", "target"),
)

#: One row. Its number grows whenever what is watched for changes, in the same transaction.
watch_version = Table(
    "watch_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("label", String(120), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("enrolled_by", String(63), nullable=False),
    Column("enrolled_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    # The site's own number of the person, where it gives one.
    Column("external_id", String(63)),
    Index("ix_subjects_expires_at", "expires_at"),
    Index("ix_subjects_external_id", "external_id", unique=True),
)

#: Apart from identities, encrypted under a key that is not in the database (`hub.vault`).
templates = Table(
    "templates",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("pack", String(63), nullable=False),
    Column("pack_sha256", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("quality", Float, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_templates_subject", "subject_id"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("edge", String(63)),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("payload", LargeBinary),
    Column("count", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)

edges = Table(
    "edges",
    metadata,
    Column("edge", String(63), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("online", Boolean, nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("version", String(64), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

cameras = Table(
    "cameras",
    metadata,
    Column("edge", String(63), primary_key=True),
    Column("camera", String(63), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state_at", Moment),
    Column("health", JSON),
    Column("seen_at", Moment, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

#: Append-only: triggers refuse any change. Each row's hash covers the one before it (`hub.audit`).
audit = Table(
    "audit",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(63), nullable=False),
    Column("action", String(32), nullable=False),
    Column("target", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", String(63), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False),
)
