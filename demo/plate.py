"""A drawn licence plate, for the demonstration's car. Geometry: GA 36-2018, blue plate, 440 x 140 mm.

The characters are OpenCV's built-in font, stretched to the standard's 45 x 90 mm: nothing to download.
"""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

_SIZE_MM = (440, 140)
_CHARACTER_MM = (45, 90)
_FIRST_MM = (15.5, 25.0)
_PITCH_MM = 57.0
_DOT_MM = 22.0  # more between the second and the third character, where the dot is
_BLUE_BGR = (168, 66, 10)
_WHITE_BGR = (245, 245, 245)
_PX_PER_MM = 2


def draw_plate(text: str) -> Picture:
    """Return the 7-character blue plate `text` as BGR uint8 (280, 880, 3)."""
    if len(text) != 7:
        raise ValueError(f"a blue plate has 7 characters, {text!r} has {len(text)}")
    width, height = (_PX_PER_MM * side for side in _SIZE_MM)
    plate = np.full((height, width, 3), _BLUE_BGR, np.uint8)
    cv2.rectangle(plate, (8, 8), (width - 9, height - 9), _WHITE_BGR, 4, cv2.LINE_AA)
    x_mm, y_mm = _FIRST_MM
    for position, character in enumerate(text):
        _paste(plate, _glyph(character), round(x_mm * _PX_PER_MM), round(y_mm * _PX_PER_MM))
        if position == 1:
            centre = (round((x_mm + _CHARACTER_MM[0] + 17) * _PX_PER_MM), height // 2)
            cv2.circle(plate, centre, 5 * _PX_PER_MM, _WHITE_BGR, -1, cv2.LINE_AA)
            x_mm += _DOT_MM
        x_mm += _PITCH_MM
    return plate


def _glyph(character: str) -> npt.NDArray[np.float32]:
    """One character as coverage 0..1, stretched to the standard's box."""
    canvas = np.zeros((260, 320), np.uint8)
    cv2.putText(canvas, character, (60, 190), (255,), cv2.FontFace("sans"), 150, 500)
    rows, columns = np.nonzero(canvas > 32)
    if rows.size == 0:
        raise ValueError(f"the built-in font has no {character!r}")
    tight = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width, height = (_PX_PER_MM * side for side in _CHARACTER_MM)
    if character == "1":  # a bar keeps its own width, in the middle of its box
        narrow = cv2.resize(tight, (width // 2, height), interpolation=cv2.INTER_AREA)
        stretched = np.zeros((height, width), np.uint8)
        stretched[:, width // 4 : width // 4 + width // 2] = narrow
    else:
        stretched = cv2.resize(tight, (width, height), interpolation=cv2.INTER_AREA).astype(
            np.uint8
        )
    return stretched.astype(np.float32) / 255.0


def _paste(plate: Picture, coverage: npt.NDArray[np.float32], x: int, y: int) -> None:
    height, width = coverage.shape
    region = plate[y : y + height, x : x + width]
    alpha = coverage[..., None]
    region[:] = (region * (1 - alpha) + np.array(_WHITE_BGR, np.float32) * alpha).astype(np.uint8)
