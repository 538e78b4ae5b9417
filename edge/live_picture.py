"""A frame as a live picture: small, and every face in it unrecognisable unless it may be seen whole. Pure.

In: ``(H, W, 3)`` uint8 BGR, whose privacy zones are black already. Out: JPEG bytes of a bounded size, never
written anywhere. A face that one look misses is hidden where the look before found it.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.evidence import encode_jpeg
from edge.frame import Image
from models.faces.types import FaceDetector
from models.pixelate import pixelate
from wire.messages import LiveFaces

WIDTH_PX: Final = 960
LARGEST_BYTES: Final = 200_000
_QUALITIES: Final = (75, 55, 35, 20)
_NONE: Final = np.zeros((0, 4), np.float32)


@dataclass(slots=True)
class LivePainter:
    """Makes the live pictures of one camera, one after another."""

    detector: FaceDetector
    _before: NDArray[np.float32] = field(default_factory=lambda: _NONE, init=False)

    def paint(self, image: Image, faces: LiveFaces) -> tuple[bytes, tuple[int, int]] | None:
        """The JPEG, with its width and height; None where it cannot be made small enough."""
        small = _shrunk(image)
        if faces == "blurred":
            found = self.detector.detect(small).boxes
            pixelate(small, np.concatenate([found, self._before]))
            self._before = found
        for quality in _QUALITIES:
            jpeg = encode_jpeg(small, quality)
            if len(jpeg) <= LARGEST_BYTES:
                return jpeg, (small.shape[1], small.shape[0])
        return None


def _shrunk(image: Image) -> Image:
    """A copy, at most `WIDTH_PX` wide and as high."""
    scale = WIDTH_PX / max(image.shape[:2])
    if scale >= 1.0:
        return image.copy()
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
