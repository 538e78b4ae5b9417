"""The slice of the gallery that this box matches faces with, and what a search in it finds.

In: opened parts of a slice, commands to erase, embeddings; the time, by the hub's clock. Out:
`FaceCandidates`, which is all that leaves the box of a face, and a `GalleryReply` for the hub. Pure; its
templates are nowhere but in this memory, and are overwritten when they go.

What each event does (a version is *held* from when all its parts are there until it is erased):

    event                                   held version          reply
    a part of a version below the least     stays                 refused
    a part made with other networks         stays                 refused
    a part that has expired                 stays                 refused
    a part of the version that is held      stays                 active
    a part, others are still missing        stays                 none
    a part, a newer version is on its way   stays                 none
    the last part of a newer version        that one              active
    erase up to a version                   none, if it is older  erased
    the held version expires                none                  erased
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.parts import Parts
from models.faces.calibration import Acceptance
from models.faces.decision import Evidence, wanted_similarity
from wire.messages import FaceCandidate, FaceCandidates, GalleryReply, GallerySlice, HeldSlice
from wire.slices import Templates

Embedding = NDArray[np.float32]
"""``(D,)`` float32 of length 1."""

_MOST_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A version that is whole. `owner` ``(N,)`` says which of `subjects` each of the rows ``(N, D)`` is."""

    terms: GallerySlice
    subjects: tuple[str, ...]
    owner: NDArray[np.intp]
    rows: NDArray[np.float32]

    def similarities(self, embedding: Embedding) -> NDArray[np.float32]:
        """``(S,)``: that of the closest template of each subject."""
        best = np.full(len(self.subjects), -1.0, np.float32)
        np.maximum.at(best, self.owner, self.rows @ embedding)
        return best


def _overwrite(templates: Templates) -> None:
    templates.rows.fill(0.0)


