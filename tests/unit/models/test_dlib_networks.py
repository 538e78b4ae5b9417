"""dlib's networks as our graphs: the same numbers as dlib's own, and a clear word for what is no network."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.arrays import Image
from models.boxes import overlap
from models.dlib_format import read_network
from models.faces.dlib_faces import CHIP_PX
from models.faces.dlib_graphs import detector_graph, embedder_graph
from models.faces.mmod import MmodFinder
from models.sessions import Session, open_graph
from wire.errors import ModelError

EMBEDDER = "dlib_face_recognition_resnet_model_v1.dat"
DETECTOR = "mmod_human_face_detector.dat"


def dlib_file(name: str) -> Path:
    spec = find_spec("face_recognition_models")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "models" / name


@pytest.fixture(scope="module")
def detector() -> Session:
    graph = detector_graph(read_network(dlib_file(DETECTOR).read_bytes()))
    return open_graph(graph, DETECTOR, threads=1)


@pytest.fixture(scope="module")
def group_photo() -> Image:
    """t1.jpg of the installed insightface package at half its size: six people."""
    spec = find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    image = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / "t1.jpg"))
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def test_the_embedder_gives_dlibs_numbers() -> None:
    import dlib

    network: Any = dlib.face_recognition_model_v1(str(dlib_file(EMBEDDER)))
    graph = embedder_graph(read_network(dlib_file(EMBEDDER).read_bytes()), CHIP_PX)
    session = open_graph(graph, EMBEDDER, threads=1)
    rng = np.random.default_rng(4)
    chips = rng.integers(0, 256, (3, 5, 5, 3), np.uint8)
    pictures = [
        cv2.resize(chip, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_CUBIC) for chip in chips
    ]
    (ours,) = session.run(None, {"image": np.stack(pictures)})
    for picture, mine in zip(pictures, ours, strict=True):
        theirs = np.array(network.compute_face_descriptor(np.ascontiguousarray(picture[..., ::-1])))
        assert np.abs(mine - theirs).max() < 1e-5
        assert np.abs(theirs).max() > 0.05


def test_the_detector_gives_dlibs_margins(detector: Session, group_photo: Image) -> None:
    import dlib

    theirs = dlib.cnn_face_detection_model_v1(str(dlib_file(DETECTOR)))
    face = np.ascontiguousarray(group_photo[:240, 300:])  # one of the six is 80 px there
    found = theirs(np.ascontiguousarray(face[..., ::-1]), 0)
    (margins,) = detector.run(None, {"image": face[None]})
    assert len(found) == 1
    assert margins.max() == pytest.approx(found[0].confidence, abs=1e-3)
    boxes, margin = MmodFinder(detector, longest_px=640).find(face)
    assert len(boxes) == 1
    assert margin[0] == pytest.approx(found[0].confidence, abs=1e-3)
    place = found[0].rect
    assert boxes[0] == pytest.approx(
        [place.left(), place.top(), place.right() + 1, place.bottom() + 1], abs=1.01
    )


def test_each_face_is_found_once(detector: Session, group_photo: Image) -> None:
    twice = cv2.resize(group_photo, None, fx=2, fy=2)
    boxes, margins = MmodFinder(detector, longest_px=1280).find(np.asarray(twice, np.uint8))
    assert len(boxes) == 6
    assert np.all(np.diff(margins) <= 0)
    for row, box in enumerate(boxes):
        assert overlap(box, np.delete(boxes, row, axis=0)).max() < 0.34


@pytest.mark.parametrize("shape", [(1, 1), (57, 400), (58, 58), (400, 60), (64, 1500)])
def test_pictures_of_any_shape_are_looked_at(detector: Session, shape: tuple[int, int]) -> None:
    boxes, margins = MmodFinder(detector, longest_px=640).find(np.full((*shape, 3), 99, np.uint8))
    assert boxes.shape == (0, 4)
    assert margins.shape == (0,)


@pytest.mark.parametrize("name", [EMBEDDER, DETECTOR])
def test_a_file_that_ends_early_says_so(name: str) -> None:
    data = dlib_file(name).read_bytes()
    with pytest.raises(ModelError, match="ends at byte"):
        read_network(data[: len(data) // 2])


def test_what_is_no_network_of_dlibs_says_so() -> None:
    landmarks = dlib_file("shape_predictor_5_face_landmarks.dat")
    with pytest.raises(ModelError, match="no network of dlib's"):
        read_network(landmarks.read_bytes())
    with pytest.raises(ModelError, match="no layer of kind"):
        detector_graph(read_network(dlib_file(EMBEDDER).read_bytes()))
