"""The searchable set of templates: exact search in memory.

In: templates by subject, all of one pack; a probe. Out: the best two subjects, and a named reason. Never
compares embeddings of different networks. Not for use by several threads: whoever searches owns it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Embedding = NDArray[np.float32]
"""``(D,)`` float32 of length 1."""

_FIRST_ROOM: Final = 64


class FaceReason(StrEnum):
    """Why a probe is somebody, or nobody."""

    MATCH = "match"
    EMPTY_GALLERY = "empty_gallery"
    OTHER_PACK = "other_pack"
    BELOW_THRESHOLD = "below_threshold"
    NO_MARGIN = "no_margin"
    NO_SLICE = "no_slice"
    EXPIRED = "expired"
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


class Gallery:
    """Templates of watched subjects, several of each.

    Args:
        pack_sha256: what made the templates; a probe of anything else is refused.
        dimension: D.
        threshold: least cosine that counts as the same person.
        margin: least lead over the next best subject.
    """

    def __init__(
        self, pack: str, pack_sha256: str, dimension: int, threshold: float, margin: float
    ) -> None:
        self.pack, self.pack_sha256, self.dimension = pack, pack_sha256, dimension
        self.threshold, self.margin = threshold, margin
        self._rows: NDArray[np.float32] = np.zeros((_FIRST_ROOM, dimension), np.float32)
        self._subject_of: NDArray[np.int64] = np.zeros(_FIRST_ROOM, np.int64)
        self._template_of: list[str] = []
        self._row_of: dict[str, int] = {}
        self._names: list[str] = []
        self._number_of: dict[str, int] = {}

    def __len__(self) -> int:
        """How many templates there are."""
        return len(self._template_of)

    @property
    def templates(self) -> frozenset[str]:
        """The ids of all templates."""
        return frozenset(self._row_of)

    def add(self, template_id: str, subject_id: str, embedding: Embedding) -> None:
        """Add one template; the next search sees it. Adding an id again replaces it."""
        if embedding.shape != (self.dimension,):
            raise ValueError(f"expected an embedding ({self.dimension},), got {embedding.shape}")
        row = self._row_of.get(template_id)
        if row is None:
            row = len(self._template_of)
            if row == len(self._rows):
                self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
                self._subject_of = np.concatenate((self._subject_of, self._subject_of * 0))
            self._template_of.append(template_id)
            self._row_of[template_id] = row
        number = self._number_of.setdefault(subject_id, len(self._names))
        if number == len(self._names):
            self._names.append(subject_id)
        self._rows[row] = embedding
        self._subject_of[row] = number

    def erase(self, template_id: str) -> None:
        """Erase one template, memory and all; the next search does not see it. KeyError if unknown."""
        row, last = self._row_of.pop(template_id), len(self._template_of) - 1
        moved = self._template_of.pop()
        if row != last:
            self._rows[row], self._subject_of[row] = self._rows[last], self._subject_of[last]
            self._template_of[row], self._row_of[moved] = moved, row
        self._rows[last] = 0.0

    def search(self, embedding: Embedding, pack_sha256: str) -> FaceFinding:
        """Find the subject whose template is closest to `embedding`, ``(D,)`` float32 of length 1."""
        if pack_sha256 != self.pack_sha256 or embedding.shape != (self.dimension,):
            return FaceFinding(FaceReason.OTHER_PACK)
        count = len(self)
        if not count:
            return FaceFinding(FaceReason.EMPTY_GALLERY)
        similarities = self._rows[:count] @ embedding
        best = int(similarities.argmax())
        similarity = float(similarities[best])
        subject = self._subject_of[best]
        others = similarities[self._subject_of[:count] != subject]
        margin = similarity - (float(others.max()) if len(others) else -1.0)
        if similarity < self.threshold:
            return FaceFinding(FaceReason.BELOW_THRESHOLD, None, similarity, margin)
        if margin < self.margin:
            return FaceFinding(FaceReason.NO_MARGIN, None, similarity, margin)
        return FaceFinding(FaceReason.MATCH, self._names[int(subject)], similarity, margin)
