"""What plate detection and reading give: frozen values with their shapes checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.arrays import ShapeError
from wire.plates import PlateColour, PlateType


@dataclass(frozen=True, slots=True, eq=False)
class PlateDetections:
    """Plates found in one frame, best first.

    Attributes:
        boxes: ``(N, 4)`` float32, xyxy, px: the upright box around the corners.
        score: ``(N,)`` float32, 0 to 1.
        corners: ``(N, 4, 2)`` float32, px, in the plate's own order tl, tr, br, bl.
        rows: ``(N,)`` int64, 1 or 2 rows of characters.
    """

    boxes: NDArray[np.float32]
    score: NDArray[np.float32]
    corners: NDArray[np.float32]
    rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.score)
        for name, shape in (
            ("boxes", (n, 4)),
            ("score", (n,)),
            ("corners", (n, 4, 2)),
            ("rows", (n,)),
        ):
            got = getattr(self, name).shape
            if got != shape:
                raise ShapeError(f"{name}: expected {shape}, got {got}")

    def __len__(self) -> int:
        return len(self.score)

    def pick(self, rows: Sequence[int]) -> "PlateDetections":
        """The plates at these indices, in this order; there may be none."""
        index = np.asarray(rows, np.intp)
        return PlateDetections(
            self.boxes[index], self.score[index], self.corners[index], self.rows[index]
        )

    @classmethod
    def empty(cls) -> "PlateDetections":
        """No plate: ``(0, 4)``, ``(0,)``, ``(0, 4, 2)``, ``(0,)``."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, 4, 2), np.float32),
            np.zeros(0, np.int64),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PlateReading:
    """What one crop of a plate says.

    Attributes:
        text: the likeliest valid plate, normalised; ``""`` where no plate could be read.
        type: its series.
        colour: its ground colour.
        confidence: calibrated probability, 0 to 1, that ``text`` is right as a whole.
        char_confidences: per character of ``text``, 0 to 1.
        province_confidence: of the province character; 1.0 where the series has none.
        alternatives: other valid plates with their probabilities, likeliest first.
        distribution: ``(L, C)`` float32, rows sum to 1: per slot, over blank and then
            ``wire.plates.ALPHABET``; what fusion over a track votes with.
        colour_distribution: ``(K,)`` float32, sums to 1, in the order of ``PlateColour``.
        rows: 1 or 2 rows of characters.
    """

    text: str
    type: PlateType
    colour: PlateColour
    confidence: float
    char_confidences: tuple[float, ...]
    province_confidence: float
    alternatives: tuple[tuple[str, float], ...]
    distribution: NDArray[np.float32] = field(repr=False)
    colour_distribution: NDArray[np.float32] = field(repr=False)
    rows: int = 1
