"""Silences: a person mutes alerts of a place or a rule for a while, and says why. Pure.

In: the silences, a new alert, the time. Out: the silence that mutes it, if any. A muted alert is stored and
shown with what muted it; nobody is told of it and it does not escalate, until a person takes it up. Missing
persons are never muted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hub.watchlist import Category, Refused

LONGEST: Final = timedelta(days=7)
"""No silence lasts longer; what is always wrong is mended in the rule."""

_NEVER: Final = frozenset({Category.MISSING_PERSON.value})
PLACES: Final = ("site", "gate", "camera", "rule_id")
"""The columns of an alert that a silence can name; "" is any."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What is muted, from when until when."""

    id: str
    site: str
    gate: str
    camera: str
    rule_id: str
    starts_at: datetime
    ends_at: datetime


def check_silence(named: Mapping[str, str], starts_at: datetime, ends_at: datetime) -> None:
    """Raise Refused when there can be no such silence."""
    if not any(named[name] for name in PLACES):
        raise Refused("silences_all", "name a site, a gate, a camera or a rule: nothing mutes all")
    if ends_at <= starts_at:
        raise Refused("already_over", "ends_at must be after now")
    if ends_at - starts_at > LONGEST:
        raise Refused("too_long", f"a silence lasts at most {LONGEST.days} days")


def silenced_by(
    silences: Iterable[Silence], alert: Mapping[str, Any], now: datetime
) -> Silence | None:
    """The silence that mutes this alert at `now`: of several the one that lasts longest."""
    if alert["category"] in _NEVER:
        return None
    holding = [
        silence
        for silence in silences
        if silence.starts_at <= now < silence.ends_at
        and all(getattr(silence, name) in ("", alert[name]) for name in PLACES)
    ]
    return max(holding, key=lambda silence: (silence.ends_at, silence.id), default=None)
