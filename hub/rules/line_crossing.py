"""Raises when somebody or something crosses a line, the way that it should not be crossed. Pure."""

from typing import Literal

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, Why
from hub.rules.zones import NAMES, Labels, ZoneRule, where, zone_key
from wire.messages import BehaviourObservation, Direction, ObjectObservation


class LineCrossing(ZoneRule):
    """The document. `zones` names the lines.

    Attributes:
        labels: whom or what it is about.
        direction: which way; None for both.
        violations: what the edge itself calls wrong at a line, and that raises too.
    """

    kind: Literal["line_crossing"]
    labels: Labels = frozenset({"person"})
    direction: Direction | None = None
    violations: frozenset[Literal["wrong_way", "barrier_run"]] = frozenset()

    def topics(self) -> frozenset[str]:
        """Crossings, and the violations that it asks for."""
        return frozenset({"object.crossed", *(f"behaviour.{name}" for name in self.violations)})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"label": self.labels}

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether a line was crossed as it should not be."""
        match seen.what:
            case BehaviourObservation() as did if did.label in self.labels:
                facts: Facts = {
                    "label": did.label,
                    "line": seen.spot.zone,
                    "behaviour": did.behaviour,
                }
                sentence = f"{NAMES[did.label]} at {where(seen)}: {did.reason}"
                return self.condition(sentence, zone_key(seen), facts)
            case ObjectObservation() as it if it.label in self.labels:
                if self.direction is not None and it.direction != self.direction:
                    return Decision(Why.OTHER_DIRECTION)
                crossing: Facts = {
                    "label": it.label,
                    "line": seen.spot.zone,
                    "direction": it.direction,
                }
                sentence = f"{NAMES[it.label]} crossed {where(seen)}, going {it.direction}"
                return self.condition(sentence, zone_key(seen), crossing)
        return Decision(Why.OTHER)
