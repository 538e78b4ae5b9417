"""Raises when a person goes from parked car to parked car and tries the doors (拉车门): the 义乌 case.
Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Why
from hub.rules.zones import NAMES, ZoneRule, span, where, zone_key
from wire.messages import BehaviourObservation


class VehicleProwling(ZoneRule):
    """The document.

    Attributes:
        vehicles: how many parked vehicles make it an alert.
        within_s: in how long at most; None for however long.
    """

    kind: Literal["vehicle_prowling"]
    vehicles: Annotated[int, Field(ge=1, le=32)] = 2
    within_s: Annotated[float, Field(gt=0, le=86400)] | None = None

    def topics(self) -> frozenset[str]:
        """Prowling that the edge has seen."""
        return frozenset({"behaviour.vehicle_prowling"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"amount": self.vehicles}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether somebody tries car doors."""
        what = seen.what
        if not isinstance(what, BehaviourObservation):
            return Decision(Why.OTHER)
        if what.count < self.vehicles:
            return Decision(Why.TOO_FEW)
        if self.within_s is not None and what.stay_s > self.within_s:
            return Decision(Why.OTHER)
        facts: Facts = {"vehicles": what.count, "within_s": what.stay_s, "zone": seen.spot.zone}
        sentence = (
            f"{NAMES[what.label]} went to {what.count} parked vehicles within {span(what.stay_s)}"
            f" at {where(seen)}"
        )
        return self.condition(sentence, zone_key(seen), facts)
