"""Readings of household meters: the message of a gateway -> what the meter stands at, or why it is unusable.

In: payloads as a gateway sent them, with the time they came. Out: `MeterObservation`, at most one in a
meter's `every_s`. Pure. A meter reading says nothing of who was there: it goes to the hub as a number of a
unit, and what does not look like one goes nowhere.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from edge.config_meters import COUNTS, MeterSection
from wire.messages import MeterObservation

_LARGEST: Final = 1e9
_AHEAD: Final = timedelta(minutes=5)
_OLDEST: Final = timedelta(days=60)
_MILLISECONDS: Final = 1e11  # a time in seconds is smaller until the year 5138
_DIGITS: Final = 6


class Unusable(StrEnum):
    """Why a message is no reading."""

    NOT_JSON = "it is no JSON"
    NO_VALUE = "there is nothing at `value`"
    NO_NUMBER = "what is at `value` is no number"
    OUT_OF_RANGE = "no meter stands at that"
    NO_TIME = "what is at `time` is no time with its zone, and no seconds since 1970"
    WRONG_TIME = "its time is in the future, or long past"


def read(meter: MeterSection, payload: bytes, now: datetime) -> MeterObservation | Unusable:
    """What one message says that the meter stands at."""
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        return Unusable.NOT_JSON
    value = _number(_at(content, meter.value))
    if isinstance(value, Unusable):
        return value
    at = now if meter.time is None else _time(_at(content, meter.time))
    if at is None:
        return Unusable.NO_TIME
    if not now - _OLDEST <= at <= now + _AHEAD:
        return Unusable.WRONG_TIME
    amount = round(value * COUNTS[meter.counts][1], _DIGITS)
    return MeterObservation(
        meter=meter.id, unit=meter.unit, medium=meter.medium, value=amount, captured_at=at
    )


def _at(content: Any, path: str) -> Any:
    """What is at ``a.b.0.c``; None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content


def _number(value: Any) -> float | Unusable:
    """A number, also one that the gateway sent as text."""
    if value is None:
        return Unusable.NO_VALUE
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Unusable.NO_NUMBER
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return Unusable.NO_NUMBER
    return number if math.isfinite(number) and 0 <= number <= _LARGEST else Unusable.OUT_OF_RANGE


def _time(value: Any) -> datetime | None:
    """RFC 3339 with its zone, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo is not None else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        seconds = value / 1000 if value >= _MILLISECONDS else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(slots=True)
class MeterBook:
    """What has come of one meter. `counts`: messages that were told, came too soon, or were unusable."""

    meter: MeterSection
    counts: Counter[str] = field(default_factory=Counter, init=False)
    problem: Unusable | None = field(default=None, init=False)
    _told_at: datetime | None = field(default=None, init=False)

    def take(self, payload: bytes, now: datetime) -> MeterObservation | None:
        """Take one message; the observation to tell, if it is time for one."""
        reading = read(self.meter, payload, now)
        if isinstance(reading, Unusable):
            self.counts["unusable"] += 1
            self.problem = reading
            return None
        self.problem = None
        if self._is_too_soon(reading.captured_at):
            self.counts["too_soon"] += 1
            return None
        self.counts["told"] += 1
        self._told_at = reading.captured_at
        return reading

    def _is_too_soon(self, at: datetime) -> bool:
        """Also the same reading again, or one from before the last."""
        pause = timedelta(seconds=self.meter.every_s)
        return self._told_at is not None and at < self._told_at + pause
