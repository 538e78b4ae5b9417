"""The searchable set of templates: who is it, exactly, in memory.

In: templates by subject, all of one pack; a probe. Out: the best two subjects, and a named reason. Never
compares embeddings of different networks. Not for use by several threads: whoever searches owns it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.gallery_index import TemplateIndex
from models.faces.calibration import Acceptance

Embedding = NDArray[np.float32]
"""``(D,)`` float32 of length 1."""

_TWO: Final = 2
_MORE: Final = 4


class FaceReason(StrEnum):
    """Why a probe is somebody, or nobody."""

    MATCH = "match"
    EMPTY_GALLERY = "empty_gallery"
    OTHER_PACK = "other_pack"
    BELOW_THRESHOLD = "below_threshold"
    NO_MARGIN = "no_margin"
    WEAK_EVIDENCE = "weak_evidence"
    NO_SLICE = "no_slice"
    EXPIRED = "expired"
    UNKNOWN_SUBJECT = "unknown_subject"
    SPOOF = "spoof"


@dataclass(frozen=True, slots=True)
class FaceFinding:
    """What a search found.

    `subject_id` is set when `reason` is `MATCH`. `similarity` is the cosine with the best subject,
    `margin` its lead over the next one (over -1, the least there is, when there is no other).
    """

    reason: FaceReason
    subject_id: str | None = None
    similarity: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best subject for a probe, with the cosine of its closest template, and that of the next subject:
    -1, the least there is, where there is no other."""

    subject_id: str
    similarity: float
    runner_up: float


class Gallery:
    """Templates of subjects, several of each.

    Args:
        pack_sha256: what made the templates; a probe of anything else is refused.
        dimension: D.
        accept: what a search among so many people must reach.
        threads: how many search at a time in a large gallery.
    """

    def __init__(
        self,
        pack: str,
        pack_sha256: str,
        dimension: int,
        accept: Callable[[int], Acceptance],
        *,
        threads: int = 1,
    ) -> None:
        self.pack, self.pack_sha256, self.dimension = pack, pack_sha256, dimension
        self._accept = accept
        self._index = TemplateIndex(dimension, threads=threads)
        self._template_of: list[str] = []
        self._subject_of: list[str] = []
        self._row_of: dict[str, int] = {}
        self._templates_of: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        """How many templates there are."""
        return len(self._index)

    @property
    def people(self) -> int:
        """How many subjects there are."""
        return len(self._templates_of)

    @property
    def acceptance(self) -> Acceptance:
        """What a search must reach in a gallery of this size."""
        return self._accept(max(1, self.people))

    @property
    def templates(self) -> frozenset[str]:
        """The ids of all templates."""
        return frozenset(self._row_of)

    def templates_of(self, subject_id: str) -> tuple[str, ...]:
        """The ids of one subject's templates."""
        return self._templates_of.get(subject_id, ())

    def add(self, template_id: str, subject_id: str, embedding: Embedding) -> None:
        """Add one template; the next search sees it. Adding an id again replaces it."""
        if template_id in self._row_of:
            self.erase(template_id)
        self._index.append(embedding)
        self._row_of[template_id] = len(self._template_of)
        self._template_of.append(template_id)
        self._subject_of.append(subject_id)
        self._templates_of[subject_id] = (*self.templates_of(subject_id), template_id)

    def erase(self, template_id: str) -> None:
        """Erase one template, memory and all; the next search does not see it. KeyError if unknown."""
        row = self._row_of.pop(template_id)
        self._index.drop(row)
        subject_id, last = self._subject_of[row], len(self._template_of) - 1
        moved, owner = self._template_of.pop(), self._subject_of.pop()
        if row != last:
            self._template_of[row], self._subject_of[row] = moved, owner
            self._row_of[moved] = row
        left = tuple(t for t in self._templates_of.pop(subject_id) if t != template_id)
        if left:
            self._templates_of[subject_id] = left

    def rank(self, embedding: Embedding, but: str | None = None) -> Ranked | None:
        """The best subject but `but` for an embedding, ``(D,)`` float32 of length 1, however similar."""
        wanted = _TWO
        while len(self):
            nearest = self._index.nearest(embedding, wanted)
            best: dict[str, float] = {}
            for row, similarity in zip(nearest.rows, nearest.similarities, strict=True):
                best.setdefault(self._subject_of[row], float(similarity))
            best.pop(but or "", None)
            if len(best) >= _TWO or len(nearest.rows) == len(self):
                subjects = iter(best.items())
                first = next(subjects, None)
                return first and Ranked(*first, next(subjects, ("", -1.0))[1])
            wanted *= _MORE
        return None

    def search(self, embedding: Embedding, pack_sha256: str) -> FaceFinding:
        """Find the subject whose template is closest to `embedding`, ``(D,)`` float32 of length 1."""
        if pack_sha256 != self.pack_sha256 or embedding.shape != (self.dimension,):
            return FaceFinding(FaceReason.OTHER_PACK)
        ranked = self.rank(embedding)
        if ranked is None:
            return FaceFinding(FaceReason.EMPTY_GALLERY)
        similarity, margin = ranked.similarity, ranked.similarity - ranked.runner_up
        wanted = self.acceptance
        if not similarity >= wanted.threshold:  # nor when it is no number
            return FaceFinding(FaceReason.BELOW_THRESHOLD, None, similarity, margin)
        if not margin >= wanted.margin:
            return FaceFinding(FaceReason.NO_MARGIN, None, similarity, margin)
        return FaceFinding(FaceReason.MATCH, ranked.subject_id, similarity, margin)
