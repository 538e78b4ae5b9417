"""Streams stored observations as rules see them, for a back-test.

In: a rule, a period. Out: the sightings that could match, oldest first. What a rule needs in any case
(`RuleDocument.needs`) is asked of the database by columns, so that of a million observations only those are
read whole which the rule must look at. Of a face only whom it was recognised as is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, cast, get_args

from pydantic import TypeAdapter
from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    and_,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import cast as sql_cast

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
    Observation,
    PassageObservation,
    PlateText,
)

_OBSERVED: Final = observations.c
_KNOWN: Final = recognitions.c
_READ: Final = (
    _OBSERVED.id, _OBSERVED.kind, _OBSERVED.site, _OBSERVED.gate, _OBSERVED.edge, _OBSERVED.camera,
    _OBSERVED.captured_at, _OBSERVED.clock_offset_ms, sql_cast(_OBSERVED.data, Text).label("data"),
    _KNOWN.subject_id, _KNOWN.similarity, _KNOWN.margin, _KNOWN.threshold, _KNOWN.pack,
)  # fmt: skip
"""The text of `data` is parsed once, by what validates it."""
_AT_ONCE: Final = 500
Told = (
    ObjectObservation | BehaviourObservation | PassageObservation | AccessObservation
    | MeterObservation | CameraObservation
)  # fmt: skip
_BY_KIND: Final = {
    model.model_fields["kind"].default: TypeAdapter(model) for model in get_args(Told)
}
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
        for row in self._rows(rule, watched):
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

    def _rows(self, rule: RuleDocument, watched: Watched) -> Iterator[RowMapping]:
        """What could match, whole, in order. Where conditions alone say which those are it is one query;
        otherwise what takes a look at each is read by columns first, and whole only if it stays."""
        chosen = and_(_OBSERVED.captured_at.between(self.since, self.until), *_necessary(rule))
        if isinstance(rule, ClonedPlate):
            ids = _elsewhere(self._columns(chosen), rule)
        elif any(topic.startswith("plate.listed") for topic in rule.topics()):
            ids = _perhaps_listed(self._columns(chosen), watched)
        else:
            yield from self._whole(chosen)
            return
        while chunk := list(islice(ids, _AT_ONCE)):
            yield from self._whole(_OBSERVED.id.in_(chunk))

    def _columns(self, chosen: ColumnElement[bool]) -> Iterator[Any]:
        at = type_coerce(_OBSERVED.captured_at, BigInteger)
        query = (
            select(_OBSERVED.id, at, _OBSERVED.plate, _OBSERVED.weakest, _OBSERVED.site, _OBSERVED.gate)
            .where(chosen)
            .order_by(_OBSERVED.captured_at, _OBSERVED.id)
            .execution_options(yield_per=5000)
        )  # fmt: skip
        return iter(self.tx.execute(query))

    def _whole(self, chosen: ColumnElement[bool]) -> Iterator[RowMapping]:
        query = (
            select(*_READ)
            .join_from(observations, recognitions, isouter=True)
            .where(chosen)
            .order_by(_OBSERVED.captured_at, _OBSERVED.id)
            .execution_options(yield_per=_AT_ONCE)
        )
        return iter(self.tx.execute(query).mappings())


def _perhaps_listed(rows: Iterator[Any], watched: Watched) -> Iterator[str]:
    """Plates that are listed or were read uncertainly, and whatever is no plate."""
    for row_id, _, plate, weakest, _, _ in rows:
        if plate is None or weakest < _CERTAIN or plate in watched.entries:
            yield row_id


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


def _sighting(row: RowMapping, watched: Watched, now: datetime) -> Sighting:
    kind, at = row["kind"], row["captured_at"]
    what: Shown
    if model := _BY_KIND.get(kind):
        told = cast(Told, model.validate_json(row["data"]))
        first, last = at, at
        quality = 1.0
        if isinstance(told, Observation):
            first, last = _span(at, told.first_seen_at, told.captured_at, told.last_seen_at)
            quality = told.quality
        what = told
    else:
        data = from_json(row["data"])
        times = (data[name] for name in ("first_seen_at", "captured_at", "last_seen_at"))
        first, last = _span(at, *(datetime.fromisoformat(time) for time in times))
        quality = data["quality"]
        what = _plate(data, watched, now) if kind == "plate" else _face(row, watched, now)
    return Sighting(
        observation_id=row["id"],
        site=row["site"],
        gate=row["gate"],
        edge=row["edge"],
        camera=row["camera"],
        first_seen_at=first,
        captured_at=at,
        last_seen_at=last,
        quality=quality,
        what=what,
        clock_offset_ms=row["clock_offset_ms"],
    )


def _span(
    at: datetime, first: datetime, captured: datetime, last: datetime
) -> tuple[datetime, datetime]:
    """When it was first and last seen by the hub's clock: the edge's clock is as far off at all three."""
    return at - (captured - first), at + (last - captured)


def _plate(data: Mapping[str, Any], watched: Watched, now: datetime) -> Shown:
    plate = PlateText.model_validate(data["plate"])
    return identify_plate(plate, watched, now, data.get("reads", 1))


def _face(row: RowMapping, watched: Watched, now: datetime) -> Shown:
    if row["subject_id"] is None:
        return FaceSighting(FaceFinding(FaceReason.BELOW_THRESHOLD), (), "", 0.0)
    finding = FaceFinding(FaceReason.MATCH, row["subject_id"], row["similarity"], row["margin"])
    entries: Sequence[Entry] = watched.active(row["subject_id"], now)
    return FaceSighting(finding, tuple(entries), row["pack"], row["threshold"])
