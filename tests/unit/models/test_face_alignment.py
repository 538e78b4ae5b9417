import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import ShapeError, check_image
from models.faces.align import ARCFACE_TEMPLATE, align, similarity, warp
from models.faces.types import FaceDetections

IMAGE = np.zeros((50, 60, 3), np.uint8)


def test_no_face_has_the_shapes_of_no_face() -> None:
    none = FaceDetections.empty()
    assert (len(none), none.boxes.shape, none.landmarks.shape) == (0, (0, 4), (0, 5, 2))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("boxes", np.zeros((1, 4), np.float64)),
        ("boxes", np.zeros((2, 4), np.float32)),
        ("landmarks", np.zeros((1, 10), np.float32)),
        ("landmarks", None),
    ],
)
def test_detections_refuse_wrong_shapes_by_name(field: str, value: object) -> None:
    arrays = {
        "boxes": np.zeros((1, 4), np.float32),
        "score": np.zeros(1, np.float32),
        "landmarks": np.zeros((1, 5, 2), np.float32),
    }
    with pytest.raises(ShapeError, match=f"{field}: expected"):
        FaceDetections(**{**arrays, field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", [None, IMAGE[..., 0], IMAGE.astype(np.float32), IMAGE[:0], IMAGE[..., :2]]
)
def test_an_image_is_checked(bad: object) -> None:
    with pytest.raises(ShapeError, match=r"\(H, W, 3\) uint8"):
        check_image(bad)


@given(
    scale=st.floats(0.05, 20),
    angle=st.floats(-3.1, 3.1),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_finds_the_very_similarity(scale: float, angle: float, x: float, y: float) -> None:
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    wanted = np.array([[a, -b, x], [b, a, y]])
    source = ARCFACE_TEMPLATE
    target = (source @ wanted[:, :2].T + wanted[:, 2]).astype(np.float32)
    assert np.allclose(similarity(source, target), wanted, atol=2e-3 * max(1, scale))


def test_a_mirrored_face_is_not_reflected_back() -> None:
    mirrored = ARCFACE_TEMPLATE * np.array([-1, 1], np.float32)
    linear = similarity(mirrored, ARCFACE_TEMPLATE)[:, :2]
    assert np.linalg.det(linear) >= 0


def test_points_in_one_spot_give_a_crop_and_no_error() -> None:
    assert align(IMAGE, np.full((5, 2), 7, np.float32)).shape == (112, 112, 3)


def test_the_crop_has_the_landmarks_where_the_template_has_them() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    landmarks = ARCFACE_TEMPLATE * 1.5 + np.array([40, 30], np.float32)
    for x, y in landmarks:
        image[
            round(float(y)) - 2 : round(float(y)) + 3, round(float(x)) - 2 : round(float(x)) + 3
        ] = 255
    crop = align(image, landmarks)
    for x, y in ARCFACE_TEMPLATE:
        assert crop[round(float(y)), round(float(x)), 0] > 200


def test_beyond_the_image_it_is_black() -> None:
    white = np.full((20, 20, 3), 255, np.uint8)
    crop = warp(white, np.array([[1, 0, 50], [0, 1, 50]], np.float32), 112)
    assert crop[0, 0].tolist() == [0, 0, 0]
    assert crop[55, 55].tolist() == [255, 255, 255]


def test_agrees_with_insightface() -> None:
    from insightface.utils import face_align

    rng = np.random.default_rng(7)
    for _ in range(20):
        points = (ARCFACE_TEMPLATE * 3 + rng.normal(0, 6, (5, 2))).astype(np.float32)
        with pytest.warns(FutureWarning):
            theirs = face_align.estimate_norm(points, 112)
        assert np.allclose(similarity(points, ARCFACE_TEMPLATE), theirs, atol=1e-3)
