"""Decoding: the likeliest valid plate from per-slot distributions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import ShapeError
from models.plates.decode import _FORM_WEIGHTS, CLASSES, COLOURS, _best_of, decode, support
from wire.plates import ALPHABET, MAX_LENGTH, PATTERNS, PlateColour, PlateType, parse


def slots_of(text: str, sure: float = 0.9) -> np.ndarray:
    """Distributions that say ``text``, each slot ``sure`` of it."""
    slots = np.full((MAX_LENGTH, CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    for slot in range(MAX_LENGTH):
        slots[slot, ALPHABET.index(text[slot]) + 1 if slot < len(text) else 0] = sure
    return slots


def colour_of(colour: PlateColour, sure: float = 0.9) -> np.ndarray:
    out = np.full(len(COLOURS), (1 - sure) / (len(COLOURS) - 1), np.float32)
    out[COLOURS.index(colour)] = sure
    return out


def test_reads_what_the_slots_say() -> None:
    best, *others = decode(slots_of("京A88731", 0.99), colour_of(PlateColour.BLUE))
    assert (best.text, best.type) == ("京A88731", PlateType.ORDINARY)
    assert best.probability > 0.9
    assert all(other.probability <= best.probability for other in others)


def test_grammar_overrules_a_character_that_cannot_stand_there() -> None:
    slots = slots_of("粤BD01366")
    slots[3, ALPHABET.index("0") + 1] = 0.3
    slots[4, ALPHABET.index("D") + 1] = 0.6  # a letter where only digits stand
    slots[4, ALPHABET.index("1") + 1] = 0.35
    best = decode(slots, colour_of(PlateColour.GREEN))[0]
    assert best.text[4] == "1"


def test_colour_and_length_are_decided_together() -> None:
    slots = slots_of("粤BD01366")
    slots[7] = 0.0
    slots[7, 0], slots[7, ALPHABET.index("6") + 1] = 0.5, 0.5
    assert decode(slots, colour_of(PlateColour.GREEN))[0].text == "粤BD01366"
    assert decode(slots, colour_of(PlateColour.BLUE))[0].text == "粤BD0136"


def test_yellow_makes_seven_characters_a_large_vehicle() -> None:
    best = decode(slots_of("京B06498"), colour_of(PlateColour.YELLOW))[0]
    assert (best.type, best.colour) == (PlateType.LARGE, PlateColour.YELLOW)


def test_all_blank_is_no_plate() -> None:
    assert decode(slots_of(""), colour_of(PlateColour.BLUE))[0].text == ""


def test_alternatives_hold_the_confusable_character() -> None:
    slots = slots_of("苏A12B45")
    slots[5, ALPHABET.index("B") + 1] = slots[5, ALPHABET.index("8") + 1] = 0.45
    texts = [c.text for c in decode(slots, colour_of(PlateColour.BLUE))[:2]]
    assert sorted(texts) == ["苏A12845", "苏A12B45"] or sorted(t[:5] for t in texts) == [
        "苏A12B",
        "苏A12B",
    ]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError):
        decode(np.zeros((7, CLASSES)), np.zeros(len(COLOURS)))


@given(st.data(), st.sampled_from(PATTERNS))
def test_every_series_can_be_decoded(data: st.DataObject, pattern) -> None:
    text = "".join(data.draw(st.sampled_from(p)) for p in pattern.positions)
    best = decode(slots_of(text), colour_of(pattern.colour))[0]
    assert best.text == text
    assert parse(text, best.colour) is not None
    assert support(slots_of(text), best).min() == pytest.approx(0.9)


@given(st.integers(0, 2**32 - 1))
def test_whatever_comes_in_candidates_are_valid_and_shares_of_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slots = rng.dirichlet(np.full(CLASSES, 0.05), MAX_LENGTH)
    colour = rng.dirichlet(np.full(len(COLOURS), 0.3))
    candidates = decode(slots, colour)
    assert sum(c.probability for c in candidates) <= 1 + 1e-6
    for candidate in candidates:
        assert candidate.text == "" or parse(candidate.text, candidate.colour) is not None


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, len(_FORM_WEIGHTS) - 1))
def test_the_best_texts_of_a_form_are_those_of_all_its_texts(seed: int, form: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(CLASSES, 0.2), MAX_LENGTH).clip(1e-6) * _FORM_WEIGHTS[form]
    few = np.argsort(-shares, axis=1)[:, :3]  # the third best text has no fourth best character
    every = sorted(
        (
            float(np.log(shares[np.arange(MAX_LENGTH), list(classes)]).sum())
            for classes in product(*few.tolist())
            if shares[np.arange(MAX_LENGTH), list(classes)].all()
        ),
        reverse=True,
    )
    assert [total for total, _ in _best_of(shares, 3)] == pytest.approx(every[:3])
