"""Answers what rules ask of the past (`hub.windows.Windows`) from the store, on one transaction."""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, select

from hub.places import Place, Spot
from hub.store.asked_once import asked_once
from hub.store.rule_tables import recognitions
from hub.store.tables import cameras, edges, observations, subjects
from hub.windows import CameraFaultSeen, EdgeSeen, MeterUse, Seen

_OBSERVED: Final = observations.c
_SEEN: Final = (
    _OBSERVED.id, _OBSERVED.edge, _OBSERVED.site, _OBSERVED.gate, _OBSERVED.camera, _OBSERVED.zone,
    _OBSERVED.captured_at, _OBSERVED.confidence,
)  # fmt: skip
_MOST: Final = 1000
_JUST_BEFORE: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class StoredWindows:
    """The past as the store has it. Made once all that the transaction stores is stored."""

    tx: Connection
    answers: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    @asked_once
    def plates_seen(self, plate: str, since: datetime, until: datetime) -> Sequence[Seen]:
        """Where a plate was read between the two times, both included, oldest first."""
        query = select(*_SEEN).where(
            _OBSERVED.plate == plate, _OBSERVED.captured_at.between(since, until)
        )
        return self._seen(query.order_by(_OBSERVED.captured_at, _OBSERVED.id).limit(_MOST))

    @asked_once
    def plate_last_seen(self, plate: str, site: str, until: datetime) -> Seen | None:
        """Where a plate was last read on a site by `until`."""
        query = select(*_SEEN).where(
            _OBSERVED.plate == plate, _OBSERVED.site == site, _OBSERVED.captured_at <= until
        )
        newest = query.order_by(_OBSERVED.captured_at.desc(), _OBSERVED.id.desc()).limit(1)
        return next(iter(self._seen(newest)), None)

    def recognised(self, observation_ids: Sequence[str]) -> Mapping[str, str]:
        """Of these faces, those that were recognised: observation -> subject."""
        if not observation_ids:
            return {}
        known = recognitions.c
        query = select(known.observation_id, known.subject_id).where(
            known.observation_id.in_(observation_ids)
        )
        return {row.observation_id: row.subject_id for row in self.tx.execute(query)}

    @asked_once
    def faces_at(self, spot: Spot, since: datetime, until: datetime) -> Sequence[Seen]:
        """Faces at the gate of `spot` (at its camera, where it has no gate), oldest first."""
        here = _OBSERVED.gate == spot.gate if spot.gate else _OBSERVED.camera == spot.camera
        known = recognitions.c
        query = (
            select(*_SEEN, _OBSERVED.data, known.subject_id)
            .join_from(observations, recognitions, isouter=True)
            .where(
                _OBSERVED.kind == "face",
                _OBSERVED.captured_at.between(since, until),
                _OBSERVED.site == spot.site,
                here,
            )
        )
        rows = self.tx.execute(query.order_by(_OBSERVED.captured_at, _OBSERVED.id).limit(_MOST))
        return [_seen(row, row.data["track_id"], row.subject_id) for row in rows]

    @asked_once
    def person_last_seen(self, subject_id: str, site: str, until: datetime) -> Seen | None:
        """Where a subject was last recognised on a site by `until`."""
        known = recognitions.c
        query = (
            select(*_SEEN, known.subject_id)
            .join_from(recognitions, observations)
            .where(known.subject_id == subject_id, known.site == site, known.seen_at <= until)
            .order_by(known.seen_at.desc())
            .limit(1)
        )
        row = self.tx.execute(query).one_or_none()
        return None if row is None else _seen(row, subject_id=row.subject_id)

    @asked_once
    def meter_use(
        self, site: str, unit: str, medium: str, since: datetime, until: datetime
    ) -> MeterUse | None:
        """What a unit used, over all its meters; the reading before `since` counts as its beginning."""
        query = (
            select(_OBSERVED.captured_at, _OBSERVED.amount, _OBSERVED.data)
            .where(
                _OBSERVED.kind == "meter",
                _OBSERVED.captured_at.between(since - _JUST_BEFORE, until),
                _OBSERVED.site == site,
                _OBSERVED.unit == unit,
                _OBSERVED.event == medium,
            )
            .order_by(_OBSERVED.captured_at, _OBSERVED.id)
        )
        meters: dict[str, list[tuple[datetime, float]]] = {}
        for row in self.tx.execute(query):
            readings = meters.setdefault(row.data["meter"], [])
            if row.captured_at <= since:
                readings.clear()
            readings.append((row.captured_at, row.amount))
        several = [readings for readings in meters.values() if len(readings) > 1]
        if not several:
            return None
        return MeterUse(
            # A meter that was exchanged begins anew: what it counts down is no use.
            sum(max(0.0, b[1] - a[1]) for r in several for a, b in itertools.pairwise(r)),
            sum(len(readings) for readings in several),
            min(readings[0][0] for readings in several),
            max(readings[-1][0] for readings in several),
        )

    @asked_once
    def watched(self, place: Place, since: datetime, until: datetime) -> bool:
        """Whether any face or plate was seen in that place in that time."""
        query = select(_OBSERVED.id).where(
            _OBSERVED.kind.in_(("face", "plate")),
            _OBSERVED.captured_at.between(since, until),
            *in_place(place),
        )
        return self.tx.execute(query.limit(1)).first() is not None

    @asked_once
    def camera_faults(self, since: datetime, until: datetime) -> Sequence[CameraFaultSeen]:
        """Camera states other than ``online`` that began in that span, oldest first."""
        query = select(*_SEEN, _OBSERVED.event, _OBSERVED.data).where(
            _OBSERVED.kind == "camera",
            _OBSERVED.captured_at.between(since, until),
            _OBSERVED.event != "online",
        )
        rows = self.tx.execute(query.order_by(_OBSERVED.captured_at, _OBSERVED.id))
        return [CameraFaultSeen(_seen(row), row.event, row.data["reason"]) for row in rows]

    @asked_once
    def camera_changed(self, edge: str, camera: str, after: datetime, until: datetime) -> bool:
        """Whether a camera came to another state in that time."""
        query = select(_OBSERVED.id).where(
            _OBSERVED.kind == "camera",
            and_(_OBSERVED.captured_at > after, _OBSERVED.captured_at <= until),
            _OBSERVED.edge == edge,
            _OBSERVED.camera == camera,
        )
        return self.tx.execute(query.limit(1)).first() is not None

    @asked_once
    def edges(self) -> Sequence[EdgeSeen]:
        """All edge boxes."""
        health = select(cameras.c.edge, cameras.c.health).where(cameras.c.health.is_not(None))
        pending: dict[str, int] = {}
        for row in self.tx.execute(health):
            waiting = int((row.health or {}).get("outbox_pending", 0))
            pending[row.edge] = max(pending.get(row.edge, 0), waiting)
        return [
            EdgeSeen(row.edge, row.site, row.online, row.seen_at, pending.get(row.edge, 0))
            for row in self.tx.execute(select(edges).order_by(edges.c.edge))
        ]

    def _seen(self, query: Select[Any]) -> list[Seen]:
        return [_seen(row) for row in self.tx.execute(query)]


def in_place(place: Place) -> list[ColumnElement[bool]]:
    """The conditions that an observation is in a place."""
    wanted = {
        _OBSERVED.site: place.sites, _OBSERVED.gate: place.gates,
        _OBSERVED.camera: place.cameras, _OBSERVED.zone: place.zones,
    }  # fmt: skip
    return [column.in_(sorted(names)) for column, names in wanted.items() if names]


def add_recognitions(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store whom faces were recognised as, but for subjects who have been erased meanwhile."""
    if not rows:
        return
    wanted = {row["subject_id"] for row in rows}
    known = set(tx.scalars(select(subjects.c.id).where(subjects.c.id.in_(wanted))))
    if kept := [dict(row) for row in rows if row["subject_id"] in known]:
        tx.execute(insert(recognitions), kept)


def _seen(row: Any, track_id: str = "", subject_id: str | None = None) -> Seen:
    spot = Spot(row.site, row.gate, row.camera, row.zone or "")
    confidence = row.confidence or 0.0
    return Seen(row.id, row.edge, spot, row.captured_at, track_id, confidence, subject_id)
