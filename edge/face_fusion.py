"""What the crops of one track say together of its face.

In: embeddings with their qualities. Out: one embedding, whether the crops agree, and whether another
person has taken the track over. Pure: arithmetic on unit vectors.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.liveness import LivenessFusion

Embedding = NDArray[np.float32]
"""``(D,)`` float32, length 1."""

Verdict = Literal["fused", "doubtful", "another_person"]


@dataclass(slots=True)
class FaceFusion:
    """Quality-weighted mean of the best `keep` embeddings of a track, and of what it took up.

    `same` is the least cosine that counts as one person (the pack's threshold). Once two are fused,
    an embedding that is not like them is doubtful and left out: a turned head, or someone who passed
    in front. Two doubtful ones in a row that are like each other are another person.
    """

    same: float
    keep: int = 5
    liveness: LivenessFusion = field(default_factory=LivenessFusion, init=False)
    _seen: list[tuple[float, Embedding]] = field(default_factory=list, init=False)
    _before: list[tuple[float, Embedding]] = field(default_factory=list, init=False)
    _doubtful: Embedding | None = field(default=None, init=False)

    def __len__(self) -> int:
        return len(self._kept())

    def add(self, embedding: Embedding, quality: float) -> Verdict:
        """Take in one crop's embedding, unless it is not of this person."""
        if len(self) >= 2 and float(embedding @ self.best()) < self.same:
            before, self._doubtful = self._doubtful, embedding
            alike = before is not None and float(embedding @ before) >= self.same
            return "another_person" if alike else "doubtful"
        self._doubtful = None
        self._seen = self._best_of(*self._seen, (quality, embedding))
        return "fused"

    def resume(self, lost: "FaceFusion") -> None:
        """Take in what was seen of the same person before: the best crops of both are kept.

        Whether they are a living person's is judged by what is seen now, and by nothing of before.
        """
        self._before = lost._kept()

    def best(self) -> Embedding:
        """The fused embedding, ``(D,)`` float32 of length 1. At least one must have been added."""
        return _mean(self._kept())

    def seen(self) -> Embedding | None:
        """What this track's own crops say by themselves; None where nothing of before is among them."""
        return _mean(self._seen) if self._before else None

    def agrees(self, count: int) -> bool:
        """Whether at least `count` crops are kept and on average are of one person."""
        kept = self._kept()
        if len(kept) < count:
            return False
        rows = np.stack([embedding for _, embedding in kept])
        pairs = len(rows) * (len(rows) - 1)
        mean = (float((rows @ rows.T).sum()) - len(rows)) / pairs if pairs else 1.0
        return mean >= self.same

    def _kept(self) -> list[tuple[float, Embedding]]:
        return self._best_of(*self._seen, *self._before)

    def _best_of(self, *crops: tuple[float, Embedding]) -> list[tuple[float, Embedding]]:
        return sorted(crops, key=lambda pair: -pair[0])[: self.keep]


def _mean(crops: list[tuple[float, Embedding]]) -> Embedding:
    total = np.sum([quality * embedding for quality, embedding in crops], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
