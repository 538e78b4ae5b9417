"""What a box that matches faces itself is given, and when (``face_matching = "edge"``). Pure.

In: the rules, the active entries and the residents; what the box said of itself, what it was sent; the time.
Out: the subjects whose templates it needs, and the next step with a named reason. It gets nobody whom no rule
watches for at one of its own cameras.

What is done, the first line that holds:

    the box has other networks than the gallery    erase what it holds, send nothing
    somebody must be forgotten                     erase all, then send the others anew
    what it should have has changed                send a new version
    no answer, or refused                          send again, after a pause that grows
    it no longer holds what it was sent            send a new version
    half of the time is over                       send a new version
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.places import Place, Spot
from hub.rules.base import RuleDocument
from hub.sent_versions import Again, SentVersion
from hub.watchlist import Category, Entry, ListKind
from models.faces.calibration import Acceptance

_LISTED: Final = "face.listed"

Why = Literal["other_pack", "forget", "changed"] | Again


@dataclass(frozen=True, slots=True)
class SliceSource:
    """What all slices are made with: the gallery's networks, and what a search among so many must reach."""

    pack: str
    pack_sha256: str
    dimension: int
    accept: Callable[[int], Acceptance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(SentVersion):
    """A box that matches faces itself, as it said, and the slice that it was sent last."""

    cameras: tuple[str, ...]
    sealing_key: str
    pack_sha256: str


@dataclass(frozen=True, slots=True)
class Needed:
    """Whom the rules watch for in some places: entries of these categories, enrolled residents."""

    categories: frozenset[Category]
    residents: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about a box now: erase what it holds, send it a slice, or first one and then the other."""

    why: Why
    erase: bool
    send: bool


def needed_at(spots: Sequence[Spot], rules: Iterable[RuleDocument]) -> Needed:
    """Whom the enabled rules watch for at one of `spots` at least, at whatever hour."""
    categories: set[Category] = set()
    residents = False
    for rule in rules:
        place = Place(sites=rule.sites, gates=rule.gates, cameras=rule.cameras)
        if rule.enabled and any(place.holds(spot) for spot in spots):
            residents = residents or rule.KNOWS_RESIDENTS
            categories |= _categories(rule.topics())
    return Needed(frozenset(categories), residents)


def _categories(topics: Collection[str]) -> frozenset[Category]:
    if _LISTED in topics:
        return frozenset(Category)
    return frozenset(c for c in Category if f"{_LISTED}.{c}" in topics)


def subjects_for(
    needed: Needed, entries: Iterable[Entry], residents: Collection[str], now: datetime
) -> frozenset[str]:
    """The subjects that a box needs. `residents` are those of its site who are enrolled."""
    listed = {
        entry.target
        for entry in entries
        if entry.kind is ListKind.FACE
        and entry.category in needed.categories
        and entry.is_active(now)
    }
    return frozenset({*listed, *(residents if needed.residents else ())})


def digest_of(box: Box, owners: Mapping[str, str], pack_sha256: str, reach: Acceptance) -> str:
    """What tells two slices of a box apart. `owners` says whose each template is, by their ids."""
    said = [box.sealing_key, pack_sha256, f"{reach.threshold:.6f} {reach.margin:.6f}"]
    said += sorted(f"{template} {subject}" for template, subject in owners.items())
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def next_step(
    box: Box, pack_sha256: str | None, digest: str, *, forgets: bool, now: datetime, life: timedelta
) -> Step | None:
    """What to do about the box now; None to wait.

    Args:
        pack_sha256: the networks of the gallery; None where the hub has none.
        digest: of what the box should have.
        forgets: whether it may hold somebody whom it should not have any more.
        life: for how long a slice is valid.
    """
    if box.pack_sha256 != pack_sha256:
        again = box.held_version > 0 and now >= box.due_at
        return Step("other_pack", erase=True, send=False) if again else None
    if box.version == 0 or digest != box.digest:
        holds = max(box.version, box.held_version) > 0
        if forgets and holds:
            return Step("forget", erase=True, send=True)
        return Step("changed", erase=False, send=True)
    why = box.why_again(now, life)
    return None if why is None else Step(why, erase=False, send=True)
