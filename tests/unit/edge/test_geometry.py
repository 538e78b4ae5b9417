"""Points, polygons and lines: nothing, corners, borders, and pictures that are not square."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.geometry import area, beside, contains, crosses_itself, distance, meet, normal

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
ANGLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5))  # a corner that turns inwards
PART = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("polygon", "point", "inside"),
    [
        (SQUARE, (0.5, 0.5), True),
        (SQUARE, (0.1, 0.5), False),
        (SQUARE, (0.5, 0.9), False),
        (ANGLE, (0.9, 0.6), True),
        (ANGLE, (0.4, 0.6), False),
    ],
)
def test_inside(polygon: tuple, point: tuple, inside: bool) -> None:
    assert contains(polygon, point) is inside


@given(PART, PART)
def test_each_point_is_in_exactly_one_half(x: float, y: float) -> None:
    left, right = ((-1, -1), (0.5, -1), (0.5, 2), (-1, 2)), ((0.5, -1), (2, -1), (2, 2), (0.5, 2))
    assert contains(left, (x, y)) != contains(right, (x, y))


def test_area_and_crossing_sides() -> None:
    assert area(SQUARE) == pytest.approx(0.36)
    assert not crosses_itself(SQUARE)
    assert not crosses_itself(ANGLE)
    assert crosses_itself((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]))


def test_segments_meet_or_do_not() -> None:
    assert meet((0, 0), (1, 1), (0, 1), (1, 0))
    assert meet((0, 0), (1, 0), (0.5, 0), (0.5, 1))  # one ends on the other
    assert not meet((0, 0), (0.4, 0.4), (0, 1), (1, 0))
    assert not meet((0, 0), (1, 0), (0, 0.1), (1, 0.1))


def test_beside_is_to_the_right_and_in_widths() -> None:
    # Up the picture: right is right. The picture is half as high as wide.
    assert beside((0.5, 1.0), (0.5, 0.0), (0.7, 0.5), 0.5) == pytest.approx(0.2)
    assert beside((0.5, 1.0), (0.5, 0.0), (0.4, 0.5), 0.5) == pytest.approx(-0.1)
    assert beside((0.0, 0.5), (1.0, 0.5), (0.5, 0.7), 0.5) == pytest.approx(0.1)  # y counts half
    assert distance((0.0, 0.0), (0.3, 0.8), 0.5) == pytest.approx(0.5)


@given(PART, PART, PART, PART)
def test_the_normal_points_to_the_right(x1: float, y1: float, x2: float, y2: float) -> None:
    if distance((x1, y1), (x2, y2), 0.6) < 0.01:
        return
    dx, dy = normal((x1, y1), (x2, y2), 0.6)
    middle = ((x1 + x2) / 2 + 0.1 * dx, (y1 + y2) / 2 + 0.1 * dy / 0.6)
    assert beside((x1, y1), (x2, y2), middle, 0.6) == pytest.approx(0.1)
