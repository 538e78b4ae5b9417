"""How long an alert's way took: seen -> raised -> told -> acknowledged -> on scene -> closed. Pure.

In: the moments of each alert. Out: seconds per alert; their median, 90th percentile and longest over many.
What has not happened yet has no time, and is left out of the figures.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

STEPS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "seen_to_raised_s": ("captured_at", "raised_at"),
        "raised_to_told_s": ("raised_at", "told_at"),
        "raised_to_acknowledged_s": ("raised_at", "acknowledged_at"),
        "acknowledged_to_on_scene_s": ("acknowledged_at", "on_scene_at"),
        "raised_to_on_scene_s": ("raised_at", "on_scene_at"),
        "raised_to_closed_s": ("raised_at", "closed_at"),
    }
)
"""Each response time, with the columns of an alert between which it passes."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One response time over many alerts; the figures are None when it is of none of them."""

    count: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None


def response_times(alert: Mapping[Any, Any]) -> dict[str, float | None]:
    """The response times of one alert in seconds, by the names of `STEPS`; None for what is still to come.

    An edge whose clock is ahead gives no negative time.
    """
    return {name: _passed_s(alert[start], alert[end]) for name, (start, end) in STEPS.items()}


def report(alerts: Iterable[Mapping[Any, Any]]) -> dict[str, Spread]:
    """The spread of each response time over some alerts."""
    times = [response_times(alert) for alert in alerts]
    return {
        name: spread([value for one in times if (value := one[name]) is not None]) for name in STEPS
    }


def spread(values: Sequence[float]) -> Spread:
    """The spread of some times in seconds."""
    ordered = sorted(values)
    if not ordered:
        return Spread(0, None, None, None)
    return Spread(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.9), ordered[-1])


def _rank(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _passed_s(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())
