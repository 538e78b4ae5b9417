"""Raises when an e-bike is taken into a lobby or lift: batteries burn. Pure."""

from typing import Literal

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Seconds, Why
from hub.rules.zones import NAMES, Labels, ZoneRule, at_least, where, zone_key
from wire.messages import BehaviourObservation, ObjectObservation


class EbikeIndoors(ZoneRule):
    """The document. Name the cameras, or the zones, that are indoors.

    Attributes:
        labels: what counts as one.
        min_stay_s: how long it must have been there; 0 raises as soon as it comes in.
    """

    kind: Literal["ebike_indoors"]
    labels: Labels = frozenset({"ebike", "motorcycle"})
    min_stay_s: Seconds = 0.0
    dedup_window_s: float = 300.0

    def topics(self) -> frozenset[str]:
        """What comes into a zone or stays there, and e-bikes that the edge itself says are indoors."""
        return frozenset({"object.entered", "object.dwelt", "behaviour.ebike_indoors"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels, **at_least("stay_s", self.min_stay_s)}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether an e-bike is indoors."""
        what = seen.what
        if not isinstance(what, ObjectObservation | BehaviourObservation):
            return Decision(Why.OTHER)
        if what.label not in self.labels:
            return Decision(Why.OTHER)
        if (what.stay_s or 0.0) < self.min_stay_s:
            return Decision(Why.TOO_SHORT)
        facts: Facts = {"label": what.label, "zone": seen.spot.zone, "stay_s": what.stay_s or 0.0}
        return self.condition(f"{NAMES[what.label]} is at {where(seen)}", zone_key(seen), facts)
