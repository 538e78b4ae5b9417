"""Raises when somebody or something is in a zone where, at that time, nobody belongs. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Seconds, Why
from hub.rules.zones import NAMES, Labels, ZoneRule, at_least, span, where, zone_key
from wire.messages import Identifier, ObjectObservation


class RestrictedZone(ZoneRule):
    """The document.

    Attributes:
        zones: which; at least one.
        labels: whom or what it is about.
        min_stay_s: how long they must have been there; 0 raises as soon as they come in.
    """

    kind: Literal["restricted_zone"]
    zones: Annotated[frozenset[Identifier], Field(min_length=1)]
    labels: Labels = frozenset({"person"})
    min_stay_s: Seconds = 0.0

    def topics(self) -> frozenset[str]:
        """Who comes into a zone, or stays there."""
        return frozenset({"object.entered", "object.dwelt"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels, **at_least("stay_s", self.min_stay_s)}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether somebody is where nobody belongs."""
        what = seen.what
        if not isinstance(what, ObjectObservation) or what.label not in self.labels:
            return Decision(Why.OTHER)
        stay_s = what.stay_s or 0.0
        if stay_s < self.min_stay_s:
            return Decision(Why.TOO_SHORT)
        stayed = f" for {span(stay_s)}" if stay_s else ""
        facts: Facts = {
            "label": what.label,
            "zone": seen.spot.zone,
            "stay_s": stay_s,
            "count": what.count,
        }
        sentence = f"{NAMES[what.label]} is in {where(seen)}{stayed}"
        return self.condition(sentence, zone_key(seen), facts)
