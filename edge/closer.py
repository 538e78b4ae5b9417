"""Crops from the main stream while detection runs on the sub-stream.

In: a small frame with its detections, and the latest frames of the main stream. Out: the main frame that
is nearest in time and the same detections in its pixels; found again there before they are cut, because
the two streams are never quite at one moment. Where no main frame is near, the small frame serves.
"""

import threading
from collections import deque
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.detect import Detections, PlateNetworks
from edge.frame import Frame, Image, RawFrame
from models.faces.types import FaceDetections, FaceDetector
from models.plates.types import PlateDetections

NEAR_S: Final = 0.25
_KEPT: Final = 8
_MARGIN: Final = 1.0  # of the box on each side: what a walker covers within NEAR_S


class RecentFrames:
    """The latest frames of a main stream, not converted. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[RawFrame] = deque(maxlen=_KEPT)

    def add(self, frame: RawFrame) -> None:
        """Keep a frame; the oldest goes."""
        with self._lock:
            self._frames.append(frame)

    def clear(self) -> None:
        """The stream broke off."""
        with self._lock:
            self._frames.clear()

    def nearest(self, captured_at: datetime) -> RawFrame | None:
        """The frame captured nearest to this time, if it is within `NEAR_S`."""
        with self._lock:
            frames = tuple(self._frames)
        if not frames:
            return None
        best = min(frames, key=lambda frame: abs(frame.captured_at - captured_at))
        return best if abs((best.captured_at - captured_at).total_seconds()) <= NEAR_S else None


def scaled(seen: Detections, frame: Frame, main: Frame) -> Detections:
    """Faces and plates in `frame`, in the pixels of `main`, which shows the same view."""
    factor: NDArray[np.float32] = np.divide(main.size_px, frame.size_px, dtype=np.float32)
    both: NDArray[np.float32] = np.tile(factor, 2)
    faces, plates = seen.faces, seen.plates
    return Detections(
        FaceDetections(faces.boxes * both, faces.score, faces.landmarks * factor),
        PlateDetections(plates.boxes * both, plates.score, plates.corners * factor, plates.rows),
        seen.objects,
        seen.faces_looked_for,
    )


def face_again(detector: FaceDetector, image: Image, faces: FaceDetections) -> FaceDetections:
    """Each of N faces found again in `image`, near where it should be; as it was where it is not."""
    boxes, score, landmarks = faces.boxes.copy(), faces.score.copy(), faces.landmarks.copy()
    for row, box in enumerate(faces.boxes):
        region, origin = _around(image, box)
        found = detector.detect(region)
        if len(found):
            best = _nearest(found.boxes + np.tile(origin, 2), box)
            boxes[row] = found.boxes[best] + np.tile(origin, 2)
            score[row] = found.score[best]
            landmarks[row] = found.landmarks[best] + origin
    return FaceDetections(boxes, score, landmarks)


def plate_again(networks: PlateNetworks, image: Image, plates: PlateDetections) -> PlateDetections:
    """Each of N plates found again in `image`, near where it should be; as it was where it is not."""
    boxes, score = plates.boxes.copy(), plates.score.copy()
    corners, rows = plates.corners.copy(), plates.rows.copy()
    regions = [_around(image, box) for box in plates.boxes]
    results = networks.detect([region for region, _ in regions]) if regions else []
    for row, (found, (_, origin)) in enumerate(zip(results, regions, strict=True)):
        if len(found):
            best = _nearest(found.boxes + np.tile(origin, 2), plates.boxes[row])
            boxes[row] = found.boxes[best] + np.tile(origin, 2)
            score[row], rows[row] = found.score[best], found.rows[best]
            corners[row] = found.corners[best] + origin
    return PlateDetections(boxes, score, corners, rows)


def _around(image: Image, box: NDArray[np.float32]) -> tuple[Image, NDArray[np.float32]]:
    """The part of the image around `box`, and its origin ``(2,)``."""
    height, width = image.shape[:2]
    margin = _MARGIN * float((box[2:] - box[:2]).max())
    x1, y1 = np.clip(box[:2] - margin, 0, (width - 16, height - 16)).astype(int)
    x2, y2 = np.clip(box[2:] + margin, (x1 + 16, y1 + 16), (width, height)).astype(int)
    return np.ascontiguousarray(image[y1:y2, x1:x2]), np.array([x1, y1], np.float32)


def _nearest(boxes: NDArray[np.float32], box: NDArray[np.float32]) -> int:
    """Index of the one of N boxes whose centre is nearest to that of `box`."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    return int(np.linalg.norm(centres - (box[:2] + box[2:]) / 2.0, axis=1).argmin())
