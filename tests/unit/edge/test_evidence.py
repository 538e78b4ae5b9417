"""Evidence shows the subject, hides everyone else, and is kept in bounds."""

import hashlib

import cv2
import numpy as np

from edge.evidence import (
    EvidencePicture,
    EvidenceRing,
    bystanders,
    cut_crop,
    draw_scene,
)
from models.pixelate import pixelate
from tests.unit.edge.fakes import frame

NOBODY = np.zeros((0, 4), np.float32)


def noisy(size: tuple[int, int] = (640, 360)) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)


def open_jpeg(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def detail(image: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """How much fine structure there is: the mean step between neighbouring pixels."""
    x1, y1, x2, y2 = box
    return float(np.abs(np.diff(image[y1:y2, x1:x2].astype(float), axis=1)).mean())


def test_bystanders_are_all_but_the_subject() -> None:
    faces = np.array([[0, 0, 50, 50], [100, 0, 150, 50], [200, 0, 250, 50]], np.float32)
    assert bystanders(faces, (102, 2, 151, 52)).tolist() == faces[[0, 2]].tolist()
    assert len(bystanders(faces, None)) == 3
    assert len(bystanders(faces, (300, 300, 350, 350))) == 3
    assert len(bystanders(NOBODY, (0, 0, 1, 1))) == 0


def test_the_scene_shows_the_subject_with_a_box_and_hides_the_others() -> None:
    image = noisy()
    subject, other = (100, 100, 180, 180), np.array([[400, 100, 480, 180]], np.float32)
    scene = draw_scene(frame(image), subject, other)
    shown = open_jpeg(scene.jpeg)
    assert shown.shape == image.shape
    assert detail(shown, subject) > 30
    assert detail(shown, (400, 100, 480, 180)) < 12
    assert tuple(shown[99, 140]) != tuple(image[99, 140])  # the box
    assert detail(image, (400, 100, 480, 180)) > 30  # the frame itself is as it was
    assert scene.item.sha256 == hashlib.sha256(scene.jpeg).hexdigest()
    assert scene.item.size_bytes == len(scene.jpeg)


def test_pixelating_nothing_and_what_is_outside() -> None:
    image = noisy()
    before = image.copy()
    pixelate(image, NOBODY)
    pixelate(image, np.array([[700, 400, 800, 500], [-90, -90, -40, -40]], np.float32))
    assert np.array_equal(image, before)
    pixelate(image, np.array([[-20, -20, 60, 60]], np.float32))
    assert detail(image, (0, 0, 60, 60)) < detail(before, (0, 0, 60, 60)) / 3


def test_a_crop_hides_who_stands_beside_and_never_the_subject() -> None:
    image = noisy()
    subject = (200, 100, 280, 180)
    beside = np.array([[270, 100, 340, 180]], np.float32)
    crop = open_jpeg(cut_crop(image, subject, beside, margin=1.0, most_px=640))
    assert crop.shape[:2] == (240, 240)
    assert detail(crop, (80, 80, 158, 160)) > 30
    assert detail(crop, (165, 85, 220, 155)) < 12


def test_a_crop_is_no_larger_than_asked_and_stays_inside() -> None:
    data = cut_crop(noisy(), (600, 300, 640, 360), NOBODY, margin=2.0, most_px=64)
    assert max(open_jpeg(data).shape[:2]) == 64


def ringed(ring: EvidenceRing, name: str, size: int) -> None:
    ring.put(name, (EvidencePicture("scene", bytes(size)),))


def test_the_ring_forgets_the_oldest_first_and_stays_in_bounds() -> None:
    ring = EvidenceRing(1000)
    for n in range(5):
        ringed(ring, f"o{n}", 300)
    assert [ring.get(f"o{n}", "scene") is not None for n in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert ring.get("o4", "clip") is None
    ringed(ring, "huge", 5000)
    assert ring.get("huge", "scene") is None
    ringed(ring, "after", 900)
    assert ring.get("after", "scene") is not None
