"""Raises when somebody stays about for too long. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Why
from hub.rules.zones import NAMES, Labels, ZoneRule, span, where, zone_key
from wire.messages import BehaviourObservation, ObjectObservation


class Loitering(ZoneRule):
    """The document.

    Attributes:
        labels: whom it is about.
        min_stay_s: how long is too long.
    """

    kind: Literal["loitering"]
    labels: Labels = frozenset({"person"})
    min_stay_s: Annotated[float, Field(gt=0, le=86400)] = 120.0

    def topics(self) -> frozenset[str]:
        """Those who stay."""
        return frozenset({"object.dwelt", "behaviour.loitering"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels, "stay_s": self.min_stay_s}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether somebody has stayed too long."""
        what = seen.what
        if not isinstance(what, ObjectObservation | BehaviourObservation):
            return Decision(Why.OTHER)
        if what.label not in self.labels:
            return Decision(Why.OTHER)
        stay_s = what.stay_s or 0.0
        if stay_s < self.min_stay_s:
            return Decision(Why.TOO_SHORT)
        facts: Facts = {"label": what.label, "zone": seen.spot.zone, "stay_s": stay_s}
        sentence = f"{NAMES[what.label]} has been at {where(seen)} for {span(stay_s)}"
        return self.condition(sentence, zone_key(seen), facts)
