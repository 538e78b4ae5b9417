"""Privacy zones: black however the picture is asked for, and nothing else is."""

import numpy as np
import pytest

from edge.frame import ArrayPixels, shrink
from edge.privacy import hidden, mask

WINDOW = ((0.5, 0.25), (0.75, 0.25), (0.75, 0.5), (0.5, 0.5))


def noise(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 255, (360, 640, 3), dtype=np.uint8)


def test_without_zones_the_pixels_are_the_same() -> None:
    pixels = ArrayPixels(noise())
    assert mask(pixels, ()) is pixels


def test_what_lies_in_a_zone_is_black_in_colour_and_the_rest_is_as_it_was() -> None:
    image = noise()
    before = image.copy()
    seen = mask(ArrayPixels(image), (WINDOW,)).bgr()
    assert not seen[90:180, 320:480].any()
    away = np.ones(image.shape[:2], bool)
    away[80:190, 310:490] = False
    assert (seen[away] == before[away]).all()
    assert (image == before).all(), "the shared picture was written to"


@pytest.mark.parametrize("width_px", [64, 160, 320])
def test_a_small_grey_picture_shows_nothing_of_it_either(width_px: int) -> None:
    """Two pictures that differ in the zone alone look the same, at whatever size."""
    one, other = noise(), noise()
    other[90:180, 320:480] = noise(2)[90:180, 320:480]
    first, second = (mask(ArrayPixels(i), (WINDOW,)).grey(width_px) for i in (one, other))
    assert (first == second).all()
    assert (shrink(one[:, :, 0], width_px) != shrink(other[:, :, 0], width_px)).any()


def test_a_zone_as_large_as_the_picture_hides_all() -> None:
    assert hidden((((0, 0), (1, 0), (1, 1), (0, 1)),), (64, 36)).all()
