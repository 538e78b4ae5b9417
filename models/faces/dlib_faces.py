"""The default that needs no download: dlib's two detectors, 5-point landmarks and ResNet embedding.

In: verified ``.dat`` files of the PyPI package face_recognition_models (dlib's own format, no pickle).
Out: `FaceDetector` and `FaceEmbedder`. King, "Dlib-ml: A Machine Learning Toolkit", JMLR 2009, and
https://github.com/davisking/dlib-models. The 68-point predictor beside them is not used: its training
set forbids commercial use. Both networks run in ONNX Runtime (`models.faces.dlib_graphs`), not in dlib.

dlib's five points are the corners of both eyes and the base of the nose; ours are the eyes' centres, the
nose's tip and the corners of the mouth. Between the two we convert in the frame of the eyes (origin
midway, x from left to right eye, unit their distance) with ratios measured against SCRFD's landmarks on
95 faces of the development pictures: the mouth, above all, is an estimate.
"""

import threading
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from models.arrays import Floats, Image, check_floats, check_image
from models.boxes import overlap
from models.faces.align import similarity, warp
from models.faces.embedding import check_crops, normalised
from models.faces.mmod import WINDOW_PX, MmodFinder
from models.faces.types import FaceDetections
from models.packs import InstalledFile
from models.sessions import Session
from wire.errors import ModelError

DLIB_MIN_FACE_PX: Final = 80
_SAME_FACE: Final = 0.2
"""As much shared by a box of either detector is one face; their boxes are of different sizes."""
_MAX_BATCH: Final = 16
_BESIDE: Final = 0.5
"""How much of its size around a box is turned to see which way up a face is."""
_TURNED_PX: Final = 110
"""How large the box is then: HOG's boxes are smaller than the network's."""

_TIP_PER_BASE: Final = np.array([1.47, 0.75])
"""Tip of the nose in the eyes' frame, as a multiple of the base of the nose."""
_MOUTH_X: Final = 0.45
_MOUTH_PER_BASE: Final = 1.385

CHIP_PX: Final = 150
_PADDING: Final = 0.25
# dlib, get_face_chip_details in image_transforms/interpolation.h: its mean shape, here the centres of
# the two eyes (each of two corners, hence twice) and the base of the nose.
_CHIP_TEMPLATE: Final[Floats] = (
    (
        np.array(
            [
                [0.2273296, 0.2213959],
                [0.2273296, 0.2213959],
                [0.7528140, 0.2212328],
                [0.7528140, 0.2212328],
                [0.4901123, 0.6277976],
            ]
        )
        + _PADDING
    )
    / (1 + 2 * _PADDING)
    * CHIP_PX
).astype(np.float32)


