from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.arrays import Floats, Image, ShapeError
from models.faces import load_face_pack
from models.faces.quality import WANTED, FaceQuality, assess


@pytest.fixture(scope="module")
def face() -> tuple[Image, Floats]:
    """One frontal face of insightface's group photo, with its landmarks."""
    spec = find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    image: Image = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / "t1.jpg"))
    found = load_face_pack("dlib-resnet", threads=1).detector.detect(image)
    best = max(found.landmarks, key=lambda points: assess(image, points, 0.9).value)
    return image, best


def test_a_good_face_has_no_lack(face: tuple[Image, Floats]) -> None:
    image, points = face
    quality = assess(image, points, 0.9)
    assert quality.value > 0.8
    assert quality.verdicts() == ()
    assert [part.name for part in quality.components] == [
        "size",
        "sharpness",
        "pose",
        "exposure",
        "occlusion",
        "detector",
    ]


def test_blur_darkness_light_and_distance_are_named(face: tuple[Image, Floats]) -> None:
    image, points = face
    tiny = cv2.resize(image, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA)
    cases: list[tuple[str, Image, Floats]] = [
        ("blurred", cv2.GaussianBlur(image, (0, 0), 4), points),
        ("too dark", (image * 0.1).astype(np.uint8), points),
        ("too bright", np.clip(image * 3.0 + 90, 0, 255).astype(np.uint8), points),
        ("too small", tiny, points * np.float32(0.15)),
    ]
    good = assess(image, points, 0.9).value
    for lack, picture, where in cases:
        quality = assess(picture, where, 0.9)
        assert quality.value < good - 0.1, lack
        assert any(verdict.startswith(lack) for verdict in quality.verdicts()), (lack, quality)
        assert all(verdict.endswith(", want 60") for verdict in quality.verdicts())


def test_it_falls_step_by_step_with_blur(face: tuple[Image, Floats]) -> None:
    image, points = face
    values = [
        assess(cv2.GaussianBlur(image, (0, 0), sigma), points, 0.9)["sharpness"]
        for sigma in (0.1, 1, 2, 4)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.25


def test_a_profile_is_turned_away(face: tuple[Image, Floats]) -> None:
    image, points = face
    turned = points.copy()
    turned[2, 0] += 0.75 * float(np.linalg.norm(points[1] - points[0]))
    quality = assess(image, turned, 0.9)
    assert quality["pose"] < 0.2
    assert quality.verdicts()[0].startswith("turned away")


def test_roll_costs_nothing(face: tuple[Image, Floats]) -> None:
    image, points = face
    upright = assess(image, points, 0.9)["pose"]
    turn = cv2.getRotationMatrix2D((0, 0), 40, 1.0)
    rolled = (points @ turn[:, :2].T).astype(np.float32)
    assert assess(image, rolled, 0.9)["pose"] == pytest.approx(upright, abs=1e-4)


@pytest.mark.parametrize("points", [np.zeros((5, 2), np.float32), np.full((5, 2), 1e4, np.float32)])
def test_useless_landmarks_give_a_low_value_and_no_error(points: Floats) -> None:
    quality = assess(np.zeros((10, 10, 3), np.uint8), points, 0.0)
    assert isinstance(quality, FaceQuality)
    assert 0 <= quality.value < 0.2
    assert len(quality.verdicts(WANTED)) >= 3


def test_wrong_landmarks_are_refused() -> None:
    with pytest.raises(ShapeError, match="landmarks"):
        assess(np.zeros((10, 10, 3), np.uint8), np.zeros((5, 3), np.float32), 0.5)
