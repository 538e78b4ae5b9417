"""From per-slot distributions to the likeliest valid plates, under the grammar of ``wire.plates``.

In: ``(8, C)`` probabilities over blank and ``ALPHABET`` per slot, ``(6,)`` over ground colours. Out:
candidates with probabilities that share out what the grammar allows, jointly over text length,
series and colour. Exact, not a beam: slots are independent given the picture, so a series' best
text is the best character of each slot, and its total is a product of sums. Pure numpy.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, ShapeError
from wire.plates import ALPHABET, MAX_LENGTH, PATTERNS, Pattern, PlateColour, PlateType

CLASSES = len(ALPHABET) + 1
"""Blank, then ``ALPHABET``."""

COLOURS = tuple(PlateColour)

_FLOOR = 1e-6
_RARE_AGENCY = -3.0
"""Log prior of the agency letter O (spelt 0) against the others: it is retired."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A valid plate, or ``text == ""`` for no plate; ``slots`` holds the class at each slot."""

    text: str
    type: PlateType
    colour: PlateColour
    probability: float
    slots: tuple[int, ...]


def _masks(patterns: tuple[Pattern, ...]) -> NDArray[np.float64]:
    """``(P, 8, C)``: 0 where a pattern allows the class at the slot, -inf where not."""
    masks = np.full((len(patterns), MAX_LENGTH, CLASSES), -np.inf)
    for number, pattern in enumerate(patterns):
        for slot in range(MAX_LENGTH):
            if slot >= len(pattern.positions):
                masks[number, slot, 0] = 0.0
                continue
            for character in pattern.positions[slot]:
                masks[number, slot, ALPHABET.index(character) + 1] = 0.0
        if (
            len(pattern.positions) > 1
            and "0" in pattern.positions[1]
            and "A" in pattern.positions[1]
        ):
            agency = pattern.positions[0].startswith("京")
            masks[number, 1, ALPHABET.index("0") + 1] = _RARE_AGENCY if agency else 0.0
    return masks


_PATTERN_MASKS = _masks(PATTERNS)
_PATTERN_COLOUR = np.array([COLOURS.index(p.colour) for p in PATTERNS])


def _log(distribution: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.clip(distribution.astype(np.float64), _FLOOR, 1.0))


def _best_of(scores: NDArray[np.float64], count: int) -> list[tuple[float, tuple[int, ...]]]:
    """The ``count`` best (log probability, classes) of one pattern, from ``(8, C)`` masked scores."""
    order = np.argsort(-scores, axis=1)[:, : count + 1]
    ranked = np.take_along_axis(scores, order, 1)
    start: tuple[int, ...] = (0,) * MAX_LENGTH
    heap = [(-float(ranked[:, 0].sum()), start)]
    seen = {start}
    found: list[tuple[float, tuple[int, ...]]] = []
    while heap and len(found) < count:
        cost, ranks = heapq.heappop(heap)
        if not np.isfinite(cost):
            break
        found.append((-cost, tuple(int(order[i, r]) for i, r in enumerate(ranks))))
        for slot in range(MAX_LENGTH):
            rank = ranks[slot] + 1
            follower = (*ranks[:slot], rank, *ranks[slot + 1 :])
            if rank < ranked.shape[1] and follower not in seen:
                seen.add(follower)
                step = float(ranked[slot, rank - 1] - ranked[slot, rank])
                if np.isfinite(step):
                    heapq.heappush(heap, (cost + step, follower))
    return found


def decode(
    slots: NDArray[np.floating], colour: NDArray[np.floating], *, count: int = 5
) -> list[Candidate]:
    """The ``count`` likeliest readings, likeliest first; probabilities over all that are valid.

    Args:
        slots: ``(8, C)`` probabilities, rows sum to 1, class 0 is blank.
        colour: ``(6,)`` probabilities in the order of ``PlateColour``.
        count: how many candidates to give.

    Raises:
        ShapeError: an array has another shape.
    """
    if slots.shape != (MAX_LENGTH, CLASSES) or colour.shape != (len(COLOURS),):
        raise ShapeError(
            f"expected ({MAX_LENGTH}, {CLASSES}) and ({len(COLOURS)},), "
            f"got {slots.shape} and {colour.shape}"
        )
    log_slots, log_colour = _log(slots), _log(colour)
    scores = log_slots + _PATTERN_MASKS
    prior = log_colour[_PATTERN_COLOUR]
    with np.errstate(divide="ignore"):
        totals = np.log(np.exp(scores).sum(2)).sum(1) + prior
    nothing = float(log_slots[:, 0].sum())
    everything = float(np.logaddexp.reduce(np.append(totals, nothing)))
    best = scores.max(2).sum(1) + prior
    merged: dict[str, Candidate] = {
        "": Candidate(
            "",
            PlateType.ORDINARY,
            COLOURS[int(colour.argmax())],
            float(np.exp(nothing - everything)),
            (0,) * MAX_LENGTH,
        )
    }
    limit = np.sort(best)[-min(6, len(best))]
    for number in np.flatnonzero(best >= limit):
        pattern = PATTERNS[int(number)]
        for score, classes in _best_of(scores[number], count):
            text = "".join(ALPHABET[c - 1] for c in classes if c)
            share = float(np.exp(score + prior[number] - everything))
            old = merged.get(text)
            if old is None or share > old.probability:
                kind, ground = pattern.type, pattern.colour
            else:
                kind, ground = old.type, old.colour
            total = share + (old.probability if old else 0.0)
            merged[text] = Candidate(text, kind, ground, total, classes)
    ranked = sorted(merged.values(), key=lambda c: -c.probability)
    return ranked[:count]


def support(slots: NDArray[np.floating], candidate: Candidate) -> Floats:
    """``(8,)`` float32: the probability that each slot gives the class of ``candidate``."""
    picked = slots[np.arange(MAX_LENGTH), list(candidate.slots)]
    return np.asarray(picked, np.float32)
