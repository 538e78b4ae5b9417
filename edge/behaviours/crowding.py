"""Crowding: too many people in a zone at once, for a while. Pure.

In: moments. Out: an event when `people` or more have been in the zone for `hold_s`; again only after the
zone has been below that number for `over_after_s`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent, InZone, Watch
from edge.behaviours.stays import Stay, Stays
from edge.grants import GrantBook
from edge.moment import Moment
from edge.zones import PlaceEvent, Places

_GAP_S: Final = 2.0  # one of a crowd hides another for a moment
_MOST_TRACKS: Final = 64


class Crowding(InZone):
    """The settings."""

    kind: Literal["crowding"]
    people: Annotated[int, Field(ge=2, le=1000)]
    hold_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    over_after_s: Annotated[float, Field(ge=1, le=3600)] = 30.0

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the zone."""
        del grants
        return CrowdingWatch(self, Stays(self.zone_of(places)))


class CrowdingWatch(Watch):
    """How many are in one zone."""

    def __init__(self, settings: Crowding, stays: Stays) -> None:
        self._settings, self._stays = settings, stays
        self._since: datetime | None = None
        self._full_at: datetime | None = None
        self._told = False

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        del crossings
        people = [(thing.id, thing) for thing in moment.objects if thing.label == "person"]
        stays = self._stays.step(people, moment.at)
        self._follow(moment.at, is_full=len(stays) >= self._settings.people)
        if self._told or self._since is None or self._full_at != moment.at:
            return []
        if (moment.at - self._since).total_seconds() < self._settings.hold_s:
            return []
        self._told = True
        return [self._event(stays, self._since, moment.at)]

    def forget(self) -> None:
        """Another scene begins."""
        self._stays.forget()
        self._since = self._full_at = None
        self._told = False

    def _follow(self, at: datetime, *, is_full: bool) -> None:
        if is_full:
            self._since, self._full_at = self._since or at, at
        elif self._full_at is not None:
            below_s = (at - self._full_at).total_seconds()
            if below_s > _GAP_S:
                self._since = None
            if below_s > self._settings.over_after_s:
                self._told, self._full_at = False, None

    def _event(self, stays: Mapping[str, Stay], since: datetime, at: datetime) -> BehaviourEvent:
        count, held_s = len(stays), (at - since).total_seconds()
        seen = [stay for stay in stays.values() if stay.seen_at == at] or list(stays.values())
        return BehaviourEvent(
            "crowding",
            seen[0].last,
            at,
            tuple(stays)[:_MOST_TRACKS],
            count,
            since,
            f"{count} people have been in zone {self._settings.zone} together for {held_s:.0f} s",
            zone=self._settings.zone,
        )
