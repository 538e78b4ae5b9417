"""Two faces side by side, for the person who decides whether they are one. Pure.

In: the picture of the observation and that of the enrolment, and how alike they were found. Out: one JPEG,
the observed face on the left, the figures in a strip below. Nothing is drawn on a face: what the person sees
is what the cameras saw.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from models.arrays import Floats, Image
from models.photos import decode_photo
from wire.messages import FaceMatch

SIDE_PX: Final = 320
_GAP_PX: Final = 8
_AROUND: Final = 0.35
_QUALITY: Final = 90
_LINE_PX: Final = 22
_INK: Final = (230, 230, 230)


def face_with_surroundings(image: Image, box: Floats) -> Image:
    """Cut a face out with some of what is around it: ``(S, S, 3)`` uint8 BGR with S = `SIDE_PX`.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        box: ``(4,)``, xyxy, px; may reach past the border.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(value) for value in box)
    more_x, more_y = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
    left, right = max(0, int(x1 - more_x)), min(width, int(np.ceil(x2 + more_x)))
    top, bottom = max(0, int(y1 - more_y)), min(height, int(np.ceil(y2 + more_y)))
    return _fitted(np.ascontiguousarray(image[top:bottom, left:right]))


def as_jpeg(image: Image) -> bytes:
    """A picture, ``(H, W, 3)`` uint8 BGR, as JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return bytes(data)


def side_by_side(observed: bytes, enrolled: bytes, lines: Sequence[str]) -> bytes:
    """The two pictures as one JPEG, with `lines` (ASCII) below. InputError when one is no picture."""
    gap = np.full((SIDE_PX, _GAP_PX, 3), 255, np.uint8)
    left, right = (_fitted(decode_photo(data)) for data in (observed, enrolled))
    faces = np.hstack((left, gap, right))
    return as_jpeg(np.vstack((faces, _strip(lines, faces.shape[1]))))


def figures_of(match: FaceMatch) -> tuple[str, ...]:
    """What the decision rested on, for the strip below: similarity, lead over the next person, quality."""
    lead = (
        "nobody else to compare with"
        if match.is_alone
        else f"lead over the next {match.margin:.2f}"
    )
    return (
        f"seen (left), enrolled (right): similarity {match.similarity:.2f}, at least {match.threshold:.2f}",
        f"{lead}, quality {match.quality:.2f}, pack {match.pack}",
    )


def _strip(lines: Sequence[str], width: int) -> Image:
    strip = np.zeros((_LINE_PX * len(lines) + _GAP_PX, width, 3), np.uint8)
    for number, line in enumerate(lines, 1):
        where = (_GAP_PX, _LINE_PX * number - 4)
        cv2.putText(strip, line, where, cv2.FONT_HERSHEY_SIMPLEX, 0.48, _INK, 1, cv2.LINE_AA)
    return strip


def _fitted(image: Image) -> Image:
    """The picture in a square of `SIDE_PX`, in the middle, on black; its proportions stay."""
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    top, left = (SIDE_PX - size[1]) // 2, (SIDE_PX - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square
