"""When an alert that nobody takes up, or closes, goes to the next level. Pure; time is an argument.

In: the policy of its colour, where the alert is on its way and at which level. Out: when its timer is next
due, and, once that is so, to which level it goes, with a named reason. The levels are those of the joint
defence: the people of the grid cell, the station, the command centre; from the last one nothing goes further.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from hub.alerts import Level, State
from hub.section import Section
from wire.messages import Identifier

CLOCK: Final = "clock"
"""Who did it, where a timer did."""

NEXT: Final[Mapping[Level, Level]] = MappingProxyType(
    {Level.GRID: Level.STATION, Level.STATION: Level.CENTRE}
)
"""From each level, where an alert goes; from the last, nowhere."""

Seconds = Annotated[float, Field(ge=1, le=30 * 86400)]


class ColourPolicy(Section):
    """How patient a colour is: at each level it waits this long to be acknowledged, then to be closed."""

    first_level: Level = Level.GRID
    acknowledge_within_s: Seconds
    close_within_s: Seconds


class EscalationSection(Section):
    """The policy of each colour, and those that rules name instead."""

    blue: ColourPolicy = ColourPolicy(acknowledge_within_s=900, close_within_s=86400)
    yellow: ColourPolicy = ColourPolicy(acknowledge_within_s=300, close_within_s=14400)
    red: ColourPolicy = ColourPolicy(acknowledge_within_s=120, close_within_s=3600)

    policies: Mapping[Identifier, ColourPolicy] = {}

    def of(self, severity: str, name: str = "") -> ColourPolicy:
        """The policy that a rule names; where there is none of that name, which `problem` tells of, that of
        the colour: an alert must go to somebody."""
        colours = {"blue": self.blue, "yellow": self.yellow, "red": self.red}
        return self.policies.get(name) or colours[severity]

    def problem(self, name: str | None) -> str:
        """What is wrong with the policy that a rule names, by its field; "" for nothing."""
        if name is None or name in self.policies:
            return ""
        there_are = ", ".join(sorted(self.policies)) or "none"
        return (
            f"escalation: there is no policy {name!r} in [escalation.policies] of the hub's file;"
            f" there are: {there_are}"
        )


@dataclass(frozen=True, slots=True)
class Escalation:
    """An alert goes to `level`; the timer there is due at `due_at`, None at the last one."""

    level: Level
    due_at: datetime | None
    reason: Literal["not_acknowledged", "not_closed"]
    sentence: str


def due_after(policy: ColourPolicy, state: State, level: Level, now: datetime) -> datetime | None:
    """When the timer of an alert is due that has just come to this state and level; None for never."""
    if state is State.CLOSED or level not in NEXT:
        return None
    patience_s = policy.acknowledge_within_s if state is State.OPEN else policy.close_within_s
    return now + timedelta(seconds=patience_s)


def due_after_move(
    policy: ColourPolicy, to: State, level: Level, due_at: datetime | None, now: datetime
) -> datetime | None:
    """When the timer is due after a person's move: taking the alert up starts the time to close it, the
    steps behind that leave it, and a close ends it."""
    if to in (State.ACKNOWLEDGED, State.CLOSED):
        return due_after(policy, to, level, now)
    return due_at


def escalate(
    policy: ColourPolicy, state: State, level: Level, due_at: datetime | None, now: datetime
) -> Escalation | None:
    """Where an alert goes at `now`; None when its timer is not due, or means nothing any more."""
    if due_at is None or now < due_at or state is State.CLOSED or level not in NEXT:
        return None
    to = NEXT[level]
    due_next = due_after(policy, state, to, now)
    if state is State.OPEN:
        late = (
            f"nobody at the level {level} acknowledged it within {policy.acknowledge_within_s:g} s"
        )
        return Escalation(to, due_next, "not_acknowledged", late)
    late = f"it was not closed at the level {level} within {policy.close_within_s:g} s"
    return Escalation(to, due_next, "not_closed", late)
