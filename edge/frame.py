"""What capture hands on: one picture with its camera, its time and its place in the stream.

A `RawFrame` is not yet converted to BGR, because most decoded frames are never analysed; `to_frame`
converts. `SceneEnd` stands between frames that do not belong to one continuous view (a reconnection,
a new resolution, the next picture of a folder): every track ends there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Picture, ``(H, W, 3)`` uint8, BGR, origin top left."""

Grey = NDArray[np.uint8]
"""Picture, ``(H, W)`` uint8, luma."""


class Pixels(Protocol):
    """A decoded picture in whatever form its decoder left it."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        ...

    def bgr(self) -> Image:
        """Convert to ``(H, W, 3)`` uint8 BGR; a new array."""
        ...

    def grey(self, width_px: int) -> Grey:
        """A small luma picture of this width, height in proportion."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPixels:
    """Pixels that are an array already: a still picture."""

    image: Image

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]

    def bgr(self) -> Image:
        """The picture itself; nobody may write to it."""
        return self.image

    def grey(self, width_px: int) -> Grey:
        """A small luma picture of this width."""
        return shrink(cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY), width_px)


def shrink(luma: Grey, width_px: int) -> Grey:
    """Resize ``(H, W)`` luma to `width_px` by averaging areas, height in proportion.

    Rows are thinned first: three of four rows add nothing to a picture an order smaller.
    """
    height, width = luma.shape
    size = (width_px, max(1, round(height * width_px / width)))
    step = max(1, height // (4 * size[1]))
    small: Grey = cv2.resize(luma[::step], size, interpolation=cv2.INTER_AREA)
    return small


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture to analyse.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR; read only by agreement, since tracks share it.
        camera: id of the camera.
        captured_at: aware UTC, strictly increasing within one camera.
        sequence: number of the decoded frame within this capture, from 0.
        pts_s: presentation time in the stream, seconds.
    """

    image: Image
    camera: str
    captured_at: datetime
    sequence: int
    pts_s: float

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """A `Frame` before colour conversion.

    `arrived_s` is the monotonic time of its arrival; `camera_clock` when the camera itself says that it
    took the picture, None where it does not say.
    """

    pixels: Pixels
    camera: str
    captured_at: datetime
    sequence: int
    pts_s: float
    arrived_s: float
    camera_clock: datetime | None = None

    def to_frame(self) -> Frame:
        """Convert the pixels to BGR."""
        return Frame(self.pixels.bgr(), self.camera, self.captured_at, self.sequence, self.pts_s)


@dataclass(frozen=True, slots=True)
class SceneEnd:
    """The continuous view ends here, with the reason; `final` when nothing will follow."""

    reason: str
    final: bool = False
