"""Grid cells (网格): polygons on the map, and which of them a point lies in. Pure.

In: points as (longitude, latitude) in degrees, all in the same map datum. Out: whether a cell holds a point;
of several that do, the smallest, so that a cell may lie within another.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Point = tuple[float, float]
Polygon = tuple[Point, ...]


def parse_polygon(text: str) -> Polygon:
    """Read ``lon lat; lon lat; lon lat``. ValueError says what is wrong with it."""
    points = []
    for part in text.split(";"):
        numbers = part.split()
        if len(numbers) != 2:
            raise ValueError(f"{part.strip()!r} is no point: write longitude and latitude")
        points.append((float(numbers[0]), float(numbers[1])))
    return check_polygon(points)


def check_polygon(points: Sequence[Sequence[float]]) -> Polygon:
    """Return the polygon without its closing point. ValueError when it is none."""
    polygon = tuple((float(x), float(y)) for x, y in points)
    if len(polygon) > 1 and polygon[0] == polygon[-1]:
        polygon = polygon[:-1]
    for longitude, latitude in polygon:
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise ValueError(f"{longitude} {latitude} is not on the earth: longitude comes first")
    if len(set(polygon)) < 3 or area(polygon) == 0:
        raise ValueError("a polygon has at least three corners that are not in a line")
    return polygon


def format_polygon(polygon: Iterable[Sequence[float]]) -> str:
    """Write what `parse_polygon` reads."""
    return "; ".join(f"{x} {y}" for x, y in polygon)


def area(polygon: Sequence[Point]) -> float:
    """The area in square degrees, for telling which of two cells is smaller."""
    ring = (*polygon, polygon[0])
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))) / 2


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether the polygon holds the point; of two cells that share an edge, one holds a point on it.

    Even-odd rule: count the edges that a ray to the east crosses.
    """
    longitude, latitude = point
    inside = False
    for (x1, y1), (x2, y2) in pairwise((*polygon, polygon[0])):
        if (y1 > latitude) != (y2 > latitude):
            crossing = x1 + (latitude - y1) / (y2 - y1) * (x2 - x1)
            inside ^= longitude < crossing
    return inside


def cell_at(cells: Mapping[str, Sequence[Point]], point: Point) -> str:
    """The name of the smallest cell that holds the point; "" where none does."""
    holding = [(area(polygon), name) for name, polygon in cells.items() if contains(polygon, point)]
    return min(holding)[1] if holding else ""
