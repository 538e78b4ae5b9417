"""Blocked lane: a vehicle stands in a zone that is to be kept free, such as a fire lane (消防通道). Pure.

In: moments. Out: an event when a vehicle has stood in the zone for `stay_s`; once for as long as it stands
there, also while others hide it. Whether it moves off or not is known from where it is, not from its track.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent, InZone, Watch
from edge.geometry import contains
from edge.grants import GrantBook
from edge.moment import Moment, Tracked
from edge.zones import PlaceEvent, Places, Zone
from wire.messages import ObjectLabel

_SEEN_WITHIN_S: Final = 30.0  # what nobody has seen for longer may have left


class BlockedLane(InZone):
    """The settings."""

    kind: Literal["blocked_lane"]
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset(
        {"car", "bus", "truck"}
    )
    stay_s: Annotated[float, Field(ge=10, le=86400)] = 120.0

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the zone."""
        del grants
        return BlockedLaneWatch(self, self.zone_of(places))


class BlockedLaneWatch(Watch):
    """Vehicles that stand in one zone."""

    def __init__(self, settings: BlockedLane, zone: Zone) -> None:
        self._settings, self._zone = settings, zone
        self._told: set[str] = set()

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        del crossings
        standing = {
            thing.id: thing
            for thing in (*moment.objects, *moment.parked)
            if thing.label in self._settings.labels and contains(self._zone.polygon, thing.foot)
        }
        self._told &= {name for name, thing in standing.items() if self._has_stood(thing)}
        events = []
        for name, thing in standing.items():
            if name not in self._told and self._has_stood(thing) and thing.unseen_s == 0.0:
                self._told.add(name)
                events.append(self._event(thing, moment))
        return events

    def forget(self) -> None:
        """Another scene begins."""
        self._told.clear()

    def _has_stood(self, thing: Tracked) -> bool:
        if thing.unseen_s > _SEEN_WITHIN_S and thing.id not in self._told:
            return False
        return thing.still_s >= self._settings.stay_s

    def _event(self, thing: Tracked, moment: Moment) -> BehaviourEvent:
        return BehaviourEvent(
            "blocked_lane",
            thing,
            moment.at,
            (thing.id,),
            1,
            moment.at - timedelta(seconds=thing.still_s),
            f"a {thing.label} has stood in zone {self._zone.id} for {thing.still_s:.0f} s",
            zone=self._zone.id,
        )
