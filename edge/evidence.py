"""Pictures behind an observation: made at once, kept in memory, given out when the hub asks.

In: the frame that an observation tells of, the box, the faces to hide. Out: JPEG bytes. The faces of
bystanders are pixelated before anything is encoded, so no picture of them exists, here or elsewhere. The
ring is bounded in bytes, forgets the oldest first and never touches a disk.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Frame, Image
from models.pixelate import pixelate
from wire.messages import EvidenceItem

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in px."""

_BOX_COLOUR: Final = (0, 200, 255)  # BGR, amber: seen on asphalt and on snow


@dataclass(frozen=True, slots=True)
class EvidencePicture:
    """One picture, as it is sent."""

    name: str
    jpeg: bytes

    @property
    def item(self) -> EvidenceItem:
        """How an observation names it."""
        return EvidenceItem(
            name=self.name,
            media_type="image/jpeg",
            size_bytes=len(self.jpeg),
            sha256=hashlib.sha256(self.jpeg).hexdigest(),
        )


def bystanders(faces: NDArray[np.float32], subject: Box | None) -> NDArray[np.float32]:
    """All face boxes ``(N, 4)`` but the subject's; all of them where the subject is None.

    The subject's is the one that overlaps `subject` most, if it does so by half.
    """
    if subject is None or not len(faces):
        return faces
    box = np.asarray(subject, np.float32)
    low = np.maximum(faces[:, :2], box[:2])
    high = np.minimum(faces[:, 2:], box[2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=1)
    areas = (faces[:, 2:] - faces[:, :2]).prod(axis=1)
    union = areas + (box[2:] - box[:2]).prod() - shared
    overlap = shared / np.maximum(union, 1e-6)
    best = int(overlap.argmax())
    return np.delete(faces, best, axis=0) if overlap[best] >= 0.5 else faces


def draw_scene(
    frame: Frame, box: Box, hide: NDArray[np.float32], *, quality: int = 85
) -> EvidencePicture:
    """The whole frame with `box` drawn and the faces of `hide` pixelated."""
    image = frame.image.copy()
    pixelate(image, hide)
    x1, y1, x2, y2 = _clip(box, image)
    width = max(2, round(image.shape[0] / 360))
    cv2.rectangle(image, (x1 - width, y1 - width), (x2 + width, y2 + width), _BOX_COLOUR, width)
    return EvidencePicture("scene", encode_jpeg(image, quality))


def cut_crop(
    image: Image,
    box: Box,
    hide: NDArray[np.float32],
    *,
    margin: float,
    most_px: int,
    quality: int = 90,
) -> bytes:
    """What `box` shows, with `margin` of its size around, at most `most_px` a side, as JPEG.

    The faces of `hide` are pixelated in it too, except where they reach into the box itself.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    wide = (
        box[0] - margin * width,
        box[1] - margin * height,
        box[2] + margin * width,
        box[3] + margin * height,
    )
    x1, y1, x2, y2 = _clip(wide, image)
    crop = image[y1:y2, x1:x2].copy()
    if len(hide):
        pixelate(crop, hide - np.array([x1, y1, x1, y1], np.float32))
        bx1, by1, bx2, by2 = _clip(box, image)
        crop[by1 - y1 : by2 - y1, bx1 - x1 : bx2 - x1] = image[by1:by2, bx1:bx2]
    scale = most_px / max(crop.shape[:2])
    if scale < 1.0:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    return encode_jpeg(crop, quality)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """``(H, W, 3)`` uint8 BGR as JPEG of this quality, in memory."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def _clip(box: Box, image: Image) -> tuple[int, int, int, int]:
    """Whole pixels of `box` within the image."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    return (
        min(max(x1, 0), width),
        min(max(y1, 0), height),
        min(max(x2, 0), width),
        min(max(y2, 0), height),
    )


class EvidenceRing:
    """Pictures of the latest observations, up to a number of bytes. Safe for use by several threads."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[str, dict[str, bytes]] = OrderedDict()
        self._bytes = 0

    def put(self, observation_id: str, pictures: tuple[EvidencePicture, ...]) -> None:
        """Keep the pictures of one observation; the oldest observations make room."""
        with self._lock:
            self._held[observation_id] = {picture.name: picture.jpeg for picture in pictures}
            self._bytes += sum(len(picture.jpeg) for picture in pictures)
            while self._bytes > self._capacity and self._held:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= sum(map(len, oldest.values()))

    def get(self, observation_id: str, name: str) -> bytes | None:
        """One picture, or None when it is gone or never was."""
        with self._lock:
            return self._held.get(observation_id, {}).get(name)
