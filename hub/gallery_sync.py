"""Brings a gallery in memory to what the store has: templates are decrypted here, into memory only.

In: a transaction, the subjects that may have changed. Out: the gallery, changed in place: what the store no
longer has is erased from it, what is new is added.
"""

from collections.abc import Callable, Collection

from sqlalchemy import Connection

from hub.gallery import Gallery
from hub.store import watchlists
from hub.vault import Vault

_AT_ONCE = 500


def refresh(
    tx: Connection,
    vault: Vault,
    gallery: Gallery,
    subjects: Collection[str] | None,
    wanted: Callable[[str], bool],
) -> None:
    """Let the gallery have the templates of `subjects` (None: of all) for whom `wanted` holds."""
    stored = {
        template: subject
        for template, subject in watchlists.template_ids(tx, gallery.pack_sha256, subjects).items()
        if wanted(subject)
    }
    if subjects is None:
        held = gallery.templates
    else:
        held = frozenset(t for subject in subjects for t in gallery.templates_of(subject))
    for template in held - stored.keys():
        gallery.erase(template)
    missing = sorted(stored.keys() - held)
    for start in range(0, len(missing), _AT_ONCE):
        for row in watchlists.sealed_templates(tx, missing[start : start + _AT_ONCE]):
            embedding = vault.open(row["sealed"], row["id"], row["subject_id"], row["pack_sha256"])
            gallery.add(row["id"], row["subject_id"], embedding)
