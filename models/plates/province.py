"""A closer look at the province: the one character whose strokes the reader's picture is too small for.

In: a picture, a plate's corners in it, what was read there. Out: the province's own cell, cut from the
picture itself in :data:`SIZE`, and the reader's distribution with what that look gives taken in. Where the
cell lies follows from the series that was read (GA 36: the characters of a series stand at fixed places).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image
from models.plates.rectify import cut, rectangle
from models.sessions import Session
from wire.plates import ALPHABET, PROVINCES

SIZE = 64
"""Height and width of the cut cell, px: a character of 45 mm gets 36 px of them, where the reader has 15."""

AROUND = (0.4, 0.25)
"""What is shown beside the cell, left and right and above and below, as shares of it."""

Cell = tuple[float, float, float, float]

_FIRST: Cell = (15.5 / 440, 25 / 140, 60.5 / 440, 115 / 140)
_FIRST_GREEN: Cell = (15.5 / 480, 25 / 140, 60.5 / 480, 115 / 140)
_FIRST_LONG: Cell = (15.5 / 471, 25 / 140, 60.5 / 471, 115 / 140)
_THIRD_LONG: Cell = (140.5 / 471, 25 / 140, 185.5 / 471, 115 / 140)
_UPPER_FIRST: Cell = (110 / 440, 15 / 220, 190 / 440, 75 / 220)
_UPPER_WIDE: Cell = (88 / 440, 15 / 220, 162 / 440, 75 / 220)
_UPPER_LAST: Cell = (255 / 440, 15 / 220, 335 / 440, 75 / 220)

_WEIGHT = 0.3
"""Of this look against the reader's, where both give a distribution: their logarithms are averaged."""

CLASSES = np.array([ALPHABET.index(c) + 1 for c in PROVINCES])
"""``(31,)``: the reader's class of each province."""


def slot_of(text: str) -> int | None:
    """Where ``text`` has a province that could be any; None where it has none, or the series says which."""
    if text.endswith(("港", "澳")):
        return None
    return next((slot for slot, c in enumerate(text) if c in PROVINCES), None)


def cell_of(text: str, rows: int) -> Cell:
    """Where the province of ``text`` stands: left, top, right, bottom as shares of the plate.

    ``text`` is a valid plate with a province, on ``rows`` rows.
    """
    behind_wj = slot_of(text) == 2
    if rows == 2:
        if behind_wj:
            return _UPPER_LAST
        return _UPPER_WIDE if len(text) == 8 else _UPPER_FIRST
    if behind_wj:
        return _THIRD_LONG
    if len(text) < 8:
        return _FIRST
    return _FIRST_LONG if text.endswith("应急") else _FIRST_GREEN


def cut_cell(picture: Image, corners: Floats, cell: Cell) -> Image:
    """``(SIZE, SIZE, 3)``: what is at ``cell`` and around it of the plate with ``corners`` (4, 2) px."""
    left, top, right, bottom = cell
    across, down = AROUND[0] * (right - left), AROUND[1] * (bottom - top)
    shares = np.array([left - across, top - down, right + across, bottom + down], np.float32)
    unit = rectangle(np.array([0, 0, 1, 1], np.float32))
    matrix = cv2.getPerspectiveTransform(unit, np.ascontiguousarray(corners, np.float32))
    quad = cv2.perspectiveTransform(rectangle(shares)[None], matrix)[0]
    return cut(picture, np.asarray(quad, np.float32), (SIZE, SIZE))


def taken_in(slots: NDArray[np.floating], slot: int, look: NDArray[np.floating]) -> Floats:
    """``slots`` (8, C) with ``look`` (31,), a distribution over provinces, taken in at ``slot``.

    How much of the slot is any province stays as the reader has it.
    """
    mine = np.clip(slots[slot, CLASSES].astype(np.float64), 1e-9, None)
    both = mine ** (1 - _WEIGHT) * np.clip(look.astype(np.float64), 1e-9, None) ** _WEIGHT
    out = np.array(slots, np.float32)
    out[slot, CLASSES] = both / both.sum() * mine.sum()
    return out


class ProvinceReader:
    """The network for provinces. Safe to share between threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def read(self, cells: Sequence[Image]) -> Floats:
        """``(N, 31)``: of each cell ``(SIZE, SIZE, 3)`` a distribution over ``PROVINCES``."""
        (out,) = self._session.run(None, {self._input: np.stack(cells)})
        return np.asarray(out, np.float32)
