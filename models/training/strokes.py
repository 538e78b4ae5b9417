"""The four characters that the glyph pictures lack (民航应急), as strokes of our own.

In: a character. Out: its ink mask, in the proportions and the even stroke of plate characters. So
training and its tests need no Chinese font of the machine.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Line = tuple[tuple[int, int], ...]
"""The points that one stroke goes through, on a field of 45 by 90 (mm on a plate of GA 36)."""

STROKES: Final[dict[str, tuple[Line, ...]]] = {
    "民": (
        ((7, 7), (37, 7), (37, 29), (7, 29)),
        ((7, 7), (7, 82), (21, 73)),
        ((7, 48), (41, 48)),
        ((21, 29), (24, 52), (30, 69), (38, 83), (42, 83), (43, 70)),
    ),
    "航": (
        ((12, 4), (8, 13)),
        ((5, 15), (5, 56), (2, 86)),
        ((5, 15), (18, 15), (18, 85), (14, 85)),
        ((2, 47), (22, 47)),
        ((11, 25), (13, 35)),
        ((11, 59), (13, 70)),
        ((33, 4), (35, 12)),
        ((25, 22), (43, 22)),
        ((38, 41), (29, 41), (29, 64), (24, 86)),
        ((38, 41), (38, 81), (43, 81), (43, 70)),
    ),
    "应": (
        ((22, 3), (24, 11)),
        ((43, 18), (7, 18), (7, 56), (3, 86)),
        ((14, 38), (18, 62)),
        ((24, 31), (27, 58)),
        ((40, 31), (32, 79)),
        ((11, 82), (43, 82)),
    ),
    "急": (
        ((16, 4), (5, 20)),
        ((13, 11), (31, 11), (24, 23)),
        ((8, 24), (37, 24), (37, 53), (8, 53)),
        ((8, 38), (37, 38)),
        ((6, 65), (4, 81)),
        ((14, 63), (14, 83), (33, 83), (34, 75)),
        ((21, 61), (25, 71)),
        ((37, 63), (42, 77)),
    ),
}

SCALE: Final = 2
WIDTH: Final = 4.5
"""Of a stroke, on the same field."""


def draw_strokes(character: str) -> NDArray[np.uint8]:
    """``(180, 90)`` uint8 ink mask of one character of :data:`STROKES`."""
    mask = np.zeros((90 * SCALE, 45 * SCALE), np.uint8)
    for line in STROKES[character]:
        points = np.array(line, np.int32) * SCALE
        cv2.polylines(mask, [points], False, 255, round(WIDTH * SCALE), cv2.LINE_AA)
    return mask
