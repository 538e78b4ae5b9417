"""The list of allowed plates that this box opens by: its versions.

In: parts of lists, as the hub has signed them; the time, by the hub's clock. Out: the plates that may open
now, and replies for the hub. Pure. Safe for use by several threads.

What each event does (a version is *held* from when all its parts are there until it expires):

    event                                   held version    reply
    a part of a version below the least     stays           refused
    a part that has expired                 stays           refused
    a part of the version that is held      stays           active
    a part, others are still missing        stays           none
    a part, a newer version is on its way   stays           none
    the last part of a newer version        that one        active
    the last part, and the count is wrong   stays           refused
    the held version expires                none            erased
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.access import AllowedPlates
from edge.parts import Parts
from wire.messages import AllowedPlate, AllowList, AllowListReply, HeldAllowList


@dataclass(frozen=True, slots=True)
class _Held:
    """A version that is whole."""

    terms: AllowList
    plates: AllowedPlates


class HeldList:
    """The one list that counts."""

    def __init__(self, oldest_version: int = 1) -> None:
        """`oldest_version` is the least version that is taken; older ones never again."""
        self._lock = threading.Lock()
        self._oldest = oldest_version
        self._held: _Held | None = None
        self._expired = False
        self._parts: Parts[tuple[AllowedPlate, ...]] = Parts()

    @property
    def oldest_version(self) -> int:
        """The least version that is taken."""
        return self._oldest

    @property
    def held(self) -> HeldAllowList:
        """What the box holds; version 0 is nothing."""
        with self._lock:
            if self._held is None:
                return HeldAllowList(version=0)
            terms = self._held.terms
            return HeldAllowList(
                version=terms.version, plates=terms.plates, expires_at=terms.expires_at
            )

    def plates(self, now: datetime) -> tuple[AllowedPlates | None, bool]:
        """The plates that are allowed at `now`; or None, and whether that is because they expired."""
        with self._lock:
            if self._held is None:
                return None, self._expired
            if now >= self._held.terms.expires_at:
                return None, True
            return self._held.plates, False

    def take(self, part: AllowList, now: datetime) -> AllowListReply | None:
        """Take one part; None while others are missing."""
        with self._lock:
            if (reason := self._refusal(part, now)) is not None:
                return AllowListReply(version=part.version, state="refused", reason=reason)
            if self._held is not None and part.version == self._held.terms.version:
                return self._active(self._held.terms)
            pieces = self._parts.add(part, part.entries)
            return None if pieces is None else self._put_in_force(part, pieces)

    def tick(self, now: datetime) -> AllowListReply | None:
        """Erase what has expired by `now`; None where nothing has."""
        with self._lock:
            self._parts.drop_expired(now)
            if self._held is None or now < self._held.terms.expires_at:
                return None
            version = self._held.terms.version
            self._held, self._expired = None, True
            return AllowListReply(version=version, state="erased", reason="it expired")

    def _refusal(self, part: AllowList, now: datetime) -> str | None:
        if part.version < self._oldest:
            return f"version {part.version} is older than {self._oldest}, the least that is taken"
        return "it has expired" if now >= part.expires_at else None

    def _put_in_force(
        self, terms: AllowList, pieces: Sequence[tuple[AllowedPlate, ...]]
    ) -> AllowListReply:
        entries = [entry for piece in pieces for entry in piece]
        if len(entries) != terms.plates:
            reason = f"{len(entries)} plates came, {terms.plates} were announced"
            return AllowListReply(version=terms.version, state="refused", reason=reason)
        self._held = _Held(terms.model_copy(update={"entries": ()}), AllowedPlates(entries))
        self._oldest, self._expired = terms.version, False
        return self._active(terms)

    def _active(self, terms: AllowList) -> AllowListReply:
        return AllowListReply(version=terms.version, state="active", plates=terms.plates)