class FaceMatcher:
    """Finds faces in the slice that the hub has given. Safe for use by several threads."""

    def __init__(
        self, pack: str, pack_sha256: str, dimension: int, oldest_version: int = 1
    ) -> None:
        """`oldest_version` is the least version that is taken; older ones never again."""
        self.pack, self.pack_sha256, self._dimension = pack, pack_sha256, dimension
        self._lock = threading.Lock()
        self._oldest = oldest_version
        self._held: _Held | None = None
        self._expired = False
        self._parts: Parts[Templates] = Parts(_overwrite)

    @property
    def oldest_version(self) -> int:
        """The least version that is taken."""
        return self._oldest

    @property
    def held(self) -> HeldSlice:
        """What the box holds; version 0 is nothing."""
        with self._lock:
            if self._held is None:
                return HeldSlice(version=0)
            terms = self._held.terms
            return HeldSlice(
                version=terms.version, templates=terms.templates, expires_at=terms.expires_at
            )

    def take(
        self, part: GallerySlice, open_it: Callable[[], Templates], now: datetime
    ) -> GalleryReply | None:
        """Take one part; None while others are missing. InvalidMessage as `open_it` raises it."""
        with self._lock:
            if (reason := self._refusal(part, now)) is not None:
                return GalleryReply(version=part.version, state="refused", reason=reason)
            if self._held is not None and part.version == self._held.terms.version:
                return self._active()
            templates = open_it()
            if templates.rows.shape[1] != self._dimension:
                reason = f"templates of {templates.rows.shape[1]}, not {self._dimension} values"
                return GalleryReply(version=part.version, state="refused", reason=reason)
            pieces = self._parts.add(part, templates)
            return None if pieces is None else self._put_in_force(part, pieces)

    def erase(self, up_to_version: int) -> GalleryReply:
        """Erase what is held, if it is no newer, and take nothing as old again."""
        with self._lock:
            self._oldest = max(self._oldest, up_to_version + 1)
            if self._held is not None and self._held.terms.version <= up_to_version:
                self._forget()
                self._expired = False
            self._parts.drop_up_to(up_to_version)
            return GalleryReply(version=up_to_version, state="erased")

    def tick(self, now: datetime) -> GalleryReply | None:
        """Erase what has expired by `now`; None where nothing has."""
        with self._lock:
            self._parts.drop_expired(now)
            if self._held is None or now < self._held.terms.expires_at:
                return None
            version = self._held.terms.version
            self._forget()
            self._expired = True
            return GalleryReply(version=version, state="erased", reason="it expired")

    def search(
        self,
        embedding: Embedding,
        pack_sha256: str,
        evidence: Evidence,
        now: datetime,
        seen: Embedding | None = None,
    ) -> FaceCandidates:
        """Who `embedding` is, if anybody of the slice, which must not have expired by `now`.

        `seen` is what is seen now, where crops of an earlier track are in `embedding`. It counts first;
        they give a name only to whom the face is most like now.
        """
        with self._lock:
            held = self._held
            if held is None:
                return self._nobody("expired" if self._expired else "no_slice")
            if now >= held.terms.expires_at:
                return self._nobody("expired")
            if pack_sha256 != self.pack_sha256:
                return self._nobody("other_pack", held.terms)
            if not len(held.rows):
                return self._nobody("empty_gallery", held.terms)
            found = self._decide(held, held.similarities(embedding), evidence)
            if seen is None:
                return found
            now_best = held.similarities(seen)
            now_found = self._decide(held, now_best, evidence)
            if now_found.candidates or not found.candidates:
                return now_found
            nearest = held.subjects[int(now_best.argmax())]
            return found if found.candidates[0].subject_id == nearest else now_found

    def nobody_alive(self) -> FaceCandidates:
        """The answer to a face that is no living one: nobody, without a search."""
        return self._nobody("spoof")

    def _refusal(self, part: GallerySlice, now: datetime) -> str | None:
        if part.version < self._oldest:
            return f"version {part.version} is older than {self._oldest}, the least that is taken"
        if part.pack_sha256 != self.pack_sha256:
            return f"made with {part.pack} ({part.pack_sha256[:12]}…), this box has {self.pack}"
        if now >= part.expires_at:
            return "it has expired"
        return None

    def _put_in_force(self, terms: GallerySlice, pieces: Sequence[Templates]) -> GalleryReply:
        owners = [subject for piece in pieces for subject in piece.subjects]
        rows = np.concatenate([piece.rows for piece in pieces])
        for piece in pieces:
            _overwrite(piece)
        if len(owners) != terms.templates:
            rows.fill(0.0)
            reason = f"{len(owners)} templates came, {terms.templates} were announced"
            return GalleryReply(version=terms.version, state="refused", reason=reason)
        subjects = tuple(dict.fromkeys(owners))
        number = {subject: index for index, subject in enumerate(subjects)}
        owner = np.array([number[subject] for subject in owners], dtype=np.intp)
        self._forget()
        self._held = _Held(terms, subjects, owner, rows)
        self._oldest, self._expired = terms.version, False
        return self._active()

    def _active(self) -> GalleryReply:
        assert self._held is not None
        terms = self._held.terms
        return GalleryReply(version=terms.version, state="active", templates=terms.templates)

    def _forget(self) -> None:
        if self._held is not None:
            self._held.rows.fill(0.0)
            self._held = None

    def _nobody(self, reason: str, terms: GallerySlice | None = None) -> FaceCandidates:
        return FaceCandidates.model_validate(
            {
                "reason": reason,
                "pack": self.pack,
                "pack_sha256": self.pack_sha256,
                "slice_version": None if terms is None else terms.version,
                "threshold": None if terms is None else terms.threshold,
            }
        )

    def _decide(self, held: _Held, best: NDArray[np.float32], evidence: Evidence) -> FaceCandidates:
        """`best` ``(S,)`` is the similarity of the closest template of each subject."""
        terms, order = held.terms, np.argsort(-best, kind="stable")[:_MOST_CANDIDATES]
        similarity = float(best[order[0]])
        runner_up = float(best[order[1]]) if len(order) > 1 else -1.0
        acceptance = Acceptance(terms.threshold, terms.margin)
        if similarity < terms.threshold:
            return self._nobody("below_threshold", terms)
        if similarity - runner_up < terms.margin:
            return self._nobody("no_margin", terms)
        wanted = wanted_similarity(acceptance, len(best) - 1, evidence)
        if similarity < wanted:
            return self._nobody("weak_evidence", terms)
        candidates = tuple(
            FaceCandidate(subject_id=held.subjects[index], similarity=float(best[index]))
            for index in order
            if best[index] >= terms.threshold
        )
        return FaceCandidates(
            reason="match",
            pack=self.pack,
            pack_sha256=self.pack_sha256,
            slice_version=terms.version,
            threshold=wanted,
            candidates=candidates,
            margin=similarity - runner_up,
        )
