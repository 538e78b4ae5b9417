from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from wire.schedule import Hours, Schedule

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NIGHT = {"since": "22:00", "until": "06:00"}


def shanghai(day: int, clock: str) -> datetime:
    """November 2026: the 2nd is a Monday."""
    return datetime.fromisoformat(f"2026-11-{day:02d}T{clock}").replace(tzinfo=SHANGHAI)


def test_without_hours_it_is_always() -> None:
    assert Schedule().holds(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hours", "day", "clock", "holds"),
    [
        ({"since": "08:00", "until": "18:00"}, 2, "08:00:00", True),
        ({"since": "08:00", "until": "18:00"}, 2, "17:59:59", True),
        ({"since": "08:00", "until": "18:00"}, 2, "18:00:00", False),
        ({"since": "00:00", "until": "24:00"}, 2, "23:59:59", True),
        ({"days": ["fri"], **NIGHT}, 6, "22:00:00", True),
        ({"days": ["fri"], **NIGHT}, 7, "05:59:59", True),  # Saturday morning is Friday's night
        ({"days": ["fri"], **NIGHT}, 7, "06:00:00", False),
        ({"days": ["fri"], **NIGHT}, 6, "05:00:00", False),  # Friday morning is Thursday's
        ({"days": ["fri"], **NIGHT}, 7, "22:30:00", False),
        ({"days": ["sun"], **NIGHT}, 9, "01:00:00", True),  # over the end of the week
    ],
)
def test_hours(hours: dict, day: int, clock: str, holds: bool) -> None:
    assert Schedule(hours=[hours]).holds(shanghai(day, clock)) is holds


def test_the_zone_counts_and_not_that_of_the_time_given() -> None:
    morning = Schedule(zone="Asia/Shanghai", hours=[{"since": "06:00", "until": "12:00"}])
    assert morning.holds(datetime(2026, 11, 2, 22, 30, tzinfo=UTC))  # 06:30 there
    assert not morning.holds(datetime(2026, 11, 2, 6, 30, tzinfo=UTC))
    elsewhere = Schedule(zone="America/St_Johns", hours=[{"since": "02:30", "until": "03:00"}])
    assert elsewhere.holds(datetime(2026, 11, 2, 6, 0, tzinfo=UTC))  # 3 h 30 min behind


def test_holidays_and_days_worked_instead() -> None:
    schedule = Schedule(
        hours=[
            {"days": ["mon", "tue", "wed", "thu", "fri"], "since": "08:00", "until": "18:00"},
            {"days": ["holiday"], "since": "10:00", "until": "12:00"},
            {"days": ["holiday"], **NIGHT},
        ],
        calendar={"2026-11-03": "holiday", "2026-11-08": "tue"},
    )
    assert not schedule.holds(shanghai(3, "09:00"))  # a Tuesday, but a holiday
    assert schedule.holds(shanghai(3, "11:00"))
    assert schedule.holds(shanghai(4, "05:00"))  # the night that began on the holiday
    assert schedule.holds(shanghai(8, "09:00"))  # a Sunday, worked instead
    assert schedule.counts_as(date(2026, 11, 8)) == "tue"
    every_day = Schedule(hours=[NIGHT], calendar={"2026-11-03": "holiday"})
    assert not every_day.holds(shanghai(3, "23:00"))  # without `days`, holidays are left out


def test_where_the_clock_is_put_forward_and_back() -> None:
    """Berlin: 2026-03-29 has no 02:30; 2026-10-25 has it twice."""
    night = Schedule(zone="Europe/Berlin", hours=[{"since": "02:00", "until": "03:00"}])
    spring = [datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]
    assert [night.holds(at) for at in spring] == [False, False]  # 01:59, then 03:00
    autumn = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [at.astimezone(BERLIN).hour for at in autumn] == [2, 2]
    assert [night.holds(at) for at in autumn] == [True, True]
    over = Schedule(zone="Europe/Berlin", hours=[NIGHT])
    for at in (*spring, *autumn):
        assert over.holds(at)
    assert over.holds(datetime(2026, 10, 25, 4, 59, tzinfo=UTC))  # 05:59 in winter
    assert not over.holds(datetime(2026, 10, 25, 5, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"zone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ({"zone": "../etc/passwd"}, "there is no time zone"),
        ({"hours": [{"since": "9:00", "until": "10:00"}]}, "write HH:MM"),
        ({"hours": [{"since": "09:60", "until": "10:00"}]}, "no time of day"),
        ({"hours": [{"since": "24:01", "until": "10:00"}]}, "no time of day"),
        ({"hours": [{"since": "09:00", "until": "09:00"}]}, "00:00 to 24:00"),
        ({"hours": [{"days": ["monday"], **NIGHT}]}, "'mon', 'tue'"),
        ({"hours": [{"days": [], **NIGHT}]}, "name at least one"),
        ({"calendar": {"2026-02-30": "holiday"}}, "calendar"),
        ({"holidays": []}, "Extra inputs"),
    ],
)
def test_a_wrong_one_is_told_why(document: dict, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Schedule.model_validate(document)
    assert message in str(refused.value)


def test_it_is_written_as_it_was_read() -> None:
    hours = {"days": ["fri"], **NIGHT}
    written = Schedule(hours=[hours]).model_dump(mode="json")["hours"][0]
    assert {**written, "days": list(written["days"])} == hours
    assert Hours.model_validate(written) == Hours.model_validate(hours)
