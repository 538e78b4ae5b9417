"""Which crops are wanted over the life of a track."""

import numpy as np
import pytest

from edge.quality import BestCrops, plate_quality


def taken(qualities: list[float], *, keep: int = 3, step_s: float = 0.0) -> list[float]:
    crops, took = BestCrops(keep=keep, floor=0.2), []
    for number, quality in enumerate(qualities):
        if crops.wants(quality, number * step_s):
            crops.took(quality, number * step_s)
            took.append(quality)
    return took


def test_now_and_then_a_track_is_looked_at_again() -> None:
    assert len(taken([0.5] * 100, step_s=0.2)) == 3 + 9  # every two of twenty seconds
    assert len(taken([0.9] + [0.4] * 100, step_s=0.2)) == 1


def test_poor_crops_use_nothing_up_however_many() -> None:
    assert taken([0.1] * 500 + [0.6, 0.7, 0.8]) == [0.6, 0.7, 0.8]


def test_once_full_only_clearly_better_ones_are_wanted() -> None:
    assert taken([0.5, 0.5, 0.5, 0.52, 0.5, 0.56, 0.9]) == [0.5, 0.5, 0.5, 0.56, 0.9]


def test_a_poor_crop_beside_a_good_one_is_not_wanted() -> None:
    assert taken([0.9, 0.4, 0.5]) == [0.9, 0.5]


def test_the_number_of_recognitions_is_bounded() -> None:
    rising = [n / 10_000 for n in range(10_000)]
    assert len(taken(rising)) < 3 * 25


@pytest.mark.parametrize("box", [(0, 0, 4, 2), (-20, -20, -5, -5), (700, 10, 760, 30)])
def test_a_plate_that_is_hardly_there_has_no_quality(box: tuple[int, ...]) -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    assert plate_quality(image, np.array(box, np.float32), 1, 0.9) == 0.0


def test_larger_sharper_and_surer_is_better() -> None:
    image = np.random.default_rng(1).integers(0, 255, (360, 640, 3)).astype(np.uint8)
    flat = np.full_like(image, 90)
    near, far = (
        np.array([100, 100, 220, 140], np.float32),
        np.array([100, 100, 130, 110], np.float32),
    )
    assert plate_quality(image, near, 1, 0.9) > plate_quality(image, far, 1, 0.9)
    assert plate_quality(image, near, 1, 0.9) > plate_quality(image, near, 1, 0.4)
    assert plate_quality(image, near, 1, 0.9) > plate_quality(flat, near, 1, 0.9)
    assert plate_quality(image, near, 2, 0.9) < plate_quality(image, near, 1, 0.9)
    cut = np.array([0, 100, 120, 140], np.float32)
    assert plate_quality(image, cut, 1, 0.9) < plate_quality(image, near, 1, 0.9)
