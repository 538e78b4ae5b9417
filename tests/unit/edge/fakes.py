"""Pictures whose faces and plates are coloured rectangles, and networks that know just those.

A fake face is a filled rectangle of one of `PEOPLE`, a fake plate one of `PLATES`; the colours survive
video compression. The fakes keep to the protocols that edge/detect.py and models/faces/types.py state.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera import Networks
from edge.frame import ArrayPixels, Frame, Image, RawFrame
from models.faces.types import FaceDetections, FacePack
from models.objects import ObjectDetections
from models.plates.types import PlateDetections, PlateReading
from tests.unit.edge.test_plate_fusion import reading

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PEOPLE = {"ann": (40, 40, 220), "bob": (220, 40, 40), "eve": (40, 200, 40)}  # BGR
PLATES = {"京A88731": (220, 40, 220), "沪B12345": (40, 220, 220)}
OBJECTS = {"person": (0, 0, 0), "car": (250, 250, 250)}
DIMENSION = 16

Placed = tuple[str, tuple[int, int, int, int]]
"""A name of PEOPLE, PLATES or OBJECTS, and where: x1, y1, x2, y2."""


def picture(*placed: Placed, size: tuple[int, int] = (640, 360)) -> Image:
    image = np.full((size[1], size[0], 3), 100, np.uint8)
    for name, (x1, y1, x2, y2) in placed:
        image[y1:y2, x1:x2] = (OBJECTS | PEOPLE | PLATES)[name]
    return image


def frame(image: Image, at_s: float = 0.0, *, camera: str = "gate", sequence: int = 0) -> Frame:
    return Frame(image, camera, T0 + timedelta(seconds=at_s), sequence, at_s)


def raw(image: Image, at_s: float, *, sequence: int = 0) -> RawFrame:
    pixels = ArrayPixels(image)
    return RawFrame(pixels, "gate", T0 + timedelta(seconds=at_s), sequence, at_s, at_s)


def _boxes(image: Image, colours: dict[str, tuple[int, int, int]]) -> list[tuple[str, list[int]]]:
    found = []
    for name, colour in colours.items():
        low, high = np.clip(np.array(colour) - 60, 0, 255), np.clip(np.array(colour) + 60, 0, 255)
        mask = cv2.inRange(image, low, high)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        for x, y, w, h, area in stats[1:count].tolist():
            if area > 100 and w > 8 and h > 4:
                found.append((name, [x, y, x + w, y + h]))
    return found


@dataclass
class FakeFaceDetector:
    calls: int = 0

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        self.calls += 1
        boxes = np.array([b for _, b in _boxes(image, PEOPLE)], np.float32).reshape(-1, 4)
        corner, side = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
        points = np.array(
            [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32
        )
        landmarks = (corner + points * side).astype(np.float32)
        return FaceDetections(boxes, np.full(len(boxes), 0.9, np.float32), landmarks)


@dataclass
class FakeEmbedder:
    pack: str = "fake"
    pack_sha256: str = "f" * 64
    dimension: int = DIMENSION
    crop_size: int = 8
    batches: list[int] = field(default_factory=list)

    def crop(self, image: Image, landmarks: NDArray[np.float32]) -> Image:
        x, y = landmarks[2].astype(int)
        return np.ascontiguousarray(np.broadcast_to(image[y, x], (8, 8, 3)))

    def embed(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        self.batches.append(len(crops))
        return np.stack([embedding_of(nearest(crop[4, 4])) for crop in crops])


def nearest(colour: NDArray[np.uint8]) -> str:
    return min(PEOPLE, key=lambda name: float(np.abs(colour.astype(int) - PEOPLE[name]).sum()))


def embedding_of(name: str) -> NDArray[np.float32]:
    return np.eye(DIMENSION, dtype=np.float32)[list(PEOPLE).index(name)]


@dataclass
class FakePlates:
    read_count: int = 0

    def detect(self, frames: Sequence[Image]) -> list[PlateDetections]:
        return [self._detect(image) for image in frames]

    def _detect(self, image: Image) -> PlateDetections:
        boxes = np.array([b for _, b in _boxes(image, PLATES)], np.float32).reshape(-1, 4)
        count = len(boxes)
        corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        return PlateDetections(
            boxes, np.full(count, 0.95, np.float32), corners, np.ones(count, np.int64)
        )

    def read(self, frame: Image, detections: PlateDetections) -> list[PlateReading]:
        self.read_count += len(detections)
        texts = []
        for x1, y1, x2, y2 in detections.boxes.astype(int).tolist():
            colour = frame[(y1 + y2) // 2, (x1 + x2) // 2].astype(int)
            texts.append(min(PLATES, key=lambda t: float(np.abs(colour - PLATES[t]).sum())))
        return [reading(text, 0.99) for text in texts]


@dataclass
class FakeObjects:
    pictures: list[Image] = field(default_factory=list)

    def detect(
        self, image: Image, *, min_score: float | None = None, only: Collection[str] | None = None
    ) -> ObjectDetections:
        self.pictures.append(image)
        found = _boxes(image, OBJECTS)
        boxes = np.array([box for _, box in found], np.float32).reshape(-1, 4)
        ids = np.array([list(OBJECTS).index(name) for name, _ in found], np.int64)
        names = tuple(name for name, _ in found)
        return ObjectDetections(boxes, np.full(len(found), 0.9, np.float32), ids, names)


def side_quality(image: Image, faces: FaceDetections, index: int) -> float:
    """As large as the face: 100 px is 1."""
    x1, _, x2, _ = faces.boxes[index]
    return min(1.0, float(x2 - x1) / 100.0)


def fake_pack(
    detector: FakeFaceDetector | None = None, embedder: FakeEmbedder | None = None
) -> FacePack:
    return FacePack(
        name="fake",
        detector=detector or FakeFaceDetector(),
        embedder=embedder or FakeEmbedder(),
        threshold=0.4,
        margin=0.05,
        licence="none",
        commercial=True,
    )


def fake_networks(
    plates: FakePlates | None = None,
    objects: FakeObjects | None = None,
    faces: FacePack | None = None,
) -> Networks:
    return Networks(faces or fake_pack(), side_quality, plates, objects)
