"""What a rule would have raised over a stored past. Pure.

In: a rule, stored sightings in the order in which they were seen, what it may ask. Out: a `Report`: how
many alerts, when, where, with samples. It de-duplicates as the pipeline does, but that nobody closes an
alert.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hub.alerts import Standing, dedup_key, place
from hub.identify import Sighting
from hub.places import Spot
from hub.registry_view import Registry
from hub.rules import Context, Why
from hub.rules.base import RuleDocument
from hub.windows import AsOf, Windows

_SAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """An alert that would have been raised, by its first observation."""

    observation_id: str
    at: datetime
    spot: Spot
    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule would have raised. `limit` says what the past cannot tell, "" where it tells all.

    `by_day` are days, `by_hour` hours of the day, both in the rule's time zone; `by_place` is camera by
    camera. `reasons` counts why what was looked at closely did not match.
    """

    considered: int
    matches: int
    alerts: int
    by_day: Mapping[str, int]
    by_hour: Mapping[int, int]
    by_place: Mapping[str, int]
    reasons: Mapping[str, int]
    samples: Sequence[Sample]
    limit: str = ""


@dataclass(slots=True)
class _Tally:
    """Counts as it goes; holds one alert a key, whatever the length of the past."""

    rule: RuleDocument
    standing: dict[str, Standing] = field(default_factory=dict)
    raised: list[Sample] = field(default_factory=list)
    alerts: int = 0
    matches: int = 0
    by_day: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    by_place: Counter[str] = field(default_factory=Counter)

    def add(self, seen: Sighting, key: str, sentence: str) -> None:
        """Count a match, and the alert that it raises if it joins none."""
        self.matches += 1
        named = dedup_key(self.rule.id, key, seen.gate if self.rule.dedup_by_gate else None)
        last = self.standing.get(named)
        known = [last] if last else []
        joins = place(seen.captured_at, self.rule.dedup_window_s, known).joins
        if last is not None and joins is not None:
            latest = max(last.last_seen_at, seen.last_seen_at)
            self.standing[named] = Standing(last.id, last.first_seen_at, latest, None)
            return
        self.standing[named] = Standing(
            seen.observation_id, seen.first_seen_at, seen.last_seen_at, None
        )
        local = seen.captured_at.astimezone(ZoneInfo(self.rule.schedule.zone))
        self.alerts += 1
        self.by_day[local.date().isoformat()] += 1
        self.by_hour[local.hour] += 1
        self.by_place[f"{seen.site}/{seen.camera}"] += 1
        if len(self.raised) < _SAMPLES:
            self.raised.append(Sample(seen.observation_id, seen.captured_at, seen.spot, sentence))


def replay(
    rule: RuleDocument,
    sightings: Iterable[Sighting],
    windows: Windows,
    registry: Registry,
    until: datetime,
) -> Report:
    """Let the rule decide on each sighting as it would have then, and on what lasted by `until`."""
    tally, reasons, considered = _Tally(rule), Counter[str](), 0
    end = until + timedelta(days=1)
    for seen in sightings:
        considered += 1
        # What is lasting is known at the end; all else as it was then.
        context = Context(AsOf(windows, seen.captured_at), registry, end)
        decision = rule.consider(seen, context)
        if decision.why is Why.MATCH:
            tally.add(seen, decision.key, decision.sentence)
        else:
            reasons[decision.why.value] += 1
    return Report(
        considered,
        tally.matches,
        tally.alerts,
        dict(sorted(tally.by_day.items())),
        dict(sorted(tally.by_hour.items())),
        dict(tally.by_place.most_common()),
        dict(reasons),
        tuple(tally.raised),
        rule.BACKTEST_LIMIT,
    )
