"""From per-slot distributions to the likeliest valid plates, under the grammar of ``wire.plates``.

In: ``(8, C)`` probabilities over blank and ``ALPHABET`` per slot, ``(6,)`` over ground colours. Out:
candidates with probabilities that share out what the grammar allows, jointly over text length,
series and colour. Exact, not a beam: slots are independent given the picture, so a series' best
text is the best character of each slot, and its total is a product of sums. Pure numpy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, ShapeError
from wire.plates import ALPHABET, LETTERS, MAX_LENGTH, PATTERNS, PlateColour, PlateType

CLASSES = len(ALPHABET) + 1
"""Blank, then ``ALPHABET``."""

COLOURS = tuple(PlateColour)

_FLOOR = 1e-6
_RARE_AGENCY = 0.05
"""Prior of the agency letter O (spelt 0) against the others: it is retired."""

_NEGLIGIBLE = -9.0
"""Series that are this much (log) less likely than the likeliest one are not spelt out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A valid plate, or ``text == ""`` for no plate; ``slots`` holds the class at each slot."""

    text: str
    type: PlateType
    colour: PlateColour
    probability: float
    slots: tuple[int, ...]


def _weights(form: tuple[str, ...]) -> NDArray[np.float32]:
    """``(8, C)``: 1 where a form allows the class at the slot, 0 where not; the rare agency between."""
    weights = np.zeros((MAX_LENGTH, CLASSES), np.float32)
    for slot in range(MAX_LENGTH):
        if slot >= len(form):
            weights[slot, 0] = 1.0
            continue
        for character in form[slot]:
            weights[slot, ALPHABET.index(character) + 1] = 1.0
    if len(form) > 1 and form[1] == LETTERS + "0":
        weights[1, ALPHABET.index("0") + 1] = _RARE_AGENCY
    return weights


_FORMS = tuple(dict.fromkeys(p.positions for p in PATTERNS))
_FORM_WEIGHTS = np.stack([_weights(form) for form in _FORMS])
_ALLOWED, _number = np.unique(_FORM_WEIGHTS.reshape(-1, CLASSES), axis=0, return_inverse=True)
_FORM_ALLOWED = _number.reshape(len(_FORMS), MAX_LENGTH)
"""``(F, 8)``: the row of ``_ALLOWED`` (K, C) for each slot of a form. Most slots share a few of them."""

_SLOTS = np.arange(MAX_LENGTH)
_PATTERN_FORM = np.array([_FORMS.index(p.positions) for p in PATTERNS])
_PATTERN_COLOUR = np.array([COLOURS.index(p.colour) for p in PATTERNS])


def _best_of(scores: NDArray[np.floating], count: int) -> list[tuple[float, tuple[int, ...]]]:
    """The ``count`` best (log probability, classes) of one form, from ``(8, C)`` weighted shares.

    Slot by slot: the best of the first slots with each of the next one's best, the best kept. What a
    form forbids has a share of nothing and ends a slot's list.
    """
    order = np.argsort(-scores, axis=1)[:, :count]
    with np.errstate(divide="ignore"):
        logs = np.log(scores[_SLOTS[:, None], order])
    found: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for classes, gains in zip(order.tolist(), logs.tolist(), strict=True):
        # As good as this is what ``count`` texts are already, with the slot's best class.
        bar = found[-1][0] + gains[0] if len(found) == count else -np.inf
        longer = []
        for total, text in found:
            for number, gain in zip(classes, gains, strict=True):
                if total + gain < bar or gain == -np.inf:
                    break
                longer.append((total + gain, (*text, number)))
        longer.sort(reverse=True)
        found = longer[:count]
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
    shares = np.clip(slots, _FLOOR, 1.0).astype(np.float64)
    prior = np.log(np.clip(colour.astype(np.float64), _FLOOR, 1.0))[_PATTERN_COLOUR]
    totals = np.log(shares @ _ALLOWED.T)[_SLOTS, _FORM_ALLOWED].sum(1)[_PATTERN_FORM] + prior
    nothing = float(np.log(shares[:, 0]).sum())
    everything = float(np.logaddexp.reduce(np.append(totals, nothing)))
    merged: dict[str, Candidate] = {
        "": Candidate(
            "",
            PlateType.ORDINARY,
            COLOURS[int(colour.argmax())],
            float(np.exp(nothing - everything)),
            (0,) * MAX_LENGTH,
        )
    }
    texts: dict[int, list[tuple[float, tuple[int, ...]]]] = {}
    for number in np.flatnonzero(totals >= totals.max() + _NEGLIGIBLE).tolist():
        pattern, form = PATTERNS[number], int(_PATTERN_FORM[number])
        if form not in texts:
            texts[form] = _best_of(shares * _FORM_WEIGHTS[form], count)
        for score, classes in texts[form]:
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
    picked = slots[_SLOTS, list(candidate.slots)]
    return np.asarray(picked, np.float32)
