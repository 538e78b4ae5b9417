import pytest

from hub.grid import area, cell_at, check_polygon, contains, format_polygon, parse_polygon

SQUARE = parse_polygon("120.0 29.0; 120.1 29.0; 120.1 29.1; 120.0 29.1")
#: An L: the square without its north-east quarter.
CORNER = parse_polygon("0 0; 2 0; 2 1; 1 1; 1 2; 0 2; 0 0")


def test_a_polygon_is_read_and_written_alike() -> None:
    assert parse_polygon(format_polygon(SQUARE)) == SQUARE
    assert len(CORNER) == 6  # without the point that closes it


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is no point"),
        ("1 2; 3", "'3' is no point"),
        ("1 2; 3 x; 1 1", "could not convert"),
        ("0 0; 1 1", "at least three corners"),
        ("0 0; 1 1; 2 2", "not in a line"),
        ("29 120; 29 121; 30 120", "longitude comes first"),
    ],
)
def test_what_is_no_polygon(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_polygon(text)


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((0.5, 0.5), True),
        ((1.5, 0.5), True),
        ((0.5, 1.5), True),
        ((1.5, 1.5), False),
        ((-0.5, 0.5), False),
        ((3.0, 0.0), False),
        ((0.5, 2.5), False),
    ],
)
def test_points_in_a_polygon_that_is_not_convex(point, inside) -> None:
    assert contains(CORNER, point) is inside


def test_a_shared_edge_belongs_to_one_of_two_cells() -> None:
    west = check_polygon([(0, 0), (1, 0), (1, 1), (0, 1)])
    east = check_polygon([(1, 0), (2, 0), (2, 1), (1, 1)])
    for latitude in (0.0, 0.25, 0.5, 0.999):
        assert contains(west, (1.0, latitude)) is not contains(east, (1.0, latitude))


def test_the_smallest_of_the_cells_that_hold_a_point() -> None:
    inner = parse_polygon("120.02 29.02; 120.04 29.02; 120.04 29.04; 120.02 29.04")
    cells = {"outer": SQUARE, "inner": inner}
    assert area(inner) < area(SQUARE)
    assert cell_at(cells, (120.03, 29.03)) == "inner"
    assert cell_at(cells, (120.06, 29.03)) == "outer"
    assert cell_at(cells, (121.0, 29.03)) == ""
    assert cell_at({}, (120.0, 29.0)) == ""
