"""Vehicle prowling (拉车门): one person stops close to one parked vehicle after another. Pure.

In: moments. Out: an event when a person has stopped, for `pause_s` each, within arm's reach of `vehicles`
different parked vehicles within `within_s`. Who walks past does not stop; who goes to their own car stops
at one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent, BehaviourSettings, Watch
from edge.behaviours.same_person import SamePerson
from edge.geometry import Point, contains, distance
from edge.grants import GrantBook
from edge.moment import Moment, Tracked
from edge.zones import PlaceEvent, Places, Zone
from wire.messages import Identifier

_STOPS_HEIGHTS: Final = 0.3  # who stays within this of a place has stopped: also who bends down
_REACH_HEIGHTS: Final = 0.4  # an arm, in heights of the person
_UNSEEN_S: Final = 120.0  # the vehicle may be hidden by the person, but not for ever


class VehicleProwling(BehaviourSettings):
    """The settings. `zone` limits it to the vehicles in one zone; None takes all in view."""

    kind: Literal["vehicle_prowling"]
    zone: Identifier | None = None
    vehicles: Annotated[int, Field(ge=2, le=20)] = 3
    pause_s: Annotated[float, Field(ge=0.5, le=60)] = 1.5
    within_s: Annotated[float, Field(ge=10, le=3600)] = 180.0

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the vehicles."""
        del grants
        zone = next((zone for zone in places.zones if zone.id == self.zone), None)
        return VehicleProwlingWatch(self, zone)


@dataclass(slots=True)
class _Walk:
    """One person: where they stopped and since when, and when they were last at each vehicle."""

    stopped_at: Point
    since: datetime
    visits: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    told: bool = False

    def follow(self, person: Tracked, at: datetime, aspect: float) -> None:
        """They are here now: have they moved on?"""
        moved = distance(person.foot, self.stopped_at, aspect)
        if moved > _STOPS_HEIGHTS * person.height * aspect:
            self.stopped_at, self.since = person.foot, at


class VehicleProwlingWatch(Watch):
    """People among the parked vehicles of one camera."""

    def __init__(self, settings: VehicleProwling, zone: Zone | None) -> None:
        self._settings, self._zone = settings, zone
        self._people = SamePerson()
        self._walks: dict[str, _Walk] = {}

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        del crossings
        vehicles = [thing for thing in moment.parked if self._counts(thing)]
        events = []
        for name, person in self._people.step(moment):
            walk = self._walks.setdefault(name, _Walk(person.foot, moment.at))
            walk.follow(person, moment.at, moment.aspect)
            self._visit(walk, person, vehicles, moment)
            if not walk.told and len(walk.visits) >= self._settings.vehicles:
                walk.told = True
                events.append(self._event(walk, person, moment.at))
        for name in self._walks.keys() - self._people.names:
            del self._walks[name]
        return events

    def forget(self) -> None:
        """Another scene begins."""
        self._people.forget()
        self._walks.clear()

    def _counts(self, vehicle: Tracked) -> bool:
        in_zone = self._zone is None or contains(self._zone.polygon, vehicle.foot)
        return in_zone and vehicle.unseen_s <= _UNSEEN_S

    def _visit(
        self, walk: _Walk, person: Tracked, vehicles: Sequence[Tracked], moment: Moment
    ) -> None:
        """Note the vehicle that they have stopped at; let go of what is too long ago."""
        oldest = moment.at.timestamp() - self._settings.within_s
        for name, (_, last) in tuple(walk.visits.items()):
            if last.timestamp() < oldest:
                del walk.visits[name]
        if (moment.at - walk.since).total_seconds() < self._settings.pause_s:
            return
        reach = _REACH_HEIGHTS * person.height * moment.aspect
        near = [(beside(person, v, moment.aspect), v.id) for v in vehicles]
        apart, nearest = min(near, default=(1.0, ""))
        if apart <= reach:
            first, _ = walk.visits.get(nearest, (walk.since, walk.since))
            walk.visits[nearest] = first, moment.at

    def _event(self, walk: _Walk, person: Tracked, at: datetime) -> BehaviourEvent:
        since = min(first for first, _ in walk.visits.values())
        count, taken_s = len(walk.visits), (at - since).total_seconds()
        return BehaviourEvent(
            "vehicle_prowling",
            person,
            at,
            (person.id, *walk.visits),
            count,
            since,
            f"a person stopped at {count} parked vehicles, one after another, within {taken_s:.0f} s",
            zone=self._settings.zone,
        )


def beside(person: Tracked, vehicle: Tracked, aspect: float) -> float:
    """How far the person's foot is from the vehicle's box, in widths; 0 inside it."""
    (x, y), (x1, y1, x2, y2) = person.foot, vehicle.box
    nearest = min(max(x, x1), x2), min(max(y, y1), y2)
    return distance((x, y), nearest, aspect)