class DlibDetector:
    """dlib's HOG detector of frontal faces, and its network for the others. May be shared between threads.

    For HOG the image is scaled so that a face of `min_face_px` becomes its window of 80 px, and time goes
    with the square of what is left: 160 on a 1080p frame costs a quarter of 80. It finds upright,
    near-frontal faces. The network (`models.faces.mmod`) adds those that HOG has not found, lowered or
    turned, of `min_face_px` and of an eighth of the image's longest side at least.
    """

    def __init__(
        self,
        landmarks: InstalledFile,
        finder: MmodFinder,
        *,
        min_face_px: int = DLIB_MIN_FACE_PX,
    ) -> None:
        import dlib

        if min_face_px < 1:
            raise ModelError(f"min_face_px must be 1 or more, got {min_face_px}")
        self._dlib: Any = dlib
        self._finder, self._min_face_px = finder, min_face_px
        self._scale = WINDOW_PX / min_face_px
        try:
            self._predictor = dlib.shape_predictor(str(landmarks.path))
        except RuntimeError as error:
            raise ModelError(f"{landmarks.path} cannot be opened: {error}") from error
        self._local = threading.local()
        self._scanner()

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        """See `models.faces.types.FaceDetector`. `score` is the margin through a logistic: 0.5 to 1."""
        grey = cv2.cvtColor(check_image(image), cv2.COLOR_BGR2GRAY)
        boxes, margins = self._frontal(grey)
        others, other_margins = self._finder.find(image)
        large = others[:, 2] - others[:, 0] > self._min_face_px - 0.5
        new = [i for i in np.flatnonzero(large) if not _shown(others[i], boxes)]
        every = np.concatenate([boxes, others[new]])
        score = 1.0 / (1.0 + np.exp(-np.concatenate([margins, other_margins[new]])))
        keep = [i for i in np.argsort(-score, kind="stable") if score[i] >= (min_score or 0.0)]
        if not keep:
            return FaceDetections.empty()
        landmarks = [
            self._landmarks(grey, every[i]) if i < len(boxes) else self._any_way_up(grey, every[i])
            for i in keep
        ]
        return FaceDetections(every[keep], score[keep].astype(np.float32), np.stack(landmarks))

    def _frontal(self, grey: Any) -> tuple[Floats, Floats]:
        """Boxes ``(N, 4)`` xyxy px and margins ``(N,)`` of HOG, in a picture of grey levels."""
        small = grey
        if self._scale != 1.0:
            way = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_LINEAR
            small = cv2.resize(grey, None, fx=self._scale, fy=self._scale, interpolation=way)
        rectangles, margins, _ = self._scanner().run(small, 0, 0.0)
        boxes = np.array([_box(found) for found in rectangles], np.float32).reshape(-1, 4)
        return boxes / np.float32(self._scale), np.array(margins, np.float32)

    def _any_way_up(self, grey: Any, box: Floats) -> Floats:
        """Landmarks of a face that HOG has not found, which may lie on its side, as a turned photo shows it.

        Landmarks are learnt from upright faces, and of one that lies they are wrong without showing it. So
        the face is turned, and where HOG then finds it, it is upright. Where it never does, it is taken as
        it is.
        """
        low = np.maximum(np.floor(box[:2] - _BESIDE * (box[2:] - box[:2])), 0).astype(int)
        high = np.ceil(box[2:] + _BESIDE * (box[2:] - box[:2])).astype(int)
        part = grey[low[1] : high[1], low[0] : high[0]]
        scale = _TURNED_PX / float(box[2] - box[0])
        best, landmarks = 0.0, None
        for quarters in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(part, quarters))
            small = cv2.resize(turned, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            rectangles, margins, _ = self._scanner().run(small, 0, 0.0)
            for rectangle, margin in zip(rectangles, margins, strict=True):
                if margin > best:
                    found = np.array(_box(rectangle), np.float32) / np.float32(scale)
                    points = self._landmarks(turned, found)
                    best, landmarks = margin, _turned_back(points, part.shape, quarters) + low
        return self._landmarks(grey, box) if landmarks is None else landmarks.astype(np.float32)

    def _landmarks(self, grey: Any, box: Floats) -> Floats:
        """Ours, from dlib's, at full resolution."""
        x1, y1, x2, y2 = (round(float(side)) for side in box)
        shape = self._predictor(grey, self._dlib.rectangle(x1, y1, x2 - 1, y2 - 1))
        parts = np.array([(p.x, p.y) for p in shape.parts()], dtype=np.float64)
        left, right = parts[2:4].mean(axis=0), parts[0:2].mean(axis=0)
        base = _to_eyes(left, right) @ (parts[4] - (left + right) / 2)
        nose_and_mouth = np.array(
            [
                base * _TIP_PER_BASE,
                [-_MOUTH_X, base[1] * _MOUTH_PER_BASE],
                [_MOUTH_X, base[1] * _MOUTH_PER_BASE],
            ]
        )
        back = np.linalg.inv(_to_eyes(left, right))
        points = np.vstack([left, right, nose_and_mouth @ back.T + (left + right) / 2])
        return points.astype(np.float32)

    def _scanner(self) -> Any:
        if not hasattr(self._local, "scanner"):
            self._local.scanner = self._dlib.get_frontal_face_detector()
        return self._local.scanner


class DlibEmbedder:
    """dlib's ResNet on 150 x 150 chips, each seen as it is and in the mirror. May be shared between threads.

    The mean of the two says who it is more surely than either (docs/models.md).
    """

    dimension = 128
    crop_size = CHIP_PX

    def __init__(self, pack: str, pack_sha256: str, session: Session) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.pack = pack
        self.pack_sha256 = pack_sha256

    def crop(self, image: Image, landmarks: Floats) -> Image:
        """See `models.faces.types.FaceEmbedder`: dlib's own chip, from eyes and nose."""
        check_floats(landmarks, (5, 2), "landmarks")
        left, right = landmarks[0].astype(np.float64), landmarks[1].astype(np.float64)
        if not np.any(right - left):
            return np.zeros((CHIP_PX, CHIP_PX, 3), np.uint8)
        to_eyes = _to_eyes(left, right)
        middle = (left + right) / 2
        base = (
            np.linalg.inv(to_eyes) @ ((to_eyes @ (landmarks[2] - middle)) / _TIP_PER_BASE) + middle
        )
        points = np.stack([left, left, right, right, base]).astype(np.float32)
        return warp(check_image(image), similarity(points, _CHIP_TEMPLATE), CHIP_PX)

    def embed(self, crops: Sequence[Image]) -> Floats:
        """See `models.faces.types.FaceEmbedder`."""
        check_crops(crops, self.crop_size)
        rows = []
        for start in range(0, len(crops), _MAX_BATCH):
            seen = np.stack(crops[start : start + _MAX_BATCH])
            both = np.concatenate([seen, seen[:, :, ::-1]])
            (out,) = self._session.run(None, {self._input: both})
            rows.append(out[: len(seen)] + out[len(seen) :])
        return normalised(rows, self.dimension)


def _turned_back(points: Floats, shape: tuple[int, int], quarters: int) -> Floats:
    """``points`` (N, 2) of ``np.rot90(picture, quarters)`` in the picture of ``shape`` itself."""
    rows, columns = shape
    x, y = points.T
    if quarters == 1:
        return np.stack([columns - 1 - y, x], axis=1)
    if quarters == 2:
        return np.stack([columns - 1 - x, rows - 1 - y], axis=1)
    return np.stack([y, rows - 1 - x], axis=1)


def _shown(box: Floats, others: Floats) -> bool:
    """Whether one of ``others`` (N, 4) is the face in ``box`` (4,)."""
    return len(others) > 0 and float(overlap(box, others).max()) > _SAME_FACE


def _box(rectangle: Any) -> tuple[int, int, int, int]:
    return rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1


def _to_eyes(left: Any, right: Any) -> Any:
    """The ``(2, 2)`` map of offsets in px to the frame of the eyes."""
    dx, dy = right - left
    return np.array([[dx, dy], [-dy, dx]]) / (dx * dx + dy * dy)
