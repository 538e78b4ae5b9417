"""Keeps what is watched for in memory, as the store has it: `hub.identify.Watched`.

In: a transaction. Out: the present state, at once after any change, since each change raises a number in the
same database that is looked at here in every batch. Templates are decrypted here, into memory only.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection

from hub.gallery import Gallery
from hub.identify import Watched
from hub.plate_match import PlateIndex
from hub.registry_view import Registry
from hub.store import watchlists
from hub.store.registry import StoredRegister
from hub.vault import Vault
from hub.watchlist import Entry, ListKind

_AT_ONCE = 500


class WatchKeeper:
    """What is watched for. Used by the ingest worker alone."""

    def __init__(
        self,
        vault: Vault,
        gallery: Gallery | None,
        registry: Callable[[Connection], Registry] = StoredRegister,
    ) -> None:
        self._vault, self._gallery, self._registry = vault, gallery, registry
        self._version = 0
        self._until: datetime | None = None
        self._watched = Watched(gallery, PlateIndex(()))

    def current(self, tx: Connection, now: datetime) -> Watched:
        """What is watched for at `now`."""
        version = watchlists.version(tx)
        if version != self._version or (self._until is not None and now >= self._until):
            self._load(tx, now)
            self._version = version
        return self._watched

    def _load(self, tx: Connection, now: datetime) -> None:
        entries: dict[str, list[Entry]] = {}
        active = watchlists.active_entries(tx, now)
        for entry in active:
            entries.setdefault(entry.target, []).append(entry)
        self._until = min((entry.expires_at for entry in active), default=None)
        plates = PlateIndex(entry.target for entry in active if entry.kind is ListKind.PLATE)
        residents = self._registry(tx).enrolled_residents()
        self._load_gallery(tx, residents | entries.keys())
        self._watched = Watched(self._gallery, plates, entries, residents)

    def _load_gallery(self, tx: Connection, subjects: Collection[str]) -> None:
        gallery = self._gallery
        if gallery is None:
            return
        wanted = {
            template
            for template, subject in watchlists.template_ids(tx, gallery.pack_sha256).items()
            if subject in subjects
        }
        for template in gallery.templates - wanted:
            gallery.erase(template)
        missing = sorted(wanted - gallery.templates)
        for start in range(0, len(missing), _AT_ONCE):
            for row in watchlists.sealed_templates(tx, missing[start : start + _AT_ONCE]):
                embedding = self._vault.open(
                    row["sealed"], row["id"], row["subject_id"], row["pack_sha256"]
                )
                gallery.add(row["id"], row["subject_id"], embedding)
