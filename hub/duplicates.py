"""Is this face enrolled already? Asked of all enrolled people, whether or not anybody watches for them.

In: new templates, a transaction. Out: whom they are, if anybody. The templates of all are decrypted into
memory when somebody is first enrolled, and kept as the store has them. Safe for use by several threads.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.gallery import Embedding, Gallery
from hub.gallery_sync import refresh
from hub.store import watchlists
from hub.vault import Vault


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Photo `photo` (from 1) shows a subject that there is: its template is this similar."""

    photo: int
    subject_id: str
    similarity: float


class DuplicateFinder:
    """Knows everybody who is enrolled with one pack.

    Args:
        gallery: empty, of the pack; used by this finder alone.
    """

    def __init__(self, vault: Vault, gallery: Gallery) -> None:
        self._vault, self._gallery = vault, gallery
        self._version: int | None = None
        self._lock = threading.Lock()

    def find(
        self, tx: Connection, embeddings: Sequence[Embedding], but: str | None = None
    ) -> list[Duplicate]:
        """For each template, ``(D,)``, that is somebody's, other than `but`: whose."""
        with self._lock:
            self._follow(tx)
            threshold = self._gallery.acceptance.threshold
            ranked = [self._gallery.rank(embedding, but) for embedding in embeddings]
        return [
            Duplicate(photo, best.subject_id, best.similarity)
            for photo, best in enumerate(ranked, 1)
            if best is not None and best.similarity >= threshold
        ]

    def _follow(self, tx: Connection) -> None:
        version = watchlists.version(tx)
        if version != self._version:
            changed = watchlists.changes(tx, self._version, version)
            refresh(tx, self._vault, self._gallery, changed, lambda _: True)
            self._version = version
