"""Privacy zones: parts of the picture that nothing of ours may see, such as a neighbour's window.

In: decoded pixels and polygons. Out: the same pixels, black in those parts whichever way they are asked for.
Captured frames are wrapped in this before anything else gets them, so neither a network nor a picture of
evidence ever has what is behind. Pure. A clip of the stream's own packets cannot be masked: a camera with a
privacy zone keeps none.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Grey, Image, Pixels
from edge.geometry import Point

Polygons = tuple[tuple[Point, ...], ...]
_MARGIN: Final = 0.004  # of the width: the picture is sampled, and shrunk for the motion gate


@dataclass(frozen=True, slots=True, eq=False)
class MaskedPixels:
    """`pixels` with `zones` in black."""

    pixels: Pixels
    zones: Polygons

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.size_px

    def bgr(self) -> Image:
        """A new array: what is shared with others stays as it is."""
        image = self.pixels.bgr().copy()
        image[hidden(self.zones, (image.shape[1], image.shape[0]))] = 0
        return image

    def grey(self, width_px: int) -> Grey:
        """A small luma picture of this width, height in proportion."""
        grey = self.pixels.grey(width_px).copy()
        grey[hidden(self.zones, (grey.shape[1], grey.shape[0]))] = 0
        return grey


@lru_cache(maxsize=64)
def hidden(zones: Polygons, size_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of a picture of this size are in a zone or at its edge; ``(h, w)`` bool."""
    width, height = size_px
    mask = np.zeros((height, width), np.uint8)
    for zone in zones:
        points = np.rint(np.array(zone) * (width, height)).astype(np.int32)
        cv2.fillPoly(mask, [points], 255)
        cv2.polylines(mask, [points], isClosed=True, color=255, thickness=1 + 2 * _margin_px(width))
    return mask > 0


def _margin_px(width_px: int) -> int:
    return max(1, round(_MARGIN * width_px))


def mask(pixels: Pixels, zones: Polygons) -> Pixels:
    """`pixels` with these zones in black; as they are where there are none."""
    return MaskedPixels(pixels, zones) if zones else pixels
