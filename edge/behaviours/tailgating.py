"""Tailgating (尾随): one grant of a door or barrier, and more than one passes. Pure.

In: crossings of a line and the grants of its device. Out: an event for each who followed on the grant of
another. Who crossed without any grant at all is no tailgater (`edge.behaviours.barrier_run`), and while the
device's signal is away nobody is.
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


class Tailgating(AtLine):
    """The settings. A grant of `device` holds for `open_s`, for one of `labels`."""

    kind: Literal["tailgating"]
    device: Identifier
    open_s: Annotated[float, Field(ge=1, le=600)] = 10.0
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset({"person"})

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the line."""
        del places
        return TailgatingWatch(self, OnGrant(self.device, self.open_s, grants))


class TailgatingWatch(Watch):
    """Those who go over one line."""

    def __init__(self, settings: Tailgating, on_grant: OnGrant) -> None:
        self._settings, self._on_grant = settings, on_grant

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        for crossing in crossings:
            if self._settings.concerns(crossing, self._settings.labels):
                self._on_grant.crossed(crossing.object, moment.at)
        settled = self._on_grant.settle(moment.at)
        return [self._event(one) for one in settled if one.outcome == "followed"]

    def forget(self) -> None:
        """Another scene begins."""
        self._on_grant.forget()

    def _event(self, settled: Settled) -> BehaviourEvent:
        tracks = (settled.thing.id, *settled.ahead)[:64]
        return BehaviourEvent(
            "tailgating",
            settled.thing,
            settled.at,
            tracks,
            len(tracks),
            settled.at,
            f"a {settled.thing.label} crossed line {self._settings.line} on the grant of another:"
            f" {self._settings.device} was released once, and this is number {len(tracks)}",
            line=self._settings.line,
        )
