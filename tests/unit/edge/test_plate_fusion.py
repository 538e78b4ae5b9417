"""Fusion over a track, as a timeline of readings."""

import numpy as np
import pytest

from edge.plate_fusion import FusionPolicy, FusionState, PlateFusion, Verdict
from models.plates.decode import CLASSES, COLOURS, decode, support
from models.plates.types import PlateReading
from wire.plates import ALPHABET, MAX_LENGTH, PlateColour


def reading(text: str, sure: float = 0.95, *, confidence: float | None = None) -> PlateReading:
    """A reading that says ``text`` with each character ``sure``."""
    slots = np.full((MAX_LENGTH, CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    for slot in range(MAX_LENGTH):
        slots[slot, ALPHABET.index(text[slot]) + 1 if slot < len(text) else 0] = sure
    colour = np.full(len(COLOURS), 0.02, np.float32)
    colour[COLOURS.index(PlateColour.BLUE)] = 0.9
    best = decode(slots, colour)[0]
    by_slot = support(slots, best)
    return PlateReading(
        best.text,
        best.type,
        best.colour,
        sure**7 if confidence is None else confidence,
        tuple(float(p) for p in by_slot[: len(best.text)]),
        float(by_slot[0]),
        (),
        slots,
        colour,
    )


def test_nothing_read_nothing_said() -> None:
    fusion: PlateFusion[int] = PlateFusion()
    assert fusion.best() is None
    assert fusion.state is FusionState.PROVISIONAL


def test_one_reading_is_provisional_two_that_agree_confirm() -> None:
    fusion: PlateFusion[int] = PlateFusion()
    assert fusion.add(reading("京A88731", 0.99), 0.8, 1) is Verdict.COUNTED
    assert fusion.state is FusionState.PROVISIONAL
    fusion.add(reading("京A88731", 0.99), 0.9, 2)
    assert fusion.state is FusionState.CONFIRMED
    best = fusion.best()
    assert best is not None
    assert (best.text, best.readings, best.frame_ref) == ("京A88731", 2, 2)


@pytest.mark.parametrize("seed", range(8))
def test_thirty_frames_a_third_misread_fuse_to_the_right_plate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = "京A8B731"
    misreads = set(rng.permutation(30)[:10].tolist())
    fusion: PlateFusion[int] = PlateFusion()
    for frame in range(30):
        text = truth
        if frame in misreads:  # as sure of itself as the right ones, in one or two characters
            for position in rng.choice(np.arange(2, 7), int(rng.integers(1, 3)), replace=False):
                other = "0123456789ABCDEFGH"[int(rng.integers(18))]
                text = text[: int(position)] + other + text[int(position) + 1 :]
        fusion.add(reading(text, 0.93), float(rng.uniform(0.3, 1.0)), frame)
    best = fusion.best()
    assert best is not None
    assert best.text == truth
    assert best.confidence > 0.9
    assert fusion.state is not FusionState.PROVISIONAL
    assert best.frame_ref not in misreads


def test_ten_times_the_same_misread_out_of_thirty_are_outvoted_too() -> None:
    fusion: PlateFusion[int] = PlateFusion()
    for frame in range(30):
        fusion.add(reading("京A8B731" if frame % 3 else "京A88731", 0.93), 0.8, frame)
    best = fusion.best()
    assert best is not None
    assert best.text == "京A8B731"


def test_better_evidence_revises_under_the_same_fusion() -> None:
    fusion: PlateFusion[str] = PlateFusion()
    for name in "ab":  # far away: sure and wrong
        fusion.add(reading("京A88731", 0.985, confidence=0.9), 0.2, name)
    assert fusion.state is FusionState.CONFIRMED
    for name in "cdefgh":  # near
        fusion.add(reading("京A8B731", 0.99), 1.0, name)
    assert fusion.state is FusionState.REVISED
    best = fusion.best()
    assert best is not None
    assert best.text == "京A8B731"
    assert best.frame_ref in set("cdefgh")


def test_two_cars_nose_to_tail_stay_two_however_alike() -> None:
    """One fusion per track: plates one character apart, frames interleaved, never merge."""
    tracks: dict[int, PlateFusion[int]] = {7: PlateFusion(), 8: PlateFusion()}
    plates = {7: "京A88731", 8: "京A88732"}
    for frame in range(12):
        for track, fusion in tracks.items():
            fusion.add(reading(plates[track], 0.96), 0.8, frame)
    fused = {track: fusion.best() for track, fusion in tracks.items()}
    assert {t: b.text for t, b in fused.items() if b is not None} == plates


def test_a_tracker_that_slips_to_the_next_car_is_told_so() -> None:
    fusion: PlateFusion[int] = PlateFusion()
    for frame in range(10):
        fusion.add(reading("京A88731", 0.99), 0.8, frame)
    verdicts = [fusion.add(reading("沪C7P052", 0.99), 0.8, 10 + i) for i in range(6)]
    assert verdicts[-1] is Verdict.FOREIGN
    assert verdicts.count(Verdict.FOREIGN) >= 4
    best = fusion.best()
    assert best is not None
    assert best.text == "京A88731"


def test_a_misread_or_two_is_not_another_car() -> None:
    fusion: PlateFusion[int] = PlateFusion(FusionPolicy())
    for frame in range(4):
        fusion.add(reading("京A88731", 0.99), 0.8, frame)
    assert fusion.add(reading("沪C7P052", 0.99), 0.8, 5) is Verdict.COUNTED
    assert fusion.add(reading("京A88731", 0.99), 0.8, 6) is Verdict.COUNTED


def test_a_reading_of_nothing_counts_nothing() -> None:
    fusion: PlateFusion[int] = PlateFusion()
    empty = reading("京A88731")
    nothing = PlateReading(
        "",
        empty.type,
        empty.colour,
        0.0,
        (),
        1.0,
        (),
        empty.distribution,
        empty.colour_distribution,
    )
    assert fusion.add(nothing, 1.0, 1) is Verdict.EMPTY
    assert fusion.best() is None
