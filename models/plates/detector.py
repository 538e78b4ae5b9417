"""Find plates in whole frames: four corners, score and rows of each.

In: BGR frames. Out: :class:`PlateDetections`, best first. Pre- and post-processing are pure; the
session is handed in.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Image, check_image
from models.boxes import overlap
from models.plates.rectify import around, is_quad
from models.plates.types import PlateDetections
from models.sessions import Session

LONGEST_PX = 640
"""Frames are searched with their longer side at most this."""

STRIDE = 8
OVERLAP = 0.35
"""Of two detections whose boxes overlap by more than this IoU, the better stays."""

MOST = 32
"""Plates kept per frame at most."""


def letterbox(frame: Image, longest: int = LONGEST_PX) -> tuple[Image, float]:
    """``frame`` scaled so that no side exceeds ``longest``, padded right and below to 32 px.

    Returns the picture ``(H', W', 3)`` and the scale from frame to it.
    """
    height, width = frame.shape[:2]
    scale = min(longest / max(height, width), 2.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(frame, size, interpolation=how) if scale != 1 else frame
    bottom, right = -size[1] % 32, -size[0] % 32
    padded = cv2.copyMakeBorder(
        small, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )
    return np.asarray(padded, np.uint8), scale


def decode_map(out: NDArray[np.float32], threshold: float) -> PlateDetections:
    """The plates of one output map ``(10, h, w)``, in px of the network's picture."""
    score = 1 / (1 + np.exp(-out[0]))
    peak = score >= np.asarray(cv2.dilate(score, np.ones((3, 3), np.uint8)))
    ys, xs = np.nonzero(peak & (score >= threshold))
    order = np.argsort(-score[ys, xs])[: 4 * MOST]
    quads, scores, rows = [], [], []
    boxes = np.zeros((0, 4), np.float32)
    for y, x in zip(ys[order], xs[order], strict=True):
        offsets = out[1:9, y, x].reshape(4, 2)
        quad = ((offsets + np.array([x + 0.5, y + 0.5])) * STRIDE).astype(np.float32)
        if not is_quad(quad):
            continue
        box = around(quad)
        if len(boxes) and overlap(box, boxes).max() > OVERLAP:
            continue
        boxes = np.vstack((boxes, box))
        quads.append(quad)
        scores.append(score[y, x])
        rows.append(2 if out[9, y, x] > 0 else 1)
        if len(quads) == MOST:
            break
    if not quads:
        return PlateDetections.empty()
    return PlateDetections(
        boxes, np.array(scores, np.float32), np.stack(quads), np.array(rows, np.int64)
    )


def rescale(found: PlateDetections, factor: float) -> PlateDetections:
    """``found`` with every coordinate times ``factor``."""
    return PlateDetections(
        found.boxes * np.float32(factor),
        found.score,
        found.corners * np.float32(factor),
        found.rows,
    )


class PlateDetector:
    """The detector network over frames of any size. Safe to share between threads."""

    def __init__(self, session: Session, threshold: float) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._threshold = threshold

    def detect(self, frames: Sequence[Image], longest: int = LONGEST_PX) -> list[PlateDetections]:
        """Plates in each of ``frames`` ``(H, W, 3)`` BGR uint8, px of the frame.

        Raises:
            ShapeError: a frame is no such array.
        """
        results = []
        for frame in frames:
            picture, scale = letterbox(check_image(frame, "frame"), longest)
            (out,) = self._session.run(None, {self._input: picture[None]})
            results.append(rescale(decode_map(out[0], self._threshold), 1 / scale))
        return results
