"""Passes of visitors and of tenants' cars, and what becomes of them. Pure.

In: what somebody asks for, a decision of the property office, the time. Out: the next state, or `Refused`
with a named reason. The lifecycle is the table `MOVES`. A pass does nothing until the office has approved it
and nothing after its end, and is erased some days later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.watchlist import Refused


class PassKind(StrEnum):
    """What is registered."""

    VISIT = "visit"
    TENANT_CAR = "tenant_car"


class PassState(StrEnum):
    """Life of a pass. Only `APPROVED` ones count, and only in their time."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    ENDED = "ended"
    EXPIRED = "expired"


MOVES: Final[Mapping[PassState, frozenset[PassState]]] = MappingProxyType(
    {
        PassState.PENDING: frozenset({PassState.APPROVED, PassState.DECLINED, PassState.EXPIRED}),
        PassState.APPROVED: frozenset({PassState.ENDED, PassState.EXPIRED}),
        PassState.DECLINED: frozenset(),
        PassState.ENDED: frozenset(),
        PassState.EXPIRED: frozenset(),
    }
)

LONGEST: Final[Mapping[PassKind, timedelta]] = MappingProxyType(
    {PassKind.VISIT: timedelta(days=7), PassKind.TENANT_CAR: timedelta(days=366)}
)
"""For how long at most a pass may be asked for."""

AHEAD: Final = timedelta(days=30)
"""How long before its beginning a pass may be asked for."""

MOST_PENDING: Final = 10
"""So many requests of one unit may wait at once; more are refused until the office has decided."""


def check_span(kind: PassKind, valid_from: datetime, valid_until: datetime, now: datetime) -> None:
    """Raise Refused when no pass can be asked for, for that time."""
    if valid_until <= max(valid_from, now):
        raise Refused("already_over", "the visit must end after it begins, and in the future")
    if valid_from - now > AHEAD:
        raise Refused("too_early", f"ask at most {AHEAD.days} days before")
    if valid_until - valid_from > LONGEST[kind]:
        raise Refused("too_long", f"a {kind} is for at most {LONGEST[kind].days} days")


def check_waiting(pending: int) -> None:
    """Raise Refused when too many requests of the unit wait already."""
    if pending >= MOST_PENDING:
        raise Refused("too_many_waiting", "the office has yet to decide on others of this unit")


def move(state: PassState, to: PassState) -> PassState:
    """Return the state after the move. Refused when the table has none."""
    if to not in MOVES[state]:
        raise Refused("illegal_move", f"the pass is {state}: it cannot become {to}")
    return to


def lapsed(state: PassState, valid_until: datetime, now: datetime) -> bool:
    """Whether the time of a pass is over and it is not marked so yet."""
    return now >= valid_until and PassState.EXPIRED in MOVES[state]
