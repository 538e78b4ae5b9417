"""Raises when a vehicle stands where the fire brigade must get through. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Why
from hub.rules.zones import NAMES, VEHICLES, Labels, ZoneRule, span, where, zone_key
from wire.messages import BehaviourObservation, ObjectObservation


class BlockedLane(ZoneRule):
    """The document.

    Attributes:
        labels: what can block it.
        min_stay_s: how long it may stand there.
    """

    kind: Literal["blocked_lane"]
    labels: Labels = VEHICLES
    min_stay_s: Annotated[float, Field(gt=0, le=86400)] = 60.0
    dedup_window_s: float = 1800.0

    def topics(self) -> frozenset[str]:
        """What stays in a zone, and lanes that the edge itself says are blocked."""
        return frozenset({"object.dwelt", "behaviour.blocked_lane"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels, "stay_s": self.min_stay_s}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether the lane is blocked."""
        what = seen.what
        if not isinstance(what, ObjectObservation | BehaviourObservation):
            return Decision(Why.OTHER)
        if what.label not in self.labels:
            return Decision(Why.OTHER)
        if isinstance(what, ObjectObservation) and not what.parked:
            return Decision(Why.NOT_PARKED)
        stay_s = what.stay_s or 0.0
        if stay_s < self.min_stay_s:
            return Decision(Why.TOO_SHORT)
        facts: Facts = {"label": what.label, "zone": seen.spot.zone, "stay_s": stay_s}
        sentence = f"{NAMES[what.label]} has blocked {where(seen)} for {span(stay_s)}"
        return self.condition(sentence, zone_key(seen), facts)
