"""Keeps what is watched for in memory, as the store has it: `hub.identify.Watched`.

In: a transaction. Out: the present state, at once after any change, since each change raises a number in the
same database that is looked at here in every batch. Only what the change was about is read anew, so that
adding or erasing one of many costs milliseconds.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from hub.gallery import Gallery
from hub.gallery_sync import refresh
from hub.identify import Watched
from hub.plate_match import PlateIndex
from hub.store import watchlists
from hub.store.registry import StoredRegister
from hub.vault import Vault
from hub.watchlist import Entry, ListKind


class WatchKeeper:
    """What is watched for. Used by the ingest worker alone."""

    def __init__(self, vault: Vault, gallery: Gallery | None) -> None:
        self._vault, self._gallery = vault, gallery
        self._version: int | None = None
        self._until: datetime | None = None
        self._entries: dict[str, list[Entry]] = {}
        self._watched = Watched(gallery, PlateIndex(()), self._entries)

    def current(self, tx: Connection, now: datetime) -> Watched:
        """What is watched for at `now`."""
        version = watchlists.version(tx)
        if version != self._version:
            self._read(tx, watchlists.changes(tx, self._version, version), now)
            self._version = version
        if self._until is not None and now >= self._until:
            self._read(tx, self._lapsed(now), now)
        return self._watched

    def _lapsed(self, now: datetime) -> frozenset[str]:
        return frozenset(
            target
            for target, entries in self._entries.items()
            if any(entry.expires_at <= now for entry in entries)
        )

    def _read(self, tx: Connection, targets: Collection[str] | None, now: datetime) -> None:
        """Read what there is of these targets anew; None for all."""
        before = list(self._entries) if targets is None else targets
        gone = [entry for target in before for entry in self._entries.pop(target, ())]
        active = watchlists.active_entries(tx, now, targets)
        for entry in active:
            self._entries.setdefault(entry.target, []).append(entry)
        ends = (entry.expires_at for entries in self._entries.values() for entry in entries)
        self._until = min(ends, default=None)
        residents = StoredRegister(tx).enrolled_residents()
        if self._gallery is not None:
            moved = self._watched.residents ^ residents
            subjects = None if targets is None else {*targets, *moved}
            refresh(
                tx,
                self._vault,
                self._gallery,
                subjects,
                lambda subject: subject in self._entries or subject in residents,
            )
        plates = self._watched.plates
        if any(entry.kind is ListKind.PLATE for entry in (*gone, *active)):
            plates = PlateIndex(
                target
                for target, entries in self._entries.items()
                if entries[0].kind is ListKind.PLATE
            )
        self._watched = Watched(self._gallery, plates, self._entries, residents)
