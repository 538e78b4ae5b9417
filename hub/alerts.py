"""Rule match -> alert: which one it joins or whether it raises one, and the lifecycle of an alert. Pure.

The lifecycle (DESIGN section 7) is the table `MOVES`; a move that is not in it raises `IllegalMove` and
changes nothing. De-duplication looks only at stored alerts that it is given, so that it holds right after a
restart, and at the times things were seen, so that it holds in whatever order they arrive.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from wire.errors import GatehouseError

_NAMESPACE: Final = uuid.UUID("5f1c7a52-7b53-5d5f-9d0e-6a1f0e6f4b11")


class State(StrEnum):
    """Where an alert is on its way."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    FALSE_ALARM = "false_alarm"
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"
    CLOSED = "closed"


MOVES: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.OPEN: frozenset({State.ACKNOWLEDGED}),
        State.ACKNOWLEDGED: frozenset({State.VERIFIED, State.FALSE_ALARM}),
        State.VERIFIED: frozenset({State.DISPATCHED, State.CLOSED}),
        State.FALSE_ALARM: frozenset({State.CLOSED}),
        State.DISPATCHED: frozenset({State.ON_SCENE, State.CLOSED}),
        State.ON_SCENE: frozenset({State.CLOSED}),
        State.CLOSED: frozenset(),
    }
)
"""From each state, where it may go."""

MILESTONES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.ACKNOWLEDGED: "acknowledged_at",
        State.DISPATCHED: "dispatched_at",
        State.ON_SCENE: "on_scene_at",
        State.CLOSED: "closed_at",
    }
)
"""The states whose time an alert keeps, and where."""

Certainty = Literal["unverified", "confirmed"]


class Level(StrEnum):
    """Who has to act (DESIGN section 7): the people on the spot, the station, the command centre."""

    GRID = "grid"
    STATION = "station"
    CENTRE = "centre"


class Disposition(StrEnum):
    """A person's verdict on an alert; it tunes the rule that raised it."""

    CONFIRMED = "confirmed"
    FALSE_MATCH = "false_match"
    BENIGN = "benign"


_VERDICTS: Final[Mapping[State, tuple[Disposition, ...]]] = MappingProxyType(
    {
        State.VERIFIED: (Disposition.CONFIRMED,),
        State.FALSE_ALARM: (Disposition.FALSE_MATCH, Disposition.BENIGN),
        State.CLOSED: (Disposition.CONFIRMED, Disposition.FALSE_MATCH, Disposition.BENIGN),
    }
)
"""With which move which verdict may come; the first is meant when none is said, but for a close."""


class IllegalMove(GatehouseError):  # noqa: N818 - named as the design names it
    """The lifecycle has no such move; nothing was changed."""


def move(state: State, to: State) -> State:
    """Return the state after the move. IllegalMove when the table has none."""
    if to not in MOVES[state]:
        can = ", ".join(sorted(MOVES[state])) or "nothing: it is closed"
        raise IllegalMove(f"an alert that is {state} cannot become {to}; it can become {can}")
    return to


def certainty_after(certainty: Certainty, to: State) -> Certainty:
    """An alert is confirmed once a person has verified it, and stays so."""
    return "confirmed" if to is State.VERIFIED else certainty


def disposition_after(
    disposition: Disposition | None, to: State, given: Disposition | None
) -> Disposition | None:
    """Return the verdict on an alert after a move that came with the verdict `given`, or with none.

    A close keeps the verdict that there is, or takes a better-informed one. IllegalMove when the verdict
    contradicts the move.
    """
    possible = _VERDICTS.get(to, ())
    if given is not None:
        if given not in possible:
            fits = ", ".join(possible) or "no disposition"
            raise IllegalMove(f"with {to} comes {fits}, not {given}")
        return given
    return possible[0] if possible and to is not State.CLOSED else disposition


@dataclass(frozen=True, slots=True)
class Standing:
    """What de-duplication needs to know of a stored alert."""

    id: str
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a rule match goes: to the alert `joins`, or, when that is None, to one of its own."""

    joins: str | None
    reason: Literal["first", "within_window", "outside_window", "after_close"]


def place(seen_at: datetime, window_s: float, standing: Iterable[Standing]) -> Placement:
    """Decide where a match seen at `seen_at` goes, among the alerts of the same rule and key.

    It joins the nearest one whose time it is within `window_s` of. One that a person has closed is joined
    only by what was seen before they closed it: a return after that is news.
    """
    window = timedelta(seconds=window_s)
    reason: Literal["first", "outside_window", "after_close"] = "first"
    nearest: tuple[timedelta, str] | None = None
    for alert in standing:
        gap = max(alert.first_seen_at - seen_at, seen_at - alert.last_seen_at, timedelta(0))
        if gap > window:
            reason = "outside_window" if reason == "first" else reason
        elif alert.closed_at is not None and seen_at > alert.closed_at:
            reason = "after_close"
        elif nearest is None or (gap, alert.id) < nearest:
            nearest = (gap, alert.id)
    if nearest is not None:
        return Placement(nearest[1], "within_window")
    return Placement(None, reason)


def dedup_key(rule_id: str, key: str, gate: str | None) -> str:
    """Name the alerts that a match may join: those of the same rule, target and, where given, gate."""
    return "|".join((rule_id, key, gate or ""))


def alert_id(rule_id: str, observation_id: str) -> str:
    """The id of the alert that this observation raises under this rule: the same in every replay."""
    return str(uuid.uuid5(_NAMESPACE, f"alert:{rule_id}:{observation_id}"))


def event_id(alert: str, event_type: str, number: int = 0) -> str:
    """The id of one event of an alert: the same over all sinks, attempts and replays. `number` tells the
    changes of an alert apart."""
    name = f"{event_type}:{number}" if number else event_type
    return str(uuid.uuid5(_NAMESPACE, f"event:{alert}:{name}"))
