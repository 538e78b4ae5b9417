"""Which detections count as plates: by detector, refiner and, where there is doubt, the reader."""

from collections.abc import Sequence

import numpy as np
import pytest

from models.plates.recogniser import believe
from models.plates.types import PlateDetections


def detections(*plates: tuple[float, float]) -> PlateDetections:
    """Plates of these scores and widths."""
    corners = np.array(
        [[[0, 0], [w, 0], [w, 0.3 * w], [0, 0.3 * w]] for _, w in plates], np.float32
    ).reshape(-1, 4, 2)
    boxes = np.concatenate((corners[:, 0], corners[:, 2]), axis=1)
    score = np.array([score for score, _ in plates], np.float32)
    return PlateDetections(boxes, score, corners, np.ones(len(plates), np.int64))


class Asked:
    """A reader that gives one verdict for everything, and remembers what it was asked."""

    def __init__(self, verdict: bool) -> None:
        self.verdict, self.rows = verdict, []

    def __call__(self, rows: Sequence[int]) -> list[bool]:
        self.rows += rows
        return [self.verdict] * len(rows)


def test_nothing_found_is_nothing_believed_and_nobody_is_asked() -> None:
    asked = Asked(True)
    assert believe(PlateDetections.empty(), np.zeros(0, np.float32), asked) == []
    assert asked.rows == []


@pytest.mark.parametrize(
    ("score", "width", "plate", "legible", "kept", "read"),
    [
        (0.9, 120, 0.99, False, True, False),  # certain: stands without being read
        (0.5, 120, 0.99, True, True, True),
        (0.5, 120, 0.99, False, False, True),  # a grille: nothing to read
        (0.5, 120, 0.92, True, True, True),
        (0.9, 120, 0.80, True, False, False),  # the refiner says no
        (0.5, 30, 0.97, False, True, False),  # too far to be read: by its looks
        (0.5, 30, 0.92, False, False, False),
    ],
)
def test_who_decides(
    score: float, width: float, plate: float, legible: bool, kept: bool, read: bool
) -> None:
    asked = Asked(legible)
    rows = believe(detections((score, width)), np.array([plate], np.float32), asked)
    assert rows == ([0] if kept else [])
    assert asked.rows == ([0] if read else [])


def test_only_the_doubtful_are_asked_for_and_order_is_kept() -> None:
    asked = Asked(False)
    found = detections((0.9, 100), (0.6, 100), (0.5, 20), (0.5, 100))
    assert believe(found, np.full(4, 0.99, np.float32), asked) == [0, 2]
    assert asked.rows == [1, 3]
    assert found.pick([0, 2]).score == pytest.approx([0.9, 0.5])
    assert found.pick([]).corners.shape == (0, 4, 2)
