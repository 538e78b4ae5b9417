"""Keeps the slices of the gallery in the boxes as the watchlists, the register and the rules have them.

In: the store, the rules, the time. Out: signed commands to the boxes, and what was sent in the table
`gallery_slices`. Templates are decrypted here and sealed to the box's own key at once; they are in no log and
on no disk. What is sent, and why, is decided in `hub.slices`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import Connection

from hub.config import SliceSection
from hub.downlink import Downlink
from hub.pauses import pause_after
from hub.places import Spot
from hub.rule_store import RuleKeeper
from hub.rules import RuleBook
from hub.slice_ids import SliceIds
from hub.slices import (
    Box,
    SliceSource,
    Step,
    digest_of,
    needed_at,
    next_step,
    subjects_for,
)
from hub.store import Store, slices, watchlists
from hub.vault import Vault
from models.faces.calibration import Acceptance
from wire.keys import sealing_key
from wire.messages import GalleryErase
from wire.slices import SliceTerms, Templates, slice_parts

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
_AT_ONCE: Final = 500
_UNSENT: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a box should have: whose each template is. It holds while the rules, the version of what is
    watched for and the box are the same, and until the first entry ends."""

    rules: RuleBook
    version: int
    cameras: tuple[str, ...]
    sealing_key: str
    until: datetime | None
    owners: Mapping[str, str]
    people: int
    reach: Acceptance
    digest: str

    def holds(self, box: Box, rules: RuleBook, version: int, now: datetime) -> bool:
        """Whether nothing has changed."""
        same = (self.version, self.cameras, self.sealing_key) == (
            version,
            box.cameras,
            box.sealing_key,
        )
        return same and self.rules is rules and (self.until is None or now < self.until)


@dataclass(slots=True)
class SliceKeeper:
    """Looks, a round at a time. Without a `source` no box can be given anything."""

    store: Store
    downlink: Downlink
    rules: RuleKeeper
    vault: Vault
    ids: SliceIds
    source: SliceSource | None
    gate_of: Callable[[str, str], str]
    section: SliceSection
    now: Callable[[], datetime]
    _wanted: dict[str, _Wanted] = field(default_factory=dict)
    _given: dict[str, frozenset[str]] = field(default_factory=dict)

    def round(self) -> None:
        """Look once at every box that is there, and send what it lacks."""
        now, source = self.now(), self.source
        with self.store.read() as tx:
            boxes = [box for box in slices.boxes_online(tx) if box.edge in self.downlink.edges]
            if source is not None:
                for box in boxes:
                    self._look(tx, box, source, now)
        for box in boxes:
            wanted = self._wanted.get(box.edge)
            digest = wanted.digest if wanted else ""
            held = self._given.get(box.edge)  # None after a restart: it may be anybody
            forgets = held is None or (wanted is not None and not held <= wanted.owners.keys())
            pack = source.pack_sha256 if source else None
            life = timedelta(hours=self.section.valid_hours)
            step = next_step(box, pack, digest, forgets=forgets, now=now, life=life)
            if step is not None:
                self._take(box, step, now)

    def _look(self, tx: Connection, box: Box, source: SliceSource, now: datetime) -> None:
        """Read what the box should have, where that may have changed."""
        rules, version = self.rules.current(tx), watchlists.version(tx)
        known = self._wanted.get(box.edge)
        if known is not None and known.holds(box, rules, version, now):
            return
        spots = [Spot(box.site, self.gate_of(box.edge, camera), camera) for camera in box.cameras]
        needed = needed_at(spots, rules.rules)
        entries = watchlists.active_entries(tx, now)
        residents = slices.enrolled_residents(tx, box.site) if needed.residents else ()
        subjects = subjects_for(needed, entries, residents, now)
        owners = watchlists.template_ids(tx, source.pack_sha256, subjects)
        people = len(set(owners.values()))
        reach = source.accept(max(1, people))
        self._wanted[box.edge] = _Wanted(
            rules=rules,
            version=version,
            cameras=box.cameras,
            sealing_key=box.sealing_key,
            until=min((entry.expires_at for entry in entries), default=None),
            owners=owners,
            people=people,
            reach=reach,
            digest=digest_of(box, owners, source.pack_sha256, reach),
        )

    def _take(self, box: Box, step: Step, now: datetime) -> None:
        log.info("edge %s: slice of the gallery: %s", box.edge, step.why)
        erase = GalleryErase(up_to_version=max(box.version, box.held_version, 1))
        if not step.send:
            with self.store.write() as tx:
                slices.put_off(tx, box.edge, now + pause_after(box.sends))
            self.downlink.command(box.edge, "gallery-erase", erase)
            return
        told = not step.erase or self.downlink.command(box.edge, "gallery-erase", erase)
        if not (told and self._send(box, step, now)):
            with self.store.write() as tx:
                slices.put_off(tx, box.edge, now + _UNSENT)

    def _send(self, box: Box, step: Step, now: datetime) -> bool:
        """Send a slice; False when the broker is away. The row first: a version that a box may have seen is
        never given to another slice."""
        wanted, source = self._wanted[box.edge], self.source
        assert source is not None
        expires_at = now + timedelta(hours=self.section.valid_hours)
        sends = box.sends + 1 if step.why in ("unanswered", "refused") else 1
        terms = SliceTerms(
            site=box.site,
            edge=box.edge,
            version=box.next_version,
            pack=source.pack,
            pack_sha256=source.pack_sha256,
            threshold=wanted.reach.threshold,
            margin=wanted.reach.margin,
            expires_at=expires_at,
        )
        templates = self._templates(box.edge, wanted.owners, source.dimension)
        with self.store.write() as tx:
            slices.sent(
                tx,
                box.edge,
                version=terms.version,
                digest=wanted.digest,
                people=wanted.people,
                templates=len(templates.subjects),
                expires_at=expires_at,
                sends=sends,
                due_at=now + pause_after(sends),
                now=now,
            )
        self._given[box.edge] = frozenset(wanted.owners)
        parts = slice_parts(terms, templates, sealing_key(box.sealing_key))
        templates.rows.fill(0.0)
        return all(self.downlink.command(box.edge, "gallery", part) for part in parts)

    def _templates(self, edge: str, owners: Mapping[str, str], dimension: int) -> Templates:
        """The templates, decrypted, by the pseudonyms of this box and in their order, which says nothing."""
        found: list[tuple[str, np.ndarray[tuple[int], np.dtype[np.float32]]]] = []
        wanted: Sequence[str] = sorted(owners)
        with self.store.read() as tx:
            for start in range(0, len(wanted), _AT_ONCE):
                for row in watchlists.sealed_templates(tx, wanted[start : start + _AT_ONCE]):
                    embedding = self.vault.open(
                        row["sealed"], row["id"], row["subject_id"], row["pack_sha256"]
                    )
                    found.append((self.ids.pseudonym(edge, row["subject_id"]), embedding))
        found.sort(key=lambda one: one[0])
        rows = np.zeros((len(found), dimension), np.float32)
        for number, (_, embedding) in enumerate(found):
            rows[number] = embedding
        return Templates(tuple(pseudonym for pseudonym, _ in found), rows)
