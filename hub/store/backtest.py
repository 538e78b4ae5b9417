"""Streams stored observations as rules see them, for a back-test.

In: a rule, a period. Out: the sightings that could match, oldest first. What a rule needs in any case
(`RuleDocument.needs`) is asked of the database by columns, so that of a million observations only those are
read whole which the rule must look at. Of a face only whom it was recognised as is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, cast

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, ColumnElement, Connection, and_, func, or_, select, type_coerce

from hub.gallery import FaceFinding, FaceReason
from hub.identify import FaceSighting, Shown, Sighting, Watched, identify_plate
from hub.plate_match import MatchPolicy, PlateIndex
from hub.rules.base import RuleDocument
from hub.rules.cloned_plate import ClonedPlate
from hub.rules.edge_fault import EdgeFault
from hub.store import watchlists
from hub.store.register_tables import vehicles
from hub.store.rule_tables import recognitions
from hub.store.tables import alerts, observations
from hub.store.windows import in_place
from hub.watchlist import Entry
from wire.messages import (
    AccessObservation,
    BehaviourObservation,
    CameraObservation,
    MeterObservation,
    ObjectObservation,
    PassageObservation,
    PlateText,
)

_OBSERVED: Final = observations.c
_KNOWN: Final = recognitions.c
_AT_ONCE: Final = 500
_OTHER: Final = (
    ObjectObservation, BehaviourObservation, PassageObservation, AccessObservation,
    MeterObservation, CameraObservation,
)  # fmt: skip
_BY_KIND: Final = {model.model_fields["kind"].default: TypeAdapter(model) for model in _OTHER}
_CERTAIN: Final = MatchPolicy().certain


@dataclass(frozen=True, slots=True)
class Past:
    """The stored observations between two times, with the watchlists as they are now."""

    tx: Connection
    since: datetime
    until: datetime
    now: datetime

    def sightings(self, rule: RuleDocument) -> Iterator[Sighting]:
        """What the rule must look at, oldest first."""
        if not rule.topics():
            return
        watched = _watched(self.tx, self.now)
        ids = self._ids(rule, watched)
        while chunk := list(islice(ids, _AT_ONCE)):
            query = (
                select(observations, _KNOWN.subject_id, _KNOWN.similarity, _KNOWN.margin,
                       _KNOWN.threshold, _KNOWN.pack)
                .join_from(observations, recognitions, isouter=True)
                .where(_OBSERVED.id.in_(chunk))
                .order_by(_OBSERVED.captured_at, _OBSERVED.id)
            )  # fmt: skip
            for row in self.tx.execute(query).mappings():
                yield _sighting(row, watched, self.now)

    def count(self) -> int:
        """How many observations there are in all."""
        query = select(func.count()).where(_OBSERVED.captured_at.between(self.since, self.until))
        return self.tx.scalar(query) or 0

    def raised(self, rule_id: str) -> int:
        """How many alerts a rule did raise from what was captured in that time."""
        query = select(func.count()).where(
            alerts.c.rule_id == rule_id, alerts.c.captured_at.between(self.since, self.until)
        )
        return self.tx.scalar(query) or 0

    def _ids(self, rule: RuleDocument, watched: Watched) -> Iterator[str]:
        """The ids of what could match: conditions in the database, then what takes a look at each row."""
        at = type_coerce(_OBSERVED.captured_at, BigInteger)
        query = (
            select(_OBSERVED.id, at, _OBSERVED.plate, _OBSERVED.weakest, _OBSERVED.site, _OBSERVED.gate)
            .where(_OBSERVED.captured_at.between(self.since, self.until), *_necessary(rule))
            .order_by(_OBSERVED.captured_at, _OBSERVED.id)
            .execution_options(yield_per=5000)
        )  # fmt: skip
        rows: Iterator[Any] = iter(self.tx.execute(query))
        topics = rule.topics()
        if isinstance(rule, ClonedPlate):
            return _elsewhere(rows, rule)
        if any(topic.startswith("plate.listed") for topic in topics):
            return (
                row[0]
                for row in rows
                if row[2] is None or row[3] < _CERTAIN or row[2] in watched.entries
            )
        return (row[0] for row in rows)


def _elsewhere(rows: Iterator[Any], rule: ClonedPlate) -> Iterator[str]:
    """Plates that were at another gate shortly before."""
    within_us = timedelta(seconds=rule.longest_s()) // timedelta(microseconds=1)
    # Of each plate, where it was last and where it was last elsewhere.
    last: dict[str, tuple[tuple[str, str], int]] = {}
    other: dict[str, int] = {}
    for row_id, at, plate, _, site, gate in rows:
        where, before = (site, gate), last.get(plate)
        if before is not None and before[0] != where:
            other[plate] = before[1]
        last[plate] = (where, at)
        if at - other.get(plate, -within_us - at) <= within_us and plate in other:
            yield row_id


def _necessary(rule: RuleDocument) -> list[ColumnElement[bool]]:
    """What every observation that the rule can match has."""
    topics, conditions = rule.topics(), in_place(rule)
    if "any" not in topics:
        conditions.append(or_(*(_of_topic(topic) for topic in sorted(topics))))
    for name, least in rule.needs().items():
        column = _OBSERVED[name]
        conditions.append(
            column.in_(sorted(least)) if isinstance(least, frozenset) else column >= least
        )
    if isinstance(rule, EdgeFault) and rule.clock_off_ms is not None:
        conditions.append(func.abs(_OBSERVED.clock_offset_ms) > rule.clock_off_ms)
    if rule.kind == "unregistered_vehicle":
        registered = select(vehicles.c.plate).where(
            vehicles.c.site == _OBSERVED.site,
            vehicles.c.plate == _OBSERVED.plate,
            vehicles.c.valid_from.is_(None),
            vehicles.c.valid_until.is_(None),
        )
        conditions.append(~registered.exists())
    return conditions


def _of_topic(topic: str) -> ColumnElement[bool]:
    kind, _, event = topic.partition(".")
    if kind in ("object", "behaviour"):
        return and_(_OBSERVED.kind == kind, _OBSERVED.event == event)
    if topic.startswith("face.listed"):
        return and_(_OBSERVED.kind == "face", _OBSERVED.id.in_(select(_KNOWN.observation_id)))
    return _OBSERVED.kind == kind


def _watched(tx: Connection, now: datetime) -> Watched:
    entries: dict[str, list[Entry]] = {}
    for entry in watchlists.active_entries(tx, now):
        entries.setdefault(entry.target, []).append(entry)
    return Watched(None, PlateIndex(entries), entries)


def _sighting(row: Mapping[Any, Any], watched: Watched, now: datetime) -> Sighting:
    data, at = row["data"], row["captured_at"]
    first, last = _span(data, at)
    return Sighting(
        observation_id=row["id"],
        site=row["site"],
        gate=row["gate"],
        edge=row["edge"],
        camera=row["camera"],
        first_seen_at=first,
        captured_at=at,
        last_seen_at=last,
        quality=data.get("quality", 1.0),
        what=_what(row, data, watched, now),
        clock_offset_ms=row["clock_offset_ms"],
    )


def _span(data: Mapping[str, Any], at: datetime) -> tuple[datetime, datetime]:
    """When it was first and last seen by the hub's clock: the edge's clock is as far off at all three."""
    if "first_seen_at" not in data:
        return at, at
    first, captured, last = (
        datetime.fromisoformat(data[name])
        for name in ("first_seen_at", "captured_at", "last_seen_at")
    )
    return at - (captured - first), at + (last - captured)


def _what(
    row: Mapping[Any, Any], data: Mapping[str, Any], watched: Watched, now: datetime
) -> Shown:
    if row["kind"] == "plate":
        return identify_plate(
            PlateText.model_validate(data["plate"]), watched, now, data.get("reads", 1)
        )
    if row["kind"] != "face":
        found: Any = _BY_KIND[row["kind"]].validate_python(data)
        return cast(Shown, found)
    if row["subject_id"] is None:
        return FaceSighting(FaceFinding(FaceReason.BELOW_THRESHOLD), (), "", 0.0)
    finding = FaceFinding(FaceReason.MATCH, row["subject_id"], row["similarity"], row["margin"])
    entries: Sequence[Entry] = watched.active(row["subject_id"], now)
    return FaceSighting(finding, tuple(entries), row["pack"], row["threshold"])
