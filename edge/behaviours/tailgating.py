"""Tailgating (尾随): one grant of a door or barrier, and more than one passes. Pure.

In: crossings of a line and the grants of its device. Out: an event for each who followed on the grant of
another. Who crossed without any grant at all is no tailgater (`edge.behaviours.barrier_run`), and while the
device's signal is away nobody is.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent
from edge.behaviours.on_grant import AtDevice, Outcome, Settled
from wire.messages import ObjectLabel


class Tailgating(AtDevice):
    """The settings. A grant is for one of `labels`."""

    TELLS: ClassVar[Outcome] = "followed"

    kind: Literal["tailgating"]
    open_s: Annotated[float, Field(ge=1, le=600)] = 10.0
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset({"person"})

    def event(self, settled: Settled) -> BehaviourEvent:
        """Somebody followed on the grant of another."""
        tracks = (settled.thing.id, *settled.ahead)[:64]
        return BehaviourEvent(
            "tailgating",
            settled.thing,
            settled.at,
            tracks,
            len(tracks),
            settled.at,
            f"a {settled.thing.label} crossed line {self.line} on the grant of another:"
            f" {self.device} was released once, and this is number {len(tracks)}",
            line=self.line,
        )
