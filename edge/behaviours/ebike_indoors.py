"""E-bike indoors (电动车进楼): a motorcycle or e-bike in a lobby or a lift. Pure.

In: moments. Out: an event when one has been in the zone for `hold_s`; again when another comes after the
zone has been free of them for `over_after_s`. Networks of the COCO classes call an e-bike a motorcycle,
some a bicycle.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent, InZone, Watch
from edge.behaviours.stays import Stays
from edge.grants import GrantBook
from edge.moment import Moment
from edge.zones import PlaceEvent, Places
from wire.messages import ObjectLabel


class EbikeIndoors(InZone):
    """The settings."""

    kind: Literal["ebike_indoors"]
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset(
        {"ebike", "motorcycle"}
    )
    hold_s: Annotated[float, Field(ge=0.4, le=60)] = 1.0
    over_after_s: Annotated[float, Field(ge=5, le=3600)] = 60.0

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the zone."""
        del grants
        return EbikeIndoorsWatch(self, Stays(self.zone_of(places), self.over_after_s))


class EbikeIndoorsWatch(Watch):
    """Cycles in one zone."""

    def __init__(self, settings: EbikeIndoors, stays: Stays) -> None:
        self._settings, self._stays = settings, stays

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        del crossings
        labels = self._settings.labels
        cycles = [(thing.id, thing) for thing in moment.objects if thing.label in labels]
        stays = self._stays.step(cycles, moment.at)
        if any(stay.told for stay in stays.values()):
            return []
        for stay in stays.values():
            held_s = (moment.at - stay.since).total_seconds()
            if stay.seen_at == moment.at and held_s >= self._settings.hold_s:
                stay.told = True
                return [
                    BehaviourEvent(
                        "ebike_indoors",
                        stay.last,
                        moment.at,
                        (stay.last.id,),
                        1,
                        stay.since,
                        f"a {stay.last.label} is in zone {self._settings.zone}",
                        zone=self._settings.zone,
                    )
                ]
        return []

    def forget(self) -> None:
        """Another scene begins."""
        self._stays.forget()
