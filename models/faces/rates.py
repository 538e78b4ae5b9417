"""Error rates of one-to-one comparisons, with their intervals. Pure.

Terms as in ISO/IEC 19795-1: genuine and impostor comparisons, FMR (strangers taken for each other), FNMR
(one person not recognised). Intervals are Wilson's ("Probable inference", JASA 1927) at 95 %; with no error
in n the upper end is 3/n (the rule of three), with nothing but errors the lower one is 1 - 3/n.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats

_Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `n`."""

    errors: int
    n: int

    @property
    def value(self) -> float:
        """The observed rate; 0 for nothing observed."""
        return self.errors / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the 95 % interval; (0, 1) for nothing observed."""
        return (1.0 - _upper(self.n - self.errors, self.n), _upper(self.errors, self.n))

    @property
    def upper(self) -> float:
        """The upper end of the 95 % interval."""
        return self.interval[1]


def _upper(errors: int, n: int) -> float:
    if not n:
        return 1.0
    if not errors:
        return min(1.0, 3 / n)
    p, z = errors / n, _Z95
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return min(1.0, (p + z * z / (2 * n) + spread) / (1 + z * z / n))


def comparisons(embeddings: Floats, identities: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Similarities of all pairs of one person, and of all pairs of two.

    Args:
        embeddings: ``(N, D)`` float32, rows of length 1.
        identities: N names.
    """
    same, pair = _pairs(identities)
    similarity = embeddings @ embeddings.T
    return similarity[pair & same], similarity[pair & ~same]


def impostor_weights(identities: tuple[str, ...]) -> NDArray[np.float64]:
    """The weight of each impostor comparison of :func:`comparisons`, such that any two people weigh alike.

    Without it the two people with most pictures would stand for all strangers. They sum to 1.
    """
    same, pair = _pairs(identities)
    names, counts = np.unique(np.array(identities), return_counts=True)
    each = 1.0 / counts[np.searchsorted(names, np.array(identities))]
    weights: NDArray[np.float64] = (each[:, None] * each[None, :])[pair & ~same]
    weights /= weights.sum()
    return weights


def auc(genuine: Floats, impostor: Floats) -> float:
    """Chance that a genuine pair is more similar than an impostor pair; ties count half."""
    order = np.sort(impostor)
    below = np.searchsorted(order, genuine, side="left")
    upto = np.searchsorted(order, genuine, side="right")
    return float((below + upto).sum() / 2 / len(genuine) / len(impostor))


def fnmr_at(genuine: Floats, impostor: Floats, fmr: float) -> Rate:
    """FNMR at the lowest threshold at which no more than `fmr` of the impostors match.

    With fewer than 1 / `fmr` impostor pairs that is the threshold at which none of them matches.
    """
    allowed = int(fmr * len(impostor))
    threshold = np.sort(impostor)[::-1][allowed]
    return Rate(int((genuine <= threshold).sum()), len(genuine))


def _pairs(identities: tuple[str, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """``(N, N)``: which are of one person, and the upper triangle."""
    names = np.array(identities)
    same = names[:, None] == names[None, :]
    return same, np.triu(np.ones(same.shape, dtype=bool), 1)
