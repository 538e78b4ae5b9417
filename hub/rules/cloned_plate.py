"""Raises when one plate is at two gates sooner than a car can drive from one to the other. Pure.

One of the two is a clone (套牌). Both readings must be sure, and it does not matter which came to the hub
first.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.identify import PlateSighting, Sighting
from hub.rules.base import Context, Decision, Facts, Minimum, RuleDocument, Why
from hub.rules.zones import span
from hub.windows import Seen
from wire.messages import Identifier
from wire.plates import normalise

Travel = Annotated[float, Field(gt=0, le=86400)]


class Way(BaseModel):
    """How long a car needs at least between two gates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    between: Annotated[frozenset[Identifier], Field(min_length=2, max_length=2)]
    min_travel_s: Travel


class ClonedPlate(RuleDocument):
    """The document.

    Attributes:
        min_travel_s: how long a car needs at least from one gate to any other.
        ways: pairs of gates for which that is otherwise.
        min_confidence: least confidence of either reading, 0 to 1.
    """

    kind: Literal["cloned_plate"]
    min_travel_s: Travel = 30.0
    ways: tuple[Way, ...] = ()
    min_confidence: Minimum = 0.9
    dedup_window_s: float = 3600.0

    def topics(self) -> frozenset[str]:
        """Every plate."""
        return frozenset({"plate"})

    def longest_s(self) -> float:
        """How far apart in time two sightings can be that no car could have made."""
        return max(self.min_travel_s, *(way.min_travel_s for way in self.ways), 0.0)

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"confidence": self.min_confidence}

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether the same plate was elsewhere too soon."""
        what = seen.what
        if not isinstance(what, PlateSighting):
            return Decision(Why.OTHER)
        if what.reading.confidence < self.min_confidence:
            return Decision(Why.UNCERTAIN_READING)
        plate, at = normalise(what.reading.text), seen.captured_at
        around = timedelta(seconds=self.longest_s())
        others = context.windows.plates_seen(plate, at - around, at + around)
        impossible = [other for other in others if self._is_impossible(seen, other)]
        if not impossible:
            return Decision(Why.FAR_ENOUGH)
        other = min(impossible, key=lambda o: (abs(o.at - at), o.observation_id))
        apart_s = abs((other.at - at).total_seconds())
        here, there = _name(seen.site, seen.gate), _name(other.spot.site, other.spot.gate)
        facts: Facts = {"plate": plate, "here": here, "there": there, "apart_s": apart_s}
        return self.condition(
            f"{plate} was at {here} and at {there} within {span(apart_s)}",
            f"plate:{plate}",
            facts,
            [other.observation_id],
        )

    def _is_impossible(self, seen: Sighting, other: Seen) -> bool:
        here, there = (seen.site, seen.gate), (other.spot.site, other.spot.gate)
        if here == there or not here[1] or not there[1] or other.confidence < self.min_confidence:
            return False
        gates = {seen.gate, other.spot.gate}
        least_s = next(
            (way.min_travel_s for way in self.ways if way.between == gates), self.min_travel_s
        )
        return abs((other.at - seen.captured_at).total_seconds()) < least_s


def _name(site: str, gate: str) -> str:
    return f"{gate} of {site}"
