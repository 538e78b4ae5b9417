"""What is spoilt in training: a share of the samples, near the plate, by the generator alone."""

import numpy as np
import pytest

from models.plates.rectify import rectangle
from models.training.spoil import SHARE, bloom, cover, haze, spoil, stamp

CORNERS = rectangle(np.array([60, 40, 200, 84], np.float32))


def picture() -> np.ndarray:
    """A dark ground with a bright bar in the middle of the plate."""
    flat = np.full((120, 260, 3), 70, np.uint8)
    flat[55:70, 90:170] = 230
    return flat


@pytest.mark.parametrize("way", [stamp, bloom, cover])
def test_each_way_changes_the_picture_and_not_what_it_was_given(way) -> None:
    changed = 0
    for seed in range(20):
        given = picture()
        out = way(given, CORNERS, np.random.default_rng(seed))
        assert out.shape == given.shape
        assert out.dtype == np.uint8
        assert np.array_equal(given, picture())
        changed += not np.array_equal(out, given)
    assert changed >= 18


def test_a_stamp_reaches_into_the_plate_and_leaves_most_of_it() -> None:
    touched = []
    for seed in range(60):
        out = stamp(picture(), CORNERS, np.random.default_rng(seed))
        inside = (out != picture()).any(2)[40:84, 60:200]
        touched.append(inside.mean())
    assert np.mean(np.array(touched) > 0) > 0.5
    assert np.median(touched) < 0.35


def test_bloom_spreads_what_is_bright_into_what_is_beside_it() -> None:
    beside = [
        bloom(picture(), CORNERS, np.random.default_rng(seed))[53, 120].mean() for seed in range(30)
    ]
    assert np.mean(beside) > 90


def test_haze_takes_contrast_away() -> None:
    for seed in range(20):
        out = haze(picture(), np.random.default_rng(seed))
        assert np.ptp(out.mean(2)) < 0.8 * np.ptp(picture().mean(2))


def test_most_samples_are_left_as_they_are() -> None:
    rng = np.random.default_rng(0)
    kept = np.mean([np.array_equal(
        spoil(picture(), CORNERS, rng), picture()) for _ in range(300)])  # fmt: skip
    assert abs(kept - (1 - SHARE)) < 0.1


def test_the_same_seed_spoils_the_same_way() -> None:
    a, b = (spoil(picture(), CORNERS, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(a, b)
