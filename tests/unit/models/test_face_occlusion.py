"""A mask, a hand, sunglasses, somebody in front: what is covered is seen, and what is not is not."""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.arrays import Floats, Image
from models.faces import load_face_pack
from models.faces.align import align
from models.faces.occlusion import uncovered
from models.faces.quality import assess

MOUTH, EYES, SIDE = "mouth and nose are covered", "the eyes are covered", "one side is covered"


@pytest.fixture(scope="module")
def faces() -> list[Image]:
    """The six aligned faces of insightface's group photo: fair and dark, bearded, smiling, grave."""
    spec = find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    image: Image = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / "t1.jpg"))
    found = load_face_pack("dlib-resnet", threads=1).detector.detect(image)
    assert len(found) == 6
    return [align(image, points) for points in found.landmarks]


def mask(face: Image, colour: tuple[int, int, int]) -> Image:
    covered = face.copy()
    outline = [[22, 68], [56, 60], [90, 68], [84, 100], [70, 112], [42, 112], [28, 100]]
    cv2.fillPoly(covered, [np.array(outline, np.int32)], colour)
    for row in (76, 86, 96):  # its folds
        cv2.line(covered, (28, row), (84, row), [max(0, tone - 15) for tone in colour], 1)
    return covered


def sunglasses(face: Image) -> Image:
    covered = face.copy()
    for middle in (38, 74):
        cv2.ellipse(covered, (middle, 52), (17, 11), 0, 0, 360, (25, 20, 20), -1, cv2.LINE_AA)
    cv2.line(covered, (50, 50), (62, 50), (25, 20, 20), 3)
    return covered


def somebody_in_front(face: Image) -> Image:
    covered = face.copy()
    covered[:, 58:] = (160, 60, 40)
    return covered


def spoilt(face: Image, how: str) -> Image:
    if how == "from afar":
        return np.asarray(
            cv2.resize(cv2.resize(face, (40, 40), interpolation=cv2.INTER_AREA), (112, 112))
        )
    if how == "dark":
        return (face * 0.3).astype(np.uint8)
    if how == "grey":
        return np.asarray(cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    if how == "lit from one side":
        return (face * np.linspace(0.3, 1.0, 112)[None, :, None]).astype(np.uint8)
    return face


@pytest.mark.parametrize("how", ["as it is", "from afar", "dark", "grey", "lit from one side"])
def test_nothing_is_covered_of_a_bare_face_however_it_is_seen(faces: list[Image], how: str) -> None:
    for face in faces:
        value, lack = uncovered(spoilt(face, how))
        assert value > 0.9, lack


@pytest.mark.parametrize("how", ["as it is", "from afar", "dark", "grey"])
@pytest.mark.parametrize("colour", [(205, 150, 90), (235, 235, 235), (35, 32, 32)])
def test_a_mask_is_seen(faces: list[Image], how: str, colour: tuple[int, int, int]) -> None:
    for face in faces:
        value, lack = uncovered(spoilt(mask(face, colour), how))
        assert (value < 0.6, lack) == (True, MOUTH)


@pytest.mark.parametrize("how", ["as it is", "from afar", "dark", "grey"])
def test_sunglasses_are_seen(faces: list[Image], how: str) -> None:
    for face in faces:
        value, lack = uncovered(spoilt(sunglasses(face), how))
        assert (value < 0.6, lack) == (True, EYES)


def test_somebody_in_front_is_seen(faces: list[Image]) -> None:
    for face in faces:
        value, lack = uncovered(somebody_in_front(face))
        assert (value < 0.6, lack) == (True, SIDE)


def test_a_face_of_one_colour_divides_by_nothing() -> None:
    for tone in (0, 128, 255):
        value, _ = uncovered(np.full((112, 112, 3), tone, np.uint8))
        assert 0.0 <= value <= 1.0


def test_a_covered_face_is_worth_less_and_its_verdict_says_what_to_do(faces: list[Image]) -> None:
    points: Floats = np.array(
        [[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]], np.float32
    )
    bare, covered = (
        assess(faces[0], points, 0.9),
        assess(mask(faces[0], (205, 150, 90)), points, 0.9),
    )
    assert bare["occlusion"] > 0.9
    assert covered.value < 0.75 * bare.value
    assert covered.verdicts()[0].startswith(f"{MOUTH}: ")


@pytest.mark.material
def test_a_real_mask_is_seen_and_98_bare_faces_are_bare(material: Path) -> None:
    from tests.integration.labelled_faces import labelled

    detector = load_face_pack("dlib-resnet", threads=1).detector

    def value_of(path: Path) -> tuple[float, str]:
        picture = cv2.imread(str(path))
        scale = min(1.0, 900 / max(picture.shape[:2]))
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = detector.detect(picture)
        return uncovered(align(picture, found.landmarks[0]))

    faces = material / "faces"
    masked = value_of(faces / "inspireface_test_res" / "bulk" / "mask2.jpg")
    assert (masked[0] < 0.2, masked[1]) == (True, MOUTH)
    bare = [value_of(path)[0] for path, _ in labelled(faces)]
    assert len(bare) == 98
    assert sum(value > 0.9 for value in bare) >= 95
