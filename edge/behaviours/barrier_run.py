"""Running the barrier (闯杆): a vehicle goes over the barrier's line though it was released for nobody. Pure.

In: crossings of a line and the grants of its barrier. Out: an event for each vehicle that crossed without
any grant. It says nothing while the barrier's signal is away. Who follows on another's grant is
`edge.behaviours.tailgating`'s.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from edge.behaviours.base import AtLine, BehaviourEvent, Watch
from edge.behaviours.on_grant import OnGrant, Settled
from edge.grants import GrantBook
from edge.moment import Moment
from edge.zones import PlaceEvent, Places
from wire.messages import Identifier, ObjectLabel


class BarrierRun(AtLine):
    """The settings. A grant of `device` holds for `open_s`."""

    kind: Literal["barrier_run"]
    device: Identifier
    open_s: Annotated[float, Field(ge=1, le=600)] = 20.0
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset(
        {"car", "bus", "truck"}
    )

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the line."""
        del places
        return BarrierRunWatch(self, OnGrant(self.device, self.open_s, grants))


class BarrierRunWatch(Watch):
    """Vehicles over one line."""

    def __init__(self, settings: BarrierRun, on_grant: OnGrant) -> None:
        self._settings, self._on_grant = settings, on_grant

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        for crossing in crossings:
            if self._settings.concerns(crossing, self._settings.labels):
                self._on_grant.crossed(crossing.object, moment.at)
        settled = self._on_grant.settle(moment.at)
        return [self._event(one) for one in settled if one.outcome == "nobody"]

    def forget(self) -> None:
        """Another scene begins."""
        self._on_grant.forget()

    def _event(self, settled: Settled) -> BehaviourEvent:
        settings, thing = self._settings, settled.thing
        return BehaviourEvent(
            "barrier_run",
            thing,
            settled.at,
            (thing.id,),
            1,
            settled.at,
            f"a {thing.label} crossed line {settings.line} though {settings.device} was not released"
            f" in the {settings.open_s:.0f} s before",
            line=settings.line,
        )
