"""Strangers made by a model, to fill a gallery that is larger than any set of pictures at hand. Pure.

In: embeddings of real people. Out: unit vectors that are as similar to each other as real strangers are. It
is a model, and whoever shows a figure that rests on it says so: it knows no relatives and no look-alikes.

A modelled stranger is ``normalise(m + L z)`` with z standard normal. m is the mean of the real people, as
long as their mean similarity says. ``L L'`` is the sum of two parts. The first is the covariance of the real
people, with as much weight as makes the similarity of a modelled stranger to a real one spread as that of
two real ones does. The rest lies in a random subspace, made small enough that the similarities of two
modelled strangers spread so, too: round in all directions they would be less alike than real people are.
`spread` looks at the upper tail as well: the deviation alone would promise fewer false matches.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats
from models.faces.rates import comparisons, impostor_weights

_TAIL: Final = 0.99
_TAIL_Z: Final = 2.326  # of a normal distribution, at `_TAIL`
_SAMPLE: Final = 600


@dataclass(frozen=True, slots=True, eq=False)
class StrangerModel:
    """Where strangers lie.

    Attributes:
        mean: ``(D,)`` m above.
        factor: ``(K, D)`` L above, transposed.
        spread: deviation of the similarity of two strangers that was aimed at.
    """

    mean: Floats
    factor: Floats
    spread: float

    def draw(self, count: int, seed: int) -> Floats:
        """`count` strangers: ``(count, D)`` float32, rows of length 1; the same for the same seed."""
        z = np.random.default_rng(seed).standard_normal((count, len(self.factor)), dtype=np.float32)
        return _place(self.mean, z @ self.factor)


def spread(embeddings: Floats, identities: tuple[str, ...]) -> tuple[float, float]:
    """Mean similarity of strangers, and how far it spreads.

    The latter is their deviation, or more where their upper tail is heavier than a normal one. Any two
    people weigh alike, however many pictures of them there are.
    """
    _, impostor = comparisons(embeddings, identities)
    weights = impostor_weights(identities)
    mean = float(weights @ impostor)
    deviation = float(np.sqrt(weights @ (impostor - mean) ** 2))
    order = np.argsort(impostor)
    at = int(np.searchsorted(np.cumsum(weights[order]), _TAIL))
    tail = float(impostor[order[min(at, len(order) - 1)]]) - mean
    return mean, max(deviation, tail / _TAIL_Z)


def fit(embeddings: Floats, identities: tuple[str, ...]) -> StrangerModel:
    """Fit to ``(N, D)`` embeddings of N labelled pictures, of two people at least."""
    alike, wanted = spread(embeddings, identities)
    mean, covariance, wide = _moments(embeddings, identities)
    mean *= np.sqrt(max(alike, 0.0)) / max(float(np.linalg.norm(mean)), 1e-6)
    trace = max(1.0 - alike, 1e-6)
    narrow = trace / len(mean)
    share = min(1.0, max(0.0, (wanted**2 - narrow) / max(wide * trace - narrow, 1e-9)))
    generator = np.random.default_rng(0)
    known = np.sqrt(share * trace) * _root(covariance)
    other = np.sqrt((1.0 - share) * trace) * _axes(generator, len(mean))
    z = generator.standard_normal((_SAMPLE, 2 * len(mean)))

    def factor(rank: int) -> NDArray[np.float64]:
        return np.concatenate([known, other[:rank] / np.sqrt(rank), np.zeros_like(other[rank:])])

    low, high = 1, len(mean)
    while low < high:  # the least rank whose strangers do not spread further than real ones
        rank = (low + high) // 2
        rows = _place(mean, z @ factor(rank))
        further = (rows @ rows.T)[np.triu_indices(_SAMPLE, 1)].std() > wanted
        low, high = (rank + 1, high) if further else (low, rank)
    return StrangerModel(mean.astype(np.float32), factor(low).astype(np.float32), wanted)


def _moments(
    embeddings: Floats, identities: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """With all people alike: mean ``(D,)``, covariance ``(D, D)`` of trace 1, and how far real people reach
    in its directions, as a variance."""
    names = np.array(identities)
    people = [embeddings[names == name].astype(np.float64) for name in sorted(set(identities))]
    mean = np.mean([rows.mean(axis=0) for rows in people], axis=0)
    covariance = np.mean([(rows - mean).T @ (rows - mean) / len(rows) for rows in people], axis=0)
    covariance /= np.trace(covariance)
    reach = [np.einsum("nd,de,ne->n", rows, covariance, rows).mean() for rows in people]
    return mean, covariance, float(np.mean(reach))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = np.sqrt(np.clip(values, 0.0, None))[:, None] * axes.T
    return root


def _axes(generator: np.random.Generator, dimension: int) -> NDArray[np.float64]:
    """Random axes: ``(D, D)``, rows of length 1, each orthogonal to the others."""
    axes, _ = np.linalg.qr(generator.standard_normal((dimension, dimension)))
    return axes


def _place(mean: NDArray[np.floating], offsets: NDArray[np.floating]) -> Floats:
    rows = mean + offsets
    result: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return result
