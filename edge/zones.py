"""Zones and lines of one camera: who entered, left, stayed long, crossed and which way, and how many.

In: the `Moment` of each frame. Out: `PlaceEvent`, each told once. Pure. An object is where its foot is. It is
inside, or out again, when it has been so for a moment, and on one side of a line when it is clearly there, so
that a box that jitters on a border tells nothing.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from edge.geometry import Point, beside, contains, meet
from edge.moment import Moment, Tracked
from edge.objects import PEOPLE
from edge.perspective import Perspective
from wire.messages import Direction, ObjectEvent, ObjectLabel

ENTERED_AFTER_S: Final = 0.4
LEFT_AFTER_S: Final = 1.0
_CLEARLY: Final = 0.1  # of its height beside a line
_CLEARLY_WIDTHS: Final = 0.004


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon. `dwell_s`: a stay as long as this is told; None tells none."""

    id: str
    polygon: tuple[Point, ...]
    labels: frozenset[ObjectLabel]
    dwell_s: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A named line. Who crosses it to the right, looking from `start` to `end`, goes ``in``."""

    id: str
    start: Point
    end: Point
    labels: frozenset[ObjectLabel]


@dataclass(frozen=True, slots=True)
class Places:
    """What is watched in one camera's picture."""

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    perspective: Perspective | None = None


@dataclass(frozen=True, slots=True)
class PlaceEvent:
    """What one object did at one place.

    `count` is how many are in the zone now, or have crossed the line in this direction since the worker
    started. `stay_s` is how long it has been in the zone, `direction` which way it crossed the line.
    """

    event: ObjectEvent
    place: str
    place_kind: Literal["zone", "line"]
    object: Tracked
    count: int
    stay_s: float | None = None
    direction: Direction | None = None


@dataclass(slots=True)
class _Stay:
    """One object and one zone. `since`: when it was last first seen on the other side of the border."""

    last: Tracked
    inside: bool = False
    since: datetime | None = None
    entered_at: datetime | None = None
    told: bool = False
    dwelt: bool = False


@dataclass(slots=True)
class ZoneWatch:
    """Who is in one zone."""

    zone: Zone
    _stays: dict[str, _Stay] = field(default_factory=dict, init=False)

    def forget(self) -> None:
        """Another scene begins."""
        self._stays.clear()

    @property
    def inside(self) -> tuple[Tracked, ...]:
        """Who is in it now, as last seen."""
        return tuple(stay.last for stay in self._stays.values() if stay.inside)

    def stay_s(self, track_id: str, now: datetime) -> float:
        """For how long this object has been in the zone; 0 when it is not."""
        stay = self._stays.get(track_id)
        if stay is None or not stay.inside or stay.entered_at is None:
            return 0.0
        return (now - stay.entered_at).total_seconds()

    def step(self, moment: Moment) -> list[PlaceEvent]:
        """Take one frame."""
        events = []
        for thing in moment.objects:
            if thing.label in self.zone.labels or thing.id in self._stays:
                events += self._see(thing, moment.at)
        for track_id in moment.ended:
            stay = self._stays.pop(track_id, None)
            if stay is not None and stay.told:
                events.append(self._event("left", stay, moment.at))
        return events

    def _see(self, thing: Tracked, at: datetime) -> list[PlaceEvent]:
        stay = self._stays.setdefault(thing.id, _Stay(thing))
        stay.last = thing
        inside = contains(self.zone.polygon, thing.foot)
        if inside == stay.inside:
            stay.since = None
        else:
            stay.since = stay.since or at
            held_s = (at - stay.since).total_seconds()
            if held_s >= (ENTERED_AFTER_S if inside else LEFT_AFTER_S):
                return self._turn(stay, at)
        return self._stayed(stay, at) if stay.inside else []

    def _turn(self, stay: _Stay, at: datetime) -> list[PlaceEvent]:
        """It has come in, or gone out."""
        if not stay.inside:
            stay.inside, stay.entered_at, stay.since = True, stay.since, None
            return self._stayed(stay, at)
        events = [self._event("left", stay, at)] if stay.told else []
        stay.inside, stay.entered_at, stay.since = False, None, None
        stay.told = stay.dwelt = False
        return events

    def _stayed(self, stay: _Stay, at: datetime) -> list[PlaceEvent]:
        events = []
        if not stay.told and _has_come(stay.last):
            stay.told = True
            events.append(self._event("entered", stay, at))
        dwell_s = self.zone.dwell_s
        if dwell_s is not None and not stay.dwelt and self.stay_s(stay.last.id, at) >= dwell_s:
            stay.dwelt = True
            events.append(self._event("dwelt", stay, at))
        return events

    def _event(self, event: ObjectEvent, stay: _Stay, at: datetime) -> PlaceEvent:
        entered_at = stay.entered_at or at
        count = sum(other.inside for other in self._stays.values())
        if event == "left" and stay.inside and stay.last.id in self._stays:
            count -= 1
        stay_s = (at - entered_at).total_seconds()
        return PlaceEvent(event, self.zone.id, "zone", stay.last, count, stay_s=stay_s)


def _has_come(thing: Tracked) -> bool:
    """A vehicle that has stood there ever since it was first seen has not come: the edge was started."""
    return thing.label in PEOPLE or thing.has_moved


@dataclass(slots=True)
class _Side:
    """On which side of a line an object was last clearly seen, and where."""

    right: bool
    foot: Point


@dataclass(slots=True)
class LineWatch:
    """Who crosses one line."""

    line: Line
    _sides: dict[str, _Side] = field(default_factory=dict, init=False)
    _counts: Counter[Direction] = field(default_factory=Counter, init=False)

    def step(self, moment: Moment) -> list[PlaceEvent]:
        """Take one frame."""
        events = []
        for thing in moment.objects:
            if thing.label in self.line.labels and (event := self._see(thing, moment.aspect)):
                events.append(event)
        for track_id in moment.ended:
            self._sides.pop(track_id, None)
        return events

    def forget(self) -> None:
        """Another scene begins. What was counted stays counted."""
        self._sides.clear()

    def _see(self, thing: Tracked, aspect: float) -> PlaceEvent | None:
        beside_by = beside(self.line.start, self.line.end, thing.foot, aspect)
        if abs(beside_by) < max(_CLEARLY * thing.height * aspect, _CLEARLY_WIDTHS):
            return None
        right, before = beside_by > 0, self._sides.get(thing.id)
        self._sides[thing.id] = _Side(right, thing.foot)
        if before is None or before.right == right:
            return None
        if not meet(before.foot, thing.foot, self.line.start, self.line.end):
            return None  # it has gone round the end of the line
        direction: Direction = "in" if right else "out"
        self._counts[direction] += 1
        return PlaceEvent(
            "crossed",
            self.line.id,
            "line",
            thing,
            self._counts[direction],
            direction=direction,
        )
