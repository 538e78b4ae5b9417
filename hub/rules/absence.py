"""Raises when somebody who lives alone, and asked for it, has not been seen for long. Pure; a timer asks.

Signs of life are the person's face at any camera of the site, and water used in their flat. Where nothing
at all was seen on the site in that time, nobody was looking, and nothing is said.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.places import Place, Spot
from hub.registry_view import LivesAlone
from hub.rules.base import Context, Decision, Finding, TimedRule, Why, finding_id
from hub.rules.zones import span
from wire.codec import format_time


class Absence(TimedRule):
    """The document. `sites` narrows whose residents it is about.

    Attributes:
        hours: how long is too long.
        water_counts: whether water used in the flat, more than `water_m3`, is a sign of life.
    """

    KNOWS_RESIDENTS: ClassVar[bool] = True
    BACKTEST_LIMIT: ClassVar[str] = (
        "a timer decides this from who asks for it today: the past cannot be asked"
    )

    kind: Literal["absence"]
    hours: Annotated[float, Field(ge=1, le=24 * 60)] = 36.0
    water_counts: bool = True
    water_m3: Annotated[float, Field(ge=0)] = 0.02
    dedup_window_s: float = 86400.0

    def topics(self) -> frozenset[str]:
        """None: a timer asks."""
        return frozenset()

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - a timer asks
        """No observation says that somebody was not seen."""
        return Decision(Why.OTHER)

    def due(self, context: Context) -> Iterator[Finding]:
        """Those who have not been seen for too long."""
        limit = context.now - timedelta(hours=self.hours)
        if not self.schedule.holds(context.now):
            return
        for person in context.registry.living_alone():
            if person.since > limit or (self.sites and person.site not in self.sites):
                continue
            place = Place(sites=frozenset({person.site}))
            if self._is_fine(person, limit, context):
                continue
            if context.windows.watched(place, limit, context.now):
                yield self._finding(person, context)

    def _is_fine(self, person: LivesAlone, limit: datetime, context: Context) -> bool:
        last = context.windows.person_last_seen(person.subject_id, person.site, context.now)
        if last is not None and last.at > limit:
            return True
        if not self.water_counts or not person.unit:
            return False
        use = context.windows.meter_use(person.site, person.unit, "water", limit, context.now)
        return use is not None and use.amount > self.water_m3

    def _finding(self, person: LivesAlone, context: Context) -> Finding:
        last = context.windows.person_last_seen(person.subject_id, person.site, context.now)
        since = last.at if last else person.since
        away_s = (context.now - since).total_seconds()
        spot = last.spot if last else Spot(person.site, "", "register")
        where = f"a resident of {person.unit}" if person.unit else "a resident"
        decision = self.condition(
            f"{where} who lives alone has not been seen for {span(away_s)}",
            f"subject:{person.subject_id}",
            {
                "unit": person.unit,
                "hours": round(away_s / 3600, 1),
                "seen_before": last is not None,
            },
            [last.observation_id] if last else [],
        )
        sighting = Sighting(
            observation_id=finding_id(self.id, person.subject_id, format_time(since)),
            site=spot.site,
            gate=spot.gate,
            edge=last.edge if last else "",
            camera=spot.camera,
            first_seen_at=since,
            captured_at=context.now,
            last_seen_at=context.now,
            quality=1.0,
            what=None,
        )
        return Finding(sighting, decision)
