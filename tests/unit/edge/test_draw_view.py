"""What an installer sees: each thing that is configured leaves its mark, and nothing else does."""

import numpy as np
import pytest

from edge.draw_view import draw_view
from edge.perspective import Perspective
from edge.zones import Line, Places, Zone

GREY = np.full((360, 640, 3), 120, np.uint8)
ALL = frozenset({"person"})
ZONE = Zone("yard", ((0.1, 0.5), (0.4, 0.5), (0.4, 0.9), (0.1, 0.9)), ALL, 30.0)
LINE = Line("gate", (0.7, 0.9), (0.7, 0.3), ALL)


def changed(places: Places, privacy: tuple = ()) -> np.ndarray:
    return (draw_view(GREY, places, privacy) != GREY).any(axis=2)


def test_nothing_configured_nothing_drawn() -> None:
    assert not changed(Places()).any()


@pytest.mark.parametrize(
    ("places", "inside", "outside"),
    [
        (Places(zones=(ZONE,)), (slice(190, 320), slice(70, 250)), (slice(0, 150), slice(0, 640))),
        (Places(lines=(LINE,)), (slice(120, 320), slice(448, 449)), (slice(0, 90), slice(0, 640))),
    ],
)
def test_it_is_where_it_was_configured(places: Places, inside: tuple, outside: tuple) -> None:
    marks = changed(places)
    assert marks[inside].all()
    assert not marks[outside].any()


def test_the_arrow_points_to_where_in_is() -> None:
    marks = changed(Places(lines=(LINE,)))[200:230]
    assert marks[:, 460:490].any()  # looking up the picture, right is in
    assert not marks[:, 400:440].any()


def test_people_stand_as_high_as_the_perspective_says() -> None:
    marks = changed(Places(perspective=Perspective(far=(0.3, 0.1), near=(0.9, 0.5))))
    assert marks[round(0.4 * 360)].any()  # the head of the near one
    assert not marks[340:].any()


def test_a_privacy_zone_shows_nothing_of_what_is_behind() -> None:
    window = ((0.5, 0.25), (0.75, 0.25), (0.75, 0.5), (0.5, 0.5))
    noise = np.random.default_rng(1).integers(0, 255, GREY.shape, dtype=np.uint8)
    ours = (slice(92, 178), slice(322, 478))
    drawn = [draw_view(image, Places(), (window,))[ours] for image in (GREY, noise)]
    assert (drawn[0] == drawn[1]).all()
