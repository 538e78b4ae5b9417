"""Points, polygons and lines in a picture, in relative coordinates: pure geometry.

Coordinates are ``(x, y)``, 0 to 1 of the picture's width and height, origin top left. What depends on angles
or lengths takes the picture's `aspect` (height / width), for a relative unit is not as long in y as in x.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

Point = tuple[float, float]
Polygon = Sequence[Point]


def contains(polygon: Polygon, point: Point) -> bool:
    """Whether `point` is inside, by the even-odd rule."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in edges(polygon):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def edges(polygon: Polygon) -> list[tuple[Point, Point]]:
    """The sides, the last one back to the first point."""
    return [*pairwise(polygon), (polygon[-1], polygon[0])]


def area(polygon: Polygon) -> float:
    """Area, in parts of the picture."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in edges(polygon))) / 2.0


def crosses_itself(polygon: Polygon) -> bool:
    """Whether two sides that are no neighbours meet."""
    sides = edges(polygon)
    count = len(sides)
    return any(
        meet(*sides[i], *sides[j])
        for i in range(count)
        for j in range(i + 2, count)
        if not (i == 0 and j == count - 1)
    )


def meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments a-b and c-d have a point in common."""
    turns = [_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)]
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((turns[0], a, b, c), (turns[1], a, b, d), (turns[2], c, d, a), (turns[3], c, d, b))
    return any(turn == 0 and _within(p, q, r) for turn, p, q, r in ends)


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive when a-b-c turns clockwise as seen on the screen, 0 when it is straight."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Point, b: Point, c: Point) -> bool:
    """Whether c, on the line through a and b, is between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def beside(start: Point, end: Point, point: Point, aspect: float) -> float:
    """How far `point` is to the right of the line from `start` to `end`, in widths; left is negative."""
    (x1, y1), (x2, y2), (x, y) = (scaled(p, aspect) for p in (start, end, point))
    length = hypot(x2 - x1, y2 - y1)
    return _turn((x1, y1), (x2, y2), (x, y)) / length if length else 0.0


def normal(start: Point, end: Point, aspect: float) -> Point:
    """The direction to the right of the line from `start` to `end`, of length 1, in widths."""
    (x1, y1), (x2, y2) = scaled(start, aspect), scaled(end, aspect)
    length = hypot(x2 - x1, y2 - y1)
    return ((y1 - y2) / length, (x2 - x1) / length) if length else (0.0, 0.0)


def distance(a: Point, b: Point, aspect: float) -> float:
    """Distance in widths of the picture."""
    return hypot(a[0] - b[0], (a[1] - b[1]) * aspect)


def scaled(point: Point, aspect: float) -> Point:
    """The point in widths of the picture, in which x and y are equally long."""
    return point[0], point[1] * aspect
