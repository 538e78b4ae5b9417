from datetime import UTC, date, datetime

import pytest

from hub.alerts import Level
from hub.duty import Roster, holds, on_duty
from hub.register import Person, Shift


def person(name: str, level: str = "grid", *cells: str) -> Person:
    return Person(id=name, name=name, role="网格员", level=level, cells=cells)


def shift(who: str, days: str, since: str, until: str, **more) -> Shift:
    return Shift(id=f"of-{who}", person=who, days=days.split(), since=since,
                 until=until, **more)  # fmt: skip


def local(text: str) -> datetime:
    """A time in Shanghai, 8 h ahead."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


NIGHT = shift("li", "fri", "22:00", "06:00")  # 2026-11-06 is a Friday


@pytest.mark.parametrize(
    ("moment", "is_on"),
    [
        ("2026-11-06T21:59", False),
        ("2026-11-06T22:00", True),
        ("2026-11-07T05:59", True),  # Saturday, but it began on Friday
        ("2026-11-07T06:00", False),
        ("2026-11-07T22:30", False),
        ("2026-11-06T03:00", False),  # that is Thursday's night
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, is_on: bool) -> None:
    assert holds(NIGHT, local(moment)) is is_on


def test_a_shift_has_a_first_and_a_last_day() -> None:
    days = "mon tue wed thu fri sat sun"
    some = shift(
        "li", days, "22:00", "06:00", first_day=date(2026, 11, 5), last_day=date(2026, 11, 5)
    )
    assert not holds(some, local("2026-11-05T03:00"))
    assert holds(some, local("2026-11-05T23:00"))
    assert holds(some, local("2026-11-06T03:00"))
    assert not holds(some, local("2026-11-06T23:00"))


def test_whoever_names_the_cell_comes_first() -> None:
    always = "mon tue wed thu fri sat sun"
    people = [
        person("all"),
        person("wang", "grid", "c2"),
        person("zhao", "grid", "c1"),
        person("s", "station"),
    ]
    shifts = [shift(one.id, always, "00:00", "24:00") for one in people]
    roster = Roster(people, shifts)
    now = local("2026-11-06T12:00")
    assert on_duty(roster, Level.GRID, "c1", now).person == people[2]
    assert on_duty(roster, Level.GRID, "c9", now).person == people[0]
    assert on_duty(roster, Level.STATION, "c1", now).person == people[3]
    assert on_duty(roster, Level.CENTRE, "c1", now).reason == "nobody_responsible"


def test_who_is_on_a_shift_comes_before_who_has_none() -> None:
    roster = Roster([person("free"), person("li")], [NIGHT])
    assert on_duty(roster, Level.GRID, "", local("2026-11-06T23:00")).person == person("li")
    by_day = on_duty(roster, Level.GRID, "", local("2026-11-06T12:00"))
    assert (by_day.person, by_day.reason) == (person("free"), "without_shifts")
    alone = on_duty(Roster([person("li")], [NIGHT]), Level.GRID, "", local("2026-11-06T12:00"))
    assert (alone.person, alone.reason) == (None, "nobody_on_shift")
    assert on_duty(Roster([], []), Level.GRID, "", local("2026-11-06T12:00")).person is None
