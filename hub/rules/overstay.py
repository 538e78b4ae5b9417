"""Raises when a visitor's car is still there after its pass has ended. Pure; a timer asks.

A car is there when the camera that read its plate last is none of the way out.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.places import Spot
from hub.registry_view import VisitorPass
from hub.rules.base import Context, Decision, Facts, Finding, Seconds, TimedRule, Why, finding_id
from hub.rules.zones import span
from hub.windows import Seen
from wire.messages import Identifier


class Overstay(TimedRule):
    """The document. Where it watches is where the car was last read.

    Attributes:
        exit_cameras: cameras that read the plates of those who leave.
        grace_s: how long after the end of its pass a car may stay.
        look_back_s: passes that ended longer ago are left alone.
    """

    BACKTEST_LIMIT: ClassVar[str] = (
        "a timer decides this from passes as the register has them today: the past cannot be asked"
    )

    kind: Literal["overstay"]
    exit_cameras: Annotated[frozenset[Identifier], Field(min_length=1)]
    grace_s: Seconds = 900.0
    look_back_s: Annotated[float, Field(gt=0, le=30 * 86400)] = 7 * 86400.0

    def topics(self) -> frozenset[str]:
        """None: a timer asks."""
        return frozenset()

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - a timer asks
        """No single observation says that a car is still there."""
        return Decision(Why.OTHER)

    def due(self, context: Context) -> Iterator[Finding]:
        """Cars that are still there."""
        until = context.now - timedelta(seconds=self.grace_s)
        for ended in context.registry.passes_ended(
            until - timedelta(seconds=self.look_back_s), until
        ):
            last = context.windows.plate_last_seen(ended.plate, ended.site, context.now)
            if (
                last is not None
                and last.at >= ended.valid_from
                and last.spot.camera not in self.exit_cameras
                and self.holds(Spot(*last.spot[:3]))
                and self.schedule.holds(context.now)
            ):
                yield self._finding(ended, last, context)

    def _finding(self, ended: VisitorPass, last: Seen, context: Context) -> Finding:
        over_s = (context.now - ended.valid_until).total_seconds()
        facts: Facts = {"plate": ended.plate, "unit": ended.unit, "over_s": round(over_s)}
        whose = f", a visitor of {ended.unit}," if ended.unit else ""
        decision = self.condition(
            f"{ended.plate}{whose} is still here {span(over_s)} after its pass ended",
            f"plate:{ended.plate}",
            facts,
            [last.observation_id],
        )
        sighting = Sighting(
            observation_id=finding_id(self.id, ended.plate, ended.id),
            site=last.spot.site,
            gate=last.spot.gate,
            edge=last.edge,
            camera=last.spot.camera,
            first_seen_at=last.at,
            captured_at=context.now,
            last_seen_at=context.now,
            quality=1.0,
            what=None,
        )
        return Finding(sighting, decision)
