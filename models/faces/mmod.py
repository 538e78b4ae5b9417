"""dlib's second face detector, a network that finds faces in more poses: lowered, turned, from the side.

In: a session of :func:`models.faces.dlib_graphs.detector_graph`, a picture. Out: boxes and margins. King,
"Max-Margin Object Detection", arXiv 1502.00046. It looks through a window of 80 px at the picture and at ever
smaller copies of it, and gives the margins that dlib gives where it is shown the same pixels.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from models.arrays import Floats, Image
from models.faces.dlib_graphs import EDGE_PX
from models.sessions import Session

WINDOW_PX: Final = 80
_STRIDE: Final = 8
_CENTRE: Final = 14 - EDGE_PX
"""Where the middle of the first window is, px: three convolutions of 5 with a stride of 2, less the edge."""
_STEP: Final = 3 / 4
"""From copy to copy. With dlib's 5 / 6 it takes half as long again, and finds the same faces."""
_LEAST_PX: Final = WINDOW_PX - 2 * EDGE_PX
"""The shortest side of the smallest copy looked at: of a window at least all but the edge is picture."""
_SAME_FACE: Final = 0.34
"""Two windows that share more of what they cover together show one face (the file's own value is 0.338)."""


class MmodFinder:
    """Boxes of faces. May be shared between threads.

    A picture whose longest side exceeds `longest_px` is scaled down to it; smaller ones stay as they are.
    There a face must be as large as the window.
    """

    def __init__(self, session: Session, *, longest_px: int) -> None:
        self._session, self._longest_px = session, longest_px
        self._input = session.get_inputs()[0].name

    def find(self, image: Image) -> tuple[Floats, Floats]:
        """Boxes ``(N, 4)`` float32 xyxy px of `image`, ``(H, W, 3)`` BGR uint8, and margins ``(N,)``."""
        boxes, margins = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
        for copy in self._copies(image):
            (out,) = self._session.run(None, {self._input: copy[None]})
            rows, columns = np.nonzero(out[0, 0] > 0)
            middle = np.stack([columns, rows], axis=1) * _STRIDE + _CENTRE
            corner = middle - WINDOW_PX / 2
            scale = np.divide(image.shape[1::-1], copy.shape[1::-1])
            found = np.concatenate([corner * scale, (corner + WINDOW_PX) * scale], axis=1)
            boxes.append(found.astype(np.float32))
            margins.append(out[0, 0][rows, columns])
        every, margin = np.concatenate(boxes), np.concatenate(margins)
        if not len(every):
            return every, margin
        low_and_size = np.hstack([every[:, :2], every[:, 2:] - every[:, :2]]).tolist()
        kept = np.asarray(cv2.dnn.NMSBoxes(low_and_size, margin.tolist(), 0.0, _SAME_FACE)).ravel()
        return every[kept], margin[kept]

    def _copies(self, image: Image) -> Iterator[Image]:
        """The picture at most `longest_px` long, and ever smaller."""
        height, width = image.shape[:2]
        scale = min(1.0, self._longest_px / max(height, width))
        copy = _resized(image, (round(height * scale), round(width * scale)))
        while min(copy.shape[:2]) >= _LEAST_PX:
            yield copy
            copy = _resized(copy, (round(copy.shape[0] * _STEP), round(copy.shape[1] * _STEP)))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    """`image` with ``size`` rows and columns, at least one of each."""
    rows, columns = max(1, size[0]), max(1, size[1])
    if (rows, columns) == image.shape[:2]:
        return image
    way = cv2.INTER_AREA if rows < image.shape[0] * 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (columns, rows), interpolation=way), np.uint8)
