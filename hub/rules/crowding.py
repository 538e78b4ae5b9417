"""Raises when too many are in one place at once. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Why
from hub.rules.zones import Labels, ZoneRule, where, zone_key
from wire.messages import BehaviourObservation, ObjectObservation


class Crowding(ZoneRule):
    """The document.

    Attributes:
        labels: who is counted.
        at_least: how many are too many.
    """

    kind: Literal["crowding"]
    labels: Labels = frozenset({"person"})
    at_least: Annotated[int, Field(ge=2)] = 10

    def topics(self) -> frozenset[str]:
        """Crowds that the edge has seen, and how many are in a zone."""
        return frozenset({"behaviour.crowding", "object.entered", "object.dwelt"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels, "amount": self.at_least}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether there are too many."""
        what = seen.what
        if not isinstance(what, ObjectObservation | BehaviourObservation):
            return Decision(Why.OTHER)
        if what.label not in self.labels:
            return Decision(Why.OTHER)
        if what.count < self.at_least:
            return Decision(Why.TOO_FEW)
        facts: Facts = {"label": what.label, "zone": seen.spot.zone, "count": what.count}
        return self.condition(f"{what.count} are at {where(seen)} at once", zone_key(seen), facts)
