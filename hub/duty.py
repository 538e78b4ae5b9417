"""Who is on duty for a grid cell at a level, by the roster. Pure; time is an argument.

In: people, their shifts, a level, a cell, a moment. Out: one person, or nobody, with a named reason. Those
who name the cell come before those who are responsible for all; those on a shift before those who have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from hub.alerts import Level
from hub.register import Person, Shift
from wire.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of all levels and their shifts."""

    people: Sequence[Person]
    shifts: Sequence[Shift]


@dataclass(frozen=True, slots=True)
class Duty:
    """Who it is; `person` is None when nobody is."""

    person: Person | None
    reason: Literal["on_shift", "without_shifts", "nobody_on_shift", "nobody_responsible"]


def on_duty(roster: Roster, level: Level, cell: str, at: datetime) -> Duty:
    """Who has to take an alert of this cell that comes to this level at `at`."""
    responsible = sorted(
        (p for p in roster.people if p.level is level and (not p.cells or cell in p.cells)),
        key=lambda person: (not person.cells, person.id),
    )
    if not responsible:
        return Duty(None, "nobody_responsible")
    for person in responsible:
        if any(holds(shift, at) for shift in roster.shifts if shift.person == person.id):
            return Duty(person, "on_shift")
    rostered = {shift.person for shift in roster.shifts}
    for person in responsible:
        if person.id not in rostered:
            return Duty(person, "without_shifts")
    return Duty(None, "nobody_on_shift")


def holds(shift: Shift, at: datetime) -> bool:
    """Whether a shift is under way. Its hours past midnight belong to the day on which they begin."""
    local = at.astimezone(ZoneInfo(shift.zone))
    minute, day = local.hour * 60 + local.minute, local.date()
    if shift.since > shift.until and minute < shift.until:
        day -= timedelta(days=1)
    elif not (shift.since <= minute and (minute < shift.until or shift.since > shift.until)):
        return False
    if (shift.first_day and day < shift.first_day) or (shift.last_day and day > shift.last_day):
        return False
    return Schedule(zone=shift.zone).counts_as(day) in shift.days
