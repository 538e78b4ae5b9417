"""Cut a plate out of a picture by its four corners. Pure: pictures in, pictures out.

Corners are ``(4, 2)`` float32 px in the plate's own order tl, tr, br, bl, as everywhere.
"""

from math import ceil, dist, floor, isfinite

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image

LOOSE_MARGIN = 0.14
"""How far the refiner is shown around a detected plate, as a share of its box on each side."""


MARGIN = (0.03, 0.04)
"""What the reader is shown beyond the corners: a corner a little inside costs a character."""


def rectangle(box: Floats) -> Floats:
    """``(4, 2)`` corners tl, tr, br, bl of an xyxy ``box`` (4,)."""
    return np.asarray(box, np.float32)[[[0, 1], [2, 1], [2, 3], [0, 3]]]


def around(corners: NDArray[np.floating]) -> Floats:
    """``(4,)`` float32 xyxy of the upright box around ``corners`` (4, 2)."""
    return np.concatenate((corners.min(0), corners.max(0)), dtype=np.float32)


def loose_box(corners: Floats, margin: float = LOOSE_MARGIN) -> Floats:
    """``(4,)`` xyxy of the box around ``corners``, grown by ``margin`` of its size a side."""
    box = around(corners)
    grow = np.maximum((box[2:] - box[:2]) * margin, 2.0)
    return np.concatenate((box[:2] - grow, box[2:] + grow), dtype=np.float32)


def grown(corners: Floats, across: float = MARGIN[0], down: float = MARGIN[1]) -> Floats:
    """``corners`` (4, 2) moved outwards in the plate's own plane, by shares of half its sides."""
    u = (corners[1] + corners[2] - corners[0] - corners[3]) * (across / 4)
    v = (corners[2] + corners[3] - corners[0] - corners[1]) * (down / 4)
    return np.asarray(corners + np.stack((-u - v, u - v, u + v, v - u)), np.float32)


def is_quad(corners: Floats) -> bool:
    """Whether ``corners`` (4, 2) are finite and go round a convex area of at least 8 px."""
    points = corners.tolist()
    edges = [
        (x1 - x0, y1 - y0)
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True)
    ]
    turns = [
        u0 * v1 - v0 * u1 for (u0, v0), (u1, v1) in zip(edges, edges[1:] + edges[:1], strict=True)
    ]
    return isfinite(sum(turns)) and min(turns) > 0.5 and sum(turns) / 4 > 8


def cut(picture: Image, corners: Floats, size: tuple[int, int]) -> Image:
    """``picture`` inside ``corners`` as ``size`` (height, width), BGR uint8; edges are repeated.

    Only the part around the corners is touched, so that the cost does not grow with the picture.
    """
    height, width = size
    low_x, low_y, high_x, high_y = around(corners).tolist()
    x0 = min(max(floor(low_x) - 4, 0), picture.shape[1] - 1)
    y0 = min(max(floor(low_y) - 4, 0), picture.shape[0] - 1)
    part = picture[y0 : max(ceil(high_y) + 5, y0 + 1), x0 : max(ceil(high_x) + 5, x0 + 1)]
    source = np.ascontiguousarray(corners - np.array([x0, y0], np.float32), np.float32)
    shrink = dist(corners[0].tolist(), corners[1].tolist()) / width
    if shrink > 1.6:  # else every second pixel would be left out
        part = np.asarray(cv2.blur(part, (round(shrink), round(shrink))), np.uint8)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    return np.asarray(
        cv2.warpPerspective(part, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


_UPPER = (0.17, 0.0, 0.83, 0.41)
"""The upper row of a two-row plate, as shares of its width and height (GA 36: 440 x 220 mm)."""

_LOWER = (0.0, 0.37, 1.0, 1.0)

READER_SIZES = {1: (48, 144), 2: (48, 160)}
"""By rows: height and width that the reader of such plates takes, px."""

UPPER_SHARE = 2 / 5
"""Of the width of the joined picture, for the upper row: its province has the finest strokes of all."""


def _inside(corners: Floats, shares: tuple[float, float, float, float]) -> Floats:
    """The corners of a part of a plate, by the plane's own perspective."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(unit, np.ascontiguousarray(corners, np.float32))
    part = rectangle(np.array(shares, np.float32))
    return np.asarray(cv2.perspectiveTransform(part[None], matrix)[0], np.float32)


def cut_plate(picture: Image, corners: Floats, rows: int) -> Image:
    """The plate inside ``corners`` in its size of :data:`READER_SIZES`; two rows come side by side.

    The upper row is on the left, in :data:`UPPER_SHARE` of the width.
    """
    size = READER_SIZES[rows]
    if rows != 2 or not is_quad(corners):
        return cut(picture, corners, size)
    height, width = size
    left = round(width * UPPER_SHARE)
    upper = cut(picture, _inside(corners, _UPPER), (height, left))
    lower = cut(picture, _inside(corners, _LOWER), (height, width - left))
    return np.asarray(np.hstack((upper, lower)), np.uint8)
