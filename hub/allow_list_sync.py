"""Keeps the boxes' lists of allowed plates as the register and the passes have them.

In: the store, which counts the changes of both; the time. Out: commands to the boxes, signed by `Downlink`,
and what was sent in the table `allow_lists`. What is sent, and why, is decided in `hub.allow_list`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.allow_list import (
    Allowed,
    AllowListSection,
    Given,
    Why,
    digest_of,
    entries_for,
    list_parts,
    why_send,
)
from hub.downlink import Downlink
from hub.pauses import pause_after
from hub.store import Store, allow_lists
from wire.messages import AllowedPlate

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
_READ_ANEW: Final = timedelta(seconds=60)  # passes begin and end without anybody's doing
_UNSENT: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Site:
    """Who may drive onto a site, as it was read at `at`, when the register had changed so often."""

    changes: int
    at: datetime
    allowed: tuple[Allowed, ...]


@dataclass(frozen=True, slots=True)
class _List:
    """The list of one box with these devices, as it was made of what was read of its site."""

    site: _Site
    devices: tuple[str, ...]
    entries: tuple[AllowedPlate, ...]
    digest: str


@dataclass(slots=True)
class AllowListKeeper:
    """Looks, a round at a time."""

    store: Store
    downlink: Downlink
    section: AllowListSection
    now: Callable[[], datetime]
    _sites: dict[str, _Site] = field(default_factory=dict)
    _lists: dict[str, _List] = field(default_factory=dict)

    def round(self) -> None:
        """Look once at every box, and send what it lacks."""
        now = self.now()
        with self.store.read() as tx:
            boxes = [box for box in allow_lists.boxes(tx) if box.edge in self.downlink.edges]
            changes = allow_lists.changes(tx)
            for site in {box.site for box in boxes}:
                known = self._sites.get(site)
                if known is None or known.changes != changes or now - known.at >= _READ_ANEW:
                    allowed = allow_lists.allowed(tx, site, now, now + self._life)
                    self._sites[site] = _Site(changes, now, allowed)
        for box in boxes:
            made = self._list_of(box)
            if why := why_send(box, made.digest, now, self._life):
                log.info("edge %s: list of %d plates: %s", box.edge, len(made.entries), why)
                self._send(box, why, made.entries, made.digest, now)

    def _list_of(self, box: Given) -> _List:
        """The list of a box; made anew only when its site was read anew."""
        site, known = self._sites[box.site], self._lists.get(box.edge)
        if known is None or known.site is not site or known.devices != box.devices:
            entries = entries_for(box, site.allowed, self.section)
            known = _List(site, box.devices, entries, digest_of(entries))
            self._lists[box.edge] = known
        return known

    @property
    def _life(self) -> timedelta:
        return timedelta(hours=self.section.valid_hours)

    def _send(
        self, box: Given, why: Why, entries: tuple[AllowedPlate, ...], digest: str, now: datetime
    ) -> None:
        """The row first: a version that a box may have seen is never given to another list."""
        version, expires_at = box.next_version, now + self._life
        if why == "unanswered" and box.expires_at is not None:
            version, expires_at = box.version, box.expires_at
        sends = box.sends + 1 if why in ("unanswered", "refused") else 1
        with self.store.write() as tx:
            allow_lists.sent(
                tx,
                box.edge,
                version=version,
                digest=digest,
                plates=len(entries),
                expires_at=expires_at,
                sends=sends,
                due_at=now + pause_after(sends),
                now=now,
            )
        parts = list_parts(version, expires_at, entries)
        if not all(self.downlink.command(box.edge, "allow-list", part) for part in parts):
            with self.store.write() as tx:
                allow_lists.put_off(tx, box.edge, version, now + _UNSENT)
