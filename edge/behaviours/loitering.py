"""Loitering: one person stays in a zone for long. Pure.

In: moments. Out: an event when a person has been in the zone for `stay_s`; once for one stay, however long it
becomes, also when the person is hidden for some seconds.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent, InZone, Watch
from edge.behaviours.same_person import GAP_S, SamePerson
from edge.behaviours.stays import Stays
from edge.grants import GrantBook
from edge.moment import Moment
from edge.zones import PlaceEvent, Places


class Loitering(InZone):
    """The settings."""

    kind: Literal["loitering"]
    stay_s: Annotated[float, Field(ge=5, le=86400)] = 60.0

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the zone."""
        del grants
        return LoiteringWatch(self, Stays(self.zone_of(places), out_after_s=GAP_S))


class LoiteringWatch(Watch):
    """People of one zone."""

    def __init__(self, settings: Loitering, stays: Stays) -> None:
        self._settings, self._stays, self._people = settings, stays, SamePerson()

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        del crossings
        stays = self._stays.step(self._people.step(moment), moment.at)
        events = []
        for stay in stays.values():
            stay_s = (moment.at - stay.since).total_seconds()
            seen_now = stay.seen_at == moment.at
            if seen_now and not stay.told and stay_s >= self._settings.stay_s:
                stay.told = True
                events.append(
                    BehaviourEvent(
                        "loitering",
                        stay.last,
                        moment.at,
                        (stay.last.id,),
                        1,
                        stay.since,
                        f"a person has been in zone {self._settings.zone} for {stay_s:.0f} s",
                        zone=self._settings.zone,
                    )
                )
        return events

    def forget(self) -> None:
        """Another scene begins."""
        self._stays.forget()
        self._people.forget()
