"""What was configured for one camera, drawn on a frame of it, for the installer's eyes.

In: a picture and the camera's zones, lines, privacy zones and perspective. Out: a new picture with them.
Pure. Names of places are identifiers, so that plain ASCII is enough to write them.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Image
from edge.geometry import Point, normal
from edge.perspective import Perspective
from edge.privacy import Polygons, hidden
from edge.zones import Line, Places, Zone

Colour = tuple[int, int, int]

_ZONE: Final[Colour] = (80, 220, 80)  # BGR
_LINE: Final[Colour] = (0, 200, 255)
_SIZE: Final[Colour] = (255, 160, 60)
_DARK: Final[Colour] = (0, 0, 0)
_HATCH_PX: Final = 14
_ARROW: Final = 0.06  # of the picture's width
_PEOPLE: Final = 5


def draw_view(image: Image, places: Places, privacy: Polygons) -> Image:
    """`image` ``(H, W, 3)`` BGR with all that is watched in it; privacy zones black and hatched."""
    drawn = image.copy()
    _hide(drawn, privacy)
    for zone in places.zones:
        _draw_zone(drawn, zone)
    for line in places.lines:
        _draw_line(drawn, line)
    if places.perspective is not None:
        _draw_people(drawn, places.perspective)
    return drawn


def _hide(drawn: Image, privacy: Polygons) -> None:
    if not privacy:
        return
    height, width = drawn.shape[:2]
    mask = hidden(privacy, (width, height))
    rows, columns = np.indices((height, width), sparse=True)
    hatched = mask & ((rows + columns) % _HATCH_PX < 2)
    drawn[mask] = 0
    drawn[hatched] = 90


def _draw_zone(drawn: Image, zone: Zone) -> None:
    corners = _pixels(drawn, zone.polygon)
    filled = drawn.copy()
    cv2.fillPoly(filled, [corners], _ZONE)
    cv2.addWeighted(filled, 0.2, drawn, 0.8, 0.0, dst=drawn)
    cv2.polylines(drawn, [corners], isClosed=True, color=_ZONE, thickness=_thick(drawn))
    dwell = "" if zone.dwell_s is None else f" {zone.dwell_s:g} s"
    _write(drawn, f"{zone.id}{dwell}", corners.mean(axis=0), _ZONE)


def _draw_line(drawn: Image, line: Line) -> None:
    """The line, with an arrow from its middle to where ``in`` is."""
    height, width = drawn.shape[:2]
    start, end = _pixels(drawn, (line.start, line.end))
    cv2.line(drawn, start.tolist(), end.tolist(), _LINE, _thick(drawn))
    middle = (start + end) / 2.0
    tip = middle + _ARROW * width * np.array(normal(line.start, line.end, height / width))
    cv2.arrowedLine(drawn, _whole(middle), _whole(tip), _LINE, _thick(drawn), tipLength=0.3)
    _write(drawn, "in", tip, _LINE)
    _write(drawn, line.id, start, _LINE)


def _draw_people(drawn: Image, perspective: Perspective) -> None:
    """People as high as they should be, and the least that counts, from far to near."""
    height, width = drawn.shape[:2]
    feet = np.linspace(perspective.far[0], perspective.near[0], _PEOPLE)
    for number, foot_y in enumerate(feet):
        x, foot = width * (number + 0.5) / _PEOPLE, foot_y * height
        for part, thick in ((1.0, _thick(drawn)), (perspective.least, 1)):
            tall = part * height * perspective.person_height(float(foot_y))
            box = (x - tall / 6.0, foot - tall), (x + tall / 6.0, foot)
            cv2.rectangle(drawn, _whole(box[0]), _whole(box[1]), _SIZE, thick)


def _write(drawn: Image, text: str, at: NDArray[np.float64], colour: Colour) -> None:
    size = max(0.4, drawn.shape[0] / 900.0)
    for shade, thick in ((_DARK, 2 * _thick(drawn)), (colour, max(1, _thick(drawn) // 2))):
        cv2.putText(
            drawn, text, _whole(at), cv2.FONT_HERSHEY_SIMPLEX, size, shade, thick, cv2.LINE_AA
        )


def _thick(image: Image) -> int:
    height: int = image.shape[0]
    return max(1, round(height / 300))


def _pixels(image: Image, points: Sequence[Point]) -> NDArray[np.int32]:
    """Relative points as pixels, ``(N, 2)``."""
    size = (image.shape[1], image.shape[0])
    pixels: NDArray[np.int32] = np.rint(np.array(points) * size).astype(np.int32)
    return pixels


def _whole(point: Sequence[float] | NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
