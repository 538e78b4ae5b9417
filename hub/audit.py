"""The audit log's chain: each record's hash covers the record before it. Pure.

In: who did what to whom, and why. Out: the record to append, or the first position at which a stored chain
is broken. A record names people by id, never by what they look like.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import rfc8785

from wire.codec import format_time

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did. `purpose` is why they looked, in their own words; "" for what is no look-up."""

    actor: str
    action: str
    target: str
    purpose: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """An act in its place in the chain."""

    position: int
    at: datetime
    act: Act
    previous_hash: str
    hash: str


def append(act: Act, at: datetime, last: Record | None) -> Record:
    """Return the record of `act` that follows `last`."""
    position = 1 if last is None else last.position + 1
    previous = GENESIS if last is None else last.hash
    return Record(position, at, act, previous, _hash(position, at, act, previous))


def first_break(records: Iterable[Record]) -> int | None:
    """The position of the first record that does not follow from the one before; None if all do."""
    last: Record | None = None
    for record in records:
        if record != append(record.act, record.at, last):
            return record.position
        last = record
    return None


def _hash(position: int, at: datetime, act: Act, previous: str) -> str:
    canonical = rfc8785.dumps(
        {
            "position": position,
            "at": format_time(at),
            "actor": act.actor,
            "action": act.action,
            "target": act.target,
            "purpose": act.purpose,
            "details": dict(act.details),
            "previous": previous,
        }
    )
    return hashlib.sha256(canonical).hexdigest()
