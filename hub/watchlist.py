"""Who and what is watched for, and the governance of it (DESIGN section 8.6). Pure.

In: an entry and what a person wants done with it. Out: the new state, or `Refused` with a named reason.
An entry does nothing until somebody other than its requester has approved it, and nothing after its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Category(StrEnum):
    """Why an entry may be on a list: a closed list."""

    WANTED_PERSON = "wanted_person"
    MISSING_PERSON = "missing_person"
    PROTECTION_ORDER = "protection_order"
    BANNED_PERSON = "banned_person"
    STOLEN_VEHICLE = "stolen_vehicle"
    WANTED_VEHICLE = "wanted_vehicle"
    BANNED_VEHICLE = "banned_vehicle"


class ListKind(StrEnum):
    """What an entry names."""

    FACE = "face"
    PLATE = "plate"


CATEGORIES: Final[Mapping[ListKind, frozenset[Category]]] = MappingProxyType(
    {
        ListKind.FACE: frozenset(
            {
                Category.WANTED_PERSON,
                Category.MISSING_PERSON,
                Category.PROTECTION_ORDER,
                Category.BANNED_PERSON,
            }
        ),
        ListKind.PLATE: frozenset(
            {
                Category.STOLEN_VEHICLE,
                Category.WANTED_VEHICLE,
                Category.BANNED_VEHICLE,
                Category.MISSING_PERSON,
                Category.PROTECTION_ORDER,
            }
        ),
    }
)
"""The categories that each kind of list may use."""

LONGEST: Final = timedelta(days=366)
"""No entry lives longer; it can be requested anew."""


class EntryState(StrEnum):
    """Life of an entry. Only `APPROVED` ones match, and only until they expire."""

    PENDING = "pending"
    APPROVED = "approved"
    REMOVED = "removed"
    EXPIRED = "expired"


MOVES: Final[Mapping[EntryState, frozenset[EntryState]]] = MappingProxyType(
    {
        EntryState.PENDING: frozenset(
            {EntryState.APPROVED, EntryState.REMOVED, EntryState.EXPIRED}
        ),
        EntryState.APPROVED: frozenset({EntryState.REMOVED, EntryState.EXPIRED}),
        EntryState.REMOVED: frozenset(),
        EntryState.EXPIRED: frozenset(),
    }
)


class Refused(Exception):  # noqa: N818 - named for what the caller gets
    """What was asked for is not allowed. `reason` is a stable identifier, the message is for a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a watchlist.

    `target` is the normalised plate, or the id of the subject; `label` is what a guard is shown.
    `basis` is the lawful reason, `reference` the document behind it.
    """

    id: str
    kind: ListKind
    target: str
    label: str
    category: Category
    basis: str
    reference: str
    state: EntryState
    requester: str
    requested_at: datetime
    expires_at: datetime
    approver: str | None = None
    approved_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether it may match at `now`."""
        return self.state is EntryState.APPROVED and now < self.expires_at


def check_request(kind: ListKind, category: Category, expires_at: datetime, now: datetime) -> None:
    """Raise Refused when such an entry cannot be requested."""
    if category not in CATEGORIES[kind]:
        allowed = ", ".join(sorted(CATEGORIES[kind]))
        raise Refused("wrong_category", f"a {kind} cannot be {category}; it can be {allowed}")
    if expires_at <= now:
        raise Refused("already_expired", "expires_at must be in the future")
    if expires_at - now > LONGEST:
        raise Refused(
            "too_long", f"an entry lives at most {LONGEST.days} days; request it anew then"
        )


def check_approval(entry: Entry, approver: str, now: datetime) -> None:
    """Raise Refused when `approver` cannot approve the entry at `now`."""
    check_move(entry, EntryState.APPROVED)
    if approver == entry.requester:
        raise Refused(
            "same_person", f"{approver} requested this entry: somebody else must approve it"
        )
    if now >= entry.expires_at:
        raise Refused("already_expired", "the entry has expired: request it anew")


def check_move(entry: Entry, to: EntryState) -> None:
    """Raise Refused when an entry in its state cannot become `to`."""
    if to not in MOVES[entry.state]:
        raise Refused("illegal_move", f"the entry is {entry.state}: it cannot become {to}")
