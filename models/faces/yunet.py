"""YuNet, the small permissive face detector of the OpenCV Zoo, through `cv2.FaceDetectorYN`.

In: a verified file. Out: a `FaceDetector`. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector",
Machine Intelligence Research 2023.

OpenCV's threads are the process's, not the network's: whoever composes the process calls
`cv2.setNumThreads` (1 with several cameras). The OpenCV object keeps the size of the last image, so each
thread gets one of its own: a `YunetDetector` may be shared.
"""

import threading
from typing import Any, Final

import cv2
import numpy as np

from models.arrays import Image, check_image
from models.faces.types import FaceDetections
from models.packs import InstalledFile
from wire.errors import ModelError

YUNET_LONGEST_PX: Final = 640
YUNET_MIN_SCORE: Final = 0.7
_NMS_OVERLAP: Final = 0.3
_MAX_CANDIDATES: Final = 5000


class YunetDetector:
    """YuNet with five landmarks. May be shared between threads.

    An image whose longest side exceeds `longest_px` is scaled down to it; smaller ones stay as they are.
    """

    def __init__(
        self,
        file: InstalledFile,
        *,
        longest_px: int = YUNET_LONGEST_PX,
        min_score: float = YUNET_MIN_SCORE,
    ) -> None:
        self._path = str(file.path)
        self._longest_px = longest_px
        self._min_score = min_score
        self._local = threading.local()
        self._detector()  # a file that cannot be opened fails now, not at the first frame

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        """See `models.faces.types.FaceDetector`."""
        height, width = check_image(image).shape[:2]
        scale = min(1.0, self._longest_px / max(height, width))
        small = image
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        detector = self._detector()
        detector.setInputSize((small.shape[1], small.shape[0]))
        detector.setScoreThreshold(self._min_score if min_score is None else min_score)
        _, rows = detector.detect(small)
        return _detections(rows, width / small.shape[1], height / small.shape[0])

    def _detector(self) -> Any:
        if not hasattr(self._local, "detector"):
            try:
                self._local.detector = cv2.FaceDetectorYN.create(
                    self._path, "", (320, 320), self._min_score, _NMS_OVERLAP, _MAX_CANDIDATES
                )
            except cv2.error as error:
                raise ModelError(f"{self._path} cannot be opened as YuNet: {error}") from error
        return self._local.detector


def _detections(rows: Any, scale_x: float, scale_y: float) -> FaceDetections:
    """YuNet's rows: x, y, width, height, five points from the person's right eye on, score.

    The person's right eye is the left one in the image, so the points are in our order already.
    """
    if rows is None:
        return FaceDetections.empty()
    found = np.asarray(rows, dtype=np.float32)
    found = found[np.argsort(-found[:, 14], kind="stable")]
    scale = np.array([scale_x, scale_y], np.float32)
    corner = found[:, 0:2]
    return FaceDetections(
        boxes=np.concatenate([corner * scale, (corner + found[:, 2:4]) * scale], axis=1),
        score=np.ascontiguousarray(found[:, 14]),
        landmarks=np.ascontiguousarray(found[:, 4:14].reshape(-1, 5, 2) * scale),
    )
