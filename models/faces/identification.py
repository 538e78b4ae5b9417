"""Open-set identification, measured: searches in a gallery by people who are in it and by people who are not.

In: embeddings of labelled pictures, and modelled strangers that pad the gallery and search it. Out:
`Searches`, from which TPIR and FPIR follow for any threshold and margin. Pure.

Terms as in ISO/IEC 19795-1: FPIR is the share of searches by people who are *not* enrolled that give a name;
TPIR that of searches by enrolled people that give the right one, with one picture enrolled of the person
searched for. Of every other person all pictures are in the gallery. Searches share pictures, so that their
intervals are a little too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats
from models.faces.rates import Rate

_AT_ONCE: Final = 1000
_NONE: Final = np.float32(-1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """Modelled people: `enrolled` ``(P, D)`` fill the gallery, `passing` ``(Q, D)`` search in it."""

    enrolled: Floats
    passing: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """What searches in a gallery of `people` found.

    Attributes:
        people: how many the gallery has.
        own: ``(K,)`` similarity of K searches by enrolled people to their own picture.
        rival: ``(K,)`` the best similarity of anybody else.
        top: ``(M,)`` the best similarity of M searches by people who are not enrolled.
        second: ``(M,)`` the best of anybody but the first.
        real: the first so many of these M are real people, the others are modelled.
    """

    people: int
    own: Floats
    rival: Floats
    top: Floats
    second: Floats
    real: int

    def tpir(self, threshold: float, margin: float = 0.0) -> Rate:
        """Searches by enrolled people that give their name; `errors` counts these."""
        named = (self.own >= threshold) & (self.own > self.rival)
        return Rate(int((named & (self.own - self.rival >= margin)).sum()), len(self.own))

    def fpir(self, threshold: float, margin: float = 0.0) -> Rate:
        """Searches by all others that give a name."""
        return _named(self.top, self.second, threshold, margin)

    def real_fpir(self, threshold: float, margin: float = 0.0) -> Rate:
        """The same of real people alone."""
        return _named(self.top[: self.real], self.second[: self.real], threshold, margin)

    def threshold_at(self, fpir: float, margin: float = 0.0) -> float:
        """The lowest threshold at which no more than `fpir` of the searches by others give a name.

        Neither of all of these searches, nor of those by real people alone: should the model be too kind,
        these show it.
        """
        leads = self.top - self.second >= margin
        scores = np.where(leads, self.top, _NONE)
        return max(_least(scores, fpir), _least(scores[: self.real], fpir))


def search(
    embeddings: Floats, identities: tuple[str, ...], strangers: Strangers, sizes: Sequence[int]
) -> tuple[Searches, ...]:
    """Search for everybody in galleries of these sizes (people), each padded as far as there are strangers.

    Args:
        embeddings: ``(N, D)`` float32 of N labelled pictures.
        identities: N names.
        strangers: enough `enrolled` ones for the largest size.
        sizes: ascending; a gallery always holds the labelled people, so the least is how many they are.
    """
    names, of = np.unique(np.array(identities), return_inverse=True)
    people = _by_person(embeddings, embeddings, of)
    people[np.arange(len(of)), of] = _NONE  # the person searched for is not enrolled
    rest = _best_two(np.concatenate([people, np.full((len(of), 1), _NONE, np.float32)], axis=1))
    passing = _best_two(_by_person(strangers.passing, embeddings, of))
    probe, enrolled = np.nonzero((of[:, None] == of[None, :]) & ~np.eye(len(of), dtype=bool))
    own = np.einsum("kd,kd->k", embeddings[probe], embeddings[enrolled])
    results, done = [], 0
    for size in sizes:
        padded = min(max(0, size - len(names)), len(strangers.enrolled))
        more = strangers.enrolled[done:padded]
        rest, passing = _merge(rest, embeddings, more), _merge(passing, strangers.passing, more)
        done = max(done, padded)
        top, second = np.concatenate([rest, passing]).T
        results.append(Searches(len(names) + done, own, rest[probe, 0], top, second, len(of)))
    return tuple(results)


def _named(top: Floats, second: Floats, threshold: float, margin: float) -> Rate:
    return Rate(int(((top >= threshold) & (top - second >= margin)).sum()), len(top))


def _least(scores: Floats, share: float) -> float:
    """Just above the score that no more than `share` of them exceed."""
    if not len(scores):
        return -1.0
    allowed = int(share * len(scores))
    return float(np.nextafter(np.sort(scores)[::-1][allowed], np.float32(2.0)))


def _by_person(probes: Floats, rows: Floats, of: NDArray[np.intp]) -> Floats:
    """``(Q, people)``: the best similarity of each probe to any picture of each person."""
    best = np.full((len(probes), int(of.max()) + 1), _NONE, np.float32)
    similarity = probes @ rows.T
    for person in range(best.shape[1]):
        best[:, person] = similarity[:, of == person].max(axis=1)
    return best


def _best_two(similarities: Floats) -> Floats:
    """``(Q, 2)``: the two best of each row, best first."""
    two: Floats = -np.sort(-np.partition(similarities, -2, axis=1)[:, -2:], axis=1)
    return two


def _merge(known: Floats, probes: Floats, rows: Floats) -> Floats:
    """`known` ``(Q, 2)``, after `rows` ``(P, D)``, each of another person, were searched as well."""
    for start in range(0, len(rows), _AT_ONCE):
        block = probes @ rows[start : start + _AT_ONCE].T
        known = _best_two(np.concatenate([known, block], axis=1))
    return known
