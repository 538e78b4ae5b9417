"""SCRFD detectors and ArcFace-type embedders, loaded through `insightface`.

In: verified files. Out: `FaceDetector` and `FaceEmbedder`. Uses the classes of insightface's model zoo
with a session of our own, so threads and provider are ours; never its downloader, which checks no hash,
nor its all-in-one loop, whose ``prepare`` sets two detector passes.

SCRFD: Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022.
ArcFace: Deng et al., CVPR 2019. Both objects may be shared between threads: they keep nothing of a call
(SCRFD's only cache holds anchor grids by size, which are the same whoever computes them).
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from models.arrays import Floats, Image, check_image
from models.faces.align import ARCFACE_SIZE, align
from models.faces.embedding import check_crops, normalised
from models.faces.types import FaceDetections
from models.packs import InstalledFile
from models.sessions import Session

SCRFD_LONGEST_PX: Final = 640
SCRFD_CLOSEUP_PX: Final = 160
SCRFD_MIN_SCORE: Final = 0.5
_STRIDE: Final = 32
_MAX_BATCH: Final = 32


class ScrfdDetector:
    """SCRFD with five landmarks. May be shared between threads.

    The image is scaled so that its longest side is `longest_px` and padded to a multiple of 32, not to a
    square: a 16:9 frame then costs 384 rows instead of 640. A face must be about 10 px wide after that.

    A face that fills the picture is too large for SCRFD at 640: of 50 tight crops it found none, and all of
    them at 160. So it looks at `closeup_px` as well, for a sixteenth of the cost; None leaves that out.
    """

    def __init__(
        self,
        file: InstalledFile,
        session: Session,
        *,
        longest_px: int = SCRFD_LONGEST_PX,
        closeup_px: int | None = SCRFD_CLOSEUP_PX,
        min_score: float = SCRFD_MIN_SCORE,
    ) -> None:
        from insightface.model_zoo.scrfd import SCRFD

        # static_shape_sessions would open a second session per input size, with options of its own.
        self._model: Any = SCRFD(
            model_file=str(file.path), session=session, static_shape_sessions=False
        )
        self._sides_px = [side for side in (closeup_px, longest_px) if side is not None]
        self._min_score = min_score

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        """See `models.faces.types.FaceDetector`."""
        height, width = check_image(image).shape[:2]
        rows, landmarks = self._model.detect(
            image,
            input_size=[input_size(width, height, side) for side in self._sides_px],
            det_thresh=self._min_score if min_score is None else min_score,
        )
        return FaceDetections(
            boxes=np.ascontiguousarray(rows[:, :4], dtype=np.float32),
            score=np.ascontiguousarray(rows[:, 4], dtype=np.float32),
            landmarks=np.ascontiguousarray(landmarks, dtype=np.float32),
        )


def input_size(width: int, height: int, longest_px: int) -> tuple[int, int]:
    """Width and height, multiples of 32, that hold the image with its longest side at `longest_px`."""
    scale = longest_px / max(width, height)
    return (_round_up(width * scale), _round_up(height * scale))


def _round_up(length: float) -> int:
    return max(1, math.ceil(round(length, 3) / _STRIDE)) * _STRIDE


class ArcFaceEmbedder:
    """An ArcFace-type network on 112 x 112 crops. May be shared between threads."""

    def __init__(self, pack: str, pack_sha256: str, file: InstalledFile, session: Session) -> None:
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX

        self._model: Any = ArcFaceONNX(model_file=str(file.path), session=session)
        self._batch = 1 if file.entry.one_at_a_time else _MAX_BATCH
        self.pack = pack
        self.pack_sha256 = pack_sha256
        self.dimension = int(self._model.output_shape[-1])
        self.crop_size = ARCFACE_SIZE

    def crop(self, image: Image, landmarks: Floats) -> Image:
        """See `models.faces.types.FaceEmbedder`; `models.faces.align` says how."""
        return align(image, landmarks)

    def embed(self, crops: Sequence[Image]) -> Floats:
        """See `models.faces.types.FaceEmbedder`."""
        check_crops(crops, self.crop_size)
        rows = [
            self._model.get_feat(list(crops[start : start + self._batch]))
            for start in range(0, len(crops), self._batch)
        ]
        return normalised(rows, self.dimension)
