"""When a rule watches, or a barrier opens: hours of the week, holidays, in a time zone, over midnight. Pure.

In: a `Schedule` from a document or a configuration, a moment in UTC. Out: whether it is then. Hours are of
the clock on the wall: where the clock is put back, the hour that comes twice counts both times; where it is
put forward, the hour that does not come does not count. Hours past midnight belong to the day on which they
begin.
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
"""What a date counts as; ``holiday`` only where the calendar says so."""

_DAYS: Final[tuple[Day, ...]] = get_args(Day)
_MIDNIGHT: Final = 24 * 60


def _minutes(value: Any) -> Any:
    """ "22:30" -> 1350; "24:00" is the end of the day."""
    if isinstance(value, time):  # TOML has times of its own
        return value.hour * 60 + value.minute
    if not isinstance(value, str):
        return value
    hour, colon, minute = value.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isdecimal()):
        raise ValueError(f"{value!r} is no time of day: write HH:MM, such as 22:30")
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _MIDNIGHT:
        raise ValueError(f"{value!r} is no time of day: 00:00 to 24:00")
    return minutes


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"there is no time zone {name!r}: write one as Asia/Shanghai or UTC"
        ) from error
    return name


TimeOfDay = Annotated[
    int,
    BeforeValidator(_minutes),
    Field(ge=0, le=_MIDNIGHT),
    PlainSerializer(_clock, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}),
]
"""Minutes since midnight; HH:MM in a document."""

ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class Hours(BaseModel):
    """Some hours of some days; without `days`, of every day that is no holiday.

    `until` before `since` is past midnight: 22:00 to 06:00 of ``fri`` ends on Saturday morning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: frozenset[Day] = frozenset(_DAYS) - {"holiday"}
    since: TimeOfDay
    until: TimeOfDay

    @model_validator(mode="after")
    def _are_some(self) -> Self:
        if self.since == self.until:
            raise ValueError("since and until are the same: a whole day is 00:00 to 24:00")
        if not self.days:
            raise ValueError("days: name at least one")
        return self

    def hold(self, minute: int, today: Day, yesterday: Day) -> bool:
        """Whether it is then at `minute` of a day that counts as `today`."""
        if self.since < self.until:
            return today in self.days and self.since <= minute < self.until
        return (today in self.days and minute >= self.since) or (
            yesterday in self.days and minute < self.until
        )


class Schedule(BaseModel):
    """Hours in a time zone; without any, always.

    Attributes:
        zone: IANA name.
        hours: when; any of them will do.
        calendar: dates that count as another day: ``holiday``, or, for a day that is worked instead (调休),
            the day of the week that it stands for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: ZoneName = "Asia/Shanghai"
    hours: tuple[Hours, ...] = ()
    calendar: dict[date, Day] = {}

    def holds(self, at: datetime) -> bool:
        """Whether it is then at `at`, an aware time."""
        if not self.hours:
            return True
        local = at.astimezone(ZoneInfo(self.zone))
        today = local.date()
        minute = local.hour * 60 + local.minute
        day, before = self.counts_as(today), self.counts_as(today - timedelta(days=1))
        return any(hours.hold(minute, day, before) for hours in self.hours)

    def counts_as(self, day: date) -> Day:
        """What a date counts as."""
        return self.calendar.get(day) or _DAYS[day.weekday()]
