"""What face detection and recognition give and take: frozen values with their shapes checked.

Points are pixels of the image that was given, origin top left. The five landmarks are always, in this
order (that of ArcFace and SCRFD): left eye, right eye, tip of the nose, left corner of the mouth, right
corner of the mouth; left and right as seen in the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.arrays import Floats, Image, check_floats
from models.faces.calibration import Acceptance, Calibration


@dataclass(frozen=True, slots=True, eq=False)
class FaceDetections:
    """Faces found in one image, best first.

    Attributes:
        boxes: ``(N, 4)`` float32, xyxy, px; may reach past the image's border.
        score: ``(N,)`` float32, 0 to 1; comparable within one detector only.
        landmarks: ``(N, 5, 2)`` float32, xy, px, in the order above.
    """

    boxes: Floats
    score: Floats
    landmarks: Floats

    def __post_init__(self) -> None:
        count = len(self.score)
        check_floats(self.boxes, (count, 4), "boxes")
        check_floats(self.score, (count,), "score")
        check_floats(self.landmarks, (count, 5, 2), "landmarks")

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def empty(cls) -> "FaceDetections":
        """No face: ``(0, 4)``, ``(0,)``, ``(0, 5, 2)``."""
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
        )


class FaceDetector(Protocol):
    """Finds faces. Every implementation of ours may be shared between threads."""

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        """Find the faces in `image`, ``(H, W, 3)`` uint8 BGR, best score first.

        Args:
            image: any size.
            min_score: leave out faces below it; None for the pack's own default.
        """
        ...


class FaceEmbedder(Protocol):
    """Turns faces into embeddings. Owns its crop, since networks were trained on different ones.

    Every implementation of ours may be shared between threads.

    Attributes:
        pack: name of the pack.
        pack_sha256: 64 hex digits over all that decides the embedding: the network's file and the
            recipe of the crop. Embeddings of different digests can never be compared.
        dimension: D.
        crop_size: S, the side of a crop in px.
    """

    @property
    def pack(self) -> str: ...  # noqa: D102 - documented above
    @property
    def pack_sha256(self) -> str: ...  # noqa: D102
    @property
    def dimension(self) -> int: ...  # noqa: D102
    @property
    def crop_size(self) -> int: ...  # noqa: D102

    def crop(self, image: Image, landmarks: Floats) -> Image:
        """Cut one face out, turned upright: ``(S, S, 3)`` uint8 BGR; black beyond the image.

        Args:
            image: ``(H, W, 3)`` uint8 BGR, at the best resolution there is.
            landmarks: ``(5, 2)`` float32 of one face, px of `image`, from any detector.
        """
        ...

    def embed(self, crops: Sequence[Image]) -> Floats:
        """Embed crops that :meth:`crop` made: ``(N, D)`` float32, rows of length 1. N may be 0."""
        ...


@dataclass(frozen=True, slots=True)
class FacePack:
    """A face pack that is open for use.

    Attributes:
        name: the pack's name in the registry.
        detector: finds faces, with landmarks.
        embedder: crops and embeds them.
        threshold: least cosine similarity that counts as the same person, one picture against one;
            measured as the registry says.
        margin: least lead over the next best subject, where there is no calibration.
        licence: SPDX expression or the licence's name.
        commercial: whether the licence allows commercial use.
        note: one sentence for the log and the console; "" where there is nothing to say.
        calibration: what this release measured of the pack on development pictures; None where it did
            not. A site's own replaces it.
    """

    name: str
    detector: FaceDetector
    embedder: FaceEmbedder
    threshold: float
    margin: float
    licence: str
    commercial: bool
    note: str = ""
    calibration: Calibration | None = None

    def acceptance(self, people: int) -> Acceptance:
        """What a search among so many people must reach, where the site has not calibrated.

        Never less than what one picture against one must.
        """
        if self.calibration is None:
            return Acceptance(self.threshold, self.margin)
        measured = self.calibration.acceptance(people)
        return Acceptance(max(self.threshold, measured.threshold), measured.margin)
