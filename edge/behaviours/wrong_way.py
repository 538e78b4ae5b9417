"""Wrong way (逆行): a vehicle goes over a line in the direction in which nobody may. Pure.

In: crossings of a line, and where their objects go on. Out: an event when one has come clearly past the
line, so that a car that only backs up a little over it is none. A cycle that is pushed counts as one that
is ridden.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from edge.behaviours.base import AtLine, BehaviourEvent, Watch
from edge.geometry import beside
from edge.grants import GrantBook
from edge.moment import Moment, Tracked
from edge.zones import Line, PlaceEvent, Places
from wire.messages import ObjectLabel


class WrongWay(AtLine):
    """The settings.

    `direction` is the forbidden one; `past_heights` how far past the line, in own heights.
    """

    kind: Literal["wrong_way"]
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset(
        {"car", "bus", "truck", "motorcycle", "ebike"}
    )
    past_heights: Annotated[float, Field(ge=0.1, le=5)] = 0.25

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the line."""
        del grants
        return WrongWayWatch(self, next(line for line in places.lines if line.id == self.line))


class WrongWayWatch(Watch):
    """Vehicles over one line. `_crossed` are those that are over it and not yet clearly past."""

    def __init__(self, settings: WrongWay, line: Line) -> None:
        self._settings, self._line = settings, line
        self._crossed: dict[str, datetime] = {}

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        for crossing in crossings:
            if self._settings.concerns(crossing, self._settings.labels):
                self._crossed[crossing.object.id] = moment.at
            elif crossing.place == self._line.id:
                self._crossed.pop(crossing.object.id, None)
        events = []
        for thing in moment.objects:
            if thing.id in self._crossed and self._is_past(thing, moment.aspect):
                events.append(self._event(thing, self._crossed.pop(thing.id), moment.at))
        for track in moment.ended:
            self._crossed.pop(track, None)
        return events

    def forget(self) -> None:
        """Another scene begins."""
        self._crossed.clear()

    def _is_past(self, thing: Tracked, aspect: float) -> bool:
        by = beside(self._line.start, self._line.end, thing.foot, aspect)
        past = by if self._settings.direction == "in" else -by
        return past >= self._settings.past_heights * thing.height * aspect

    def _event(self, thing: Tracked, since: datetime, at: datetime) -> BehaviourEvent:
        return BehaviourEvent(
            "wrong_way",
            thing,
            at,
            (thing.id,),
            1,
            since,
            f"a {thing.label} went over line {self._line.id} the wrong way ({self._settings.direction})",
            line=self._line.id,
        )
