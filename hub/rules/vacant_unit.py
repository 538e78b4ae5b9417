"""Raises when a unit said to be empty uses water or power, or an occupied one uses none. Pure.

The 佳木斯 case: meters told of people in flats that were empty on paper. It decides when a reading comes,
on all readings of the span before it, so that nothing has to be remembered between readings.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Facts, RuleDocument, Why
from hub.rules.zones import span
from wire.messages import MeterObservation

_UNITS = {"water": "m³ of water", "electricity": "kWh"}


class VacantUnit(RuleDocument):
    """The document.

    Attributes:
        medium: which meters.
        over_h: over how long use is counted.
        vacant_above: more than this is too much for an empty unit, in m³ or kWh; None not to look.
        occupied_below: less than this, over all of `over_h`, is too little for an occupied one; None not
        to look.
    """

    kind: Literal["vacant_unit"]
    medium: Literal["water", "electricity"]
    over_h: Annotated[float, Field(gt=0, le=24 * 60)] = 72.0
    vacant_above: Annotated[float, Field(ge=0)] | None = 0.5
    occupied_below: Annotated[float, Field(ge=0)] | None = None
    dedup_window_s: float = 7 * 86400.0

    def topics(self) -> frozenset[str]:
        """Meter readings."""
        return frozenset({"meter"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"event": frozenset({self.medium})}

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether the unit is used otherwise than the register says."""
        what = seen.what
        if not isinstance(what, MeterObservation) or what.medium != self.medium:
            return Decision(Why.OTHER)
        occupancy = context.registry.occupancy(seen.site, what.unit)
        if occupancy == "unknown":
            return Decision(Why.NO_REGISTER)
        over = timedelta(hours=self.over_h)
        since = seen.captured_at - over
        use = context.windows.meter_use(seen.site, what.unit, self.medium, since, seen.captured_at)
        if use is None:
            return Decision(Why.TOO_FEW)
        took = use.last_at - use.first_at
        amount = f"{use.amount:.2f} {_UNITS[self.medium]} in {span(took.total_seconds())}"
        if (
            occupancy == "vacant"
            and self.vacant_above is not None
            and use.amount > self.vacant_above
        ):
            sentence = f"{what.unit} is said to be empty and used {amount}"
        elif occupancy == "occupied" and self._is_too_little(use.amount, took / over):
            sentence = f"{what.unit} is occupied and used {amount}"
        else:
            return Decision(Why.USE_AS_SAID)
        facts: Facts = {
            "unit": what.unit,
            "occupancy": occupancy,
            "medium": self.medium,
            "amount": round(use.amount, 3),
            "over_h": round(took.total_seconds() / 3600, 2),
        }
        return self.condition(sentence, f"unit:{seen.site}:{what.unit}", facts)

    def _is_too_little(self, amount: float, covered: float) -> bool:
        """Nothing can be said of a span that the readings cover by less than nine tenths."""
        return self.occupied_below is not None and covered >= 0.9 and amount < self.occupied_below
