"""Running the barrier (闯杆): a vehicle goes over the barrier's line though it was released for nobody. Pure.

In: crossings of a line and the grants of its barrier. Out: an event for each vehicle that crossed without
any grant. It says nothing while the barrier's signal is away. Who follows on another's grant is
`edge.behaviours.tailgating`'s.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.behaviours.base import BehaviourEvent
from edge.behaviours.on_grant import AtDevice, Outcome, Settled
from wire.messages import ObjectLabel


class BarrierRun(AtDevice):
    """The settings."""

    TELLS: ClassVar[Outcome] = "nobody"

    kind: Literal["barrier_run"]
    open_s: Annotated[float, Field(ge=1, le=600)] = 20.0
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)] = frozenset(
        {"car", "bus", "truck"}
    )

    def event(self, settled: Settled) -> BehaviourEvent:
        """A vehicle ran the barrier."""
        thing = settled.thing
        return BehaviourEvent(
            "barrier_run",
            thing,
            settled.at,
            (thing.id,),
            1,
            settled.at,
            f"a {thing.label} crossed line {self.line} though {self.device} was not released"
            f" in the {self.open_s:.0f} s before",
            line=self.line,
        )
