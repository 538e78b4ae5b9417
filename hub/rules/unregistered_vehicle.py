"""Raises when a vehicle is seen that is not in the register, where and when only registered ones belong.
Pure.

A reading that may be a registered plate after all raises nothing: a guard who is sent to a resident's car for
a dirty plate stops looking.
"""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import PlateSighting, Sighting
from hub.rules.base import Context, Decision, Minimum, RuleDocument, Why
from wire.plates import normalise


class UnregisteredVehicle(RuleDocument):
    """The document.

    Attributes:
        min_confidence: least confidence of the reading, 0 to 1.
        min_reads: least number of crops that were read and fused.
        doubt: a registered plate that is this probable as another reading, 0 to 1, is taken for it.
    """

    kind: Literal["unregistered_vehicle"]
    min_confidence: Minimum = 0.85
    min_reads: Annotated[int, Field(ge=1)] = 1
    doubt: Minimum = 0.02

    def topics(self) -> frozenset[str]:
        """Every plate."""
        return frozenset({"plate"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"confidence": self.min_confidence}

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether the vehicle does not belong there."""
        what = seen.what
        if not isinstance(what, PlateSighting):
            return Decision(Why.OTHER)
        reading = what.reading
        if reading.confidence < self.min_confidence or what.reads < self.min_reads:
            return Decision(Why.UNCERTAIN_READING)
        if not context.registry.knows_vehicles(seen.site):
            return Decision(Why.NO_REGISTER)
        plate = normalise(reading.text)
        if context.registry.is_registered(plate, seen.site, seen.captured_at):
            return Decision(Why.REGISTERED)
        for other in reading.alternatives:
            if other.probability >= self.doubt and context.registry.is_registered(
                normalise(other.text), seen.site, seen.captured_at
            ):
                return Decision(Why.MAY_BE_REGISTERED)
        sentence = f"{plate} is not registered here and has no pass"
        return self.condition(
            sentence, f"plate:{plate}", {"plate": plate, "confidence": reading.confidence}
        )
