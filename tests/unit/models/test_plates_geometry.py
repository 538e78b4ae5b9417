"""Geometry of detections: cutting by corners, decoding the map, letterboxing; from N = 0 up."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import ShapeError
from models.boxes import overlap
from models.plates.detector import STRIDE, PlateDetector, decode_map, letterbox, rescale
from models.plates.rectify import around, cut, cut_plate, is_quad, loose_box, rectangle
from models.plates.types import PlateDetections


def empty_map(h: int = 12, w: int = 20) -> np.ndarray:
    out = np.zeros((10, h, w), np.float32)
    out[0] = -10
    return out


def put(out: np.ndarray, quad: np.ndarray, logit: float, two_rows: bool = False) -> None:
    """Write one plate into the map as the detector would."""
    x, y = np.floor(quad.mean(0) / STRIDE).astype(int)
    out[0, y, x] = logit
    out[1:9, y, x] = (quad / STRIDE - (np.array([x, y]) + 0.5)).reshape(8)
    out[9, y, x] = 3 if two_rows else -3


def test_an_empty_map_gives_no_plate() -> None:
    found = decode_map(empty_map(), 0.4)
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert found.corners.shape == (0, 4, 2)


def test_two_plates_come_back_best_first_with_their_corners() -> None:
    out = empty_map()
    near = np.array([[10, 20], [60, 24], [60, 40], [10, 36]], np.float32)
    far = np.array([[100, 60], [130, 60], [130, 80], [100, 80]], np.float32)
    put(out, near, 1.0)
    put(out, far, 3.0, two_rows=True)
    found = decode_map(out, 0.4)
    assert len(found) == 2
    np.testing.assert_allclose(found.corners, [far, near], atol=1e-3)
    assert found.rows.tolist() == [2, 1]
    assert found.score[0] > found.score[1]


def test_the_weaker_of_two_that_overlap_is_dropped() -> None:
    out = empty_map()
    quad = np.array([[10, 20], [90, 20], [90, 44], [10, 44]], np.float32)
    put(out, quad, 3.0)
    put(out, quad + np.float32([16, 0]), 2.0)
    assert len(decode_map(out, 0.4)) == 1


def test_detections_refuse_other_shapes() -> None:
    with pytest.raises(ShapeError, match="corners"):
        PlateDetections(
            np.zeros((1, 4), np.float32),
            np.zeros(1, np.float32),
            np.zeros((1, 4), np.float32),
            np.ones(1, np.int64),
        )


@given(st.integers(1, 3000), st.integers(1, 3000))
@settings(max_examples=25, deadline=None)
def test_letterbox_sides_are_multiples_of_32_and_fit(height: int, width: int) -> None:
    picture, scale = letterbox(np.zeros((height, width, 3), np.uint8))
    assert picture.shape[0] % 32 == 0
    assert picture.shape[1] % 32 == 0
    assert max(picture.shape) <= 640
    assert scale <= 2


def test_rescaling_scales_boxes_and_corners() -> None:
    out = empty_map()
    put(out, np.array([[10, 20], [60, 24], [60, 40], [10, 36]], np.float32), 1.0)
    found = decode_map(out, 0.4)
    np.testing.assert_allclose(rescale(found, 2).boxes, found.boxes * 2)


def test_cutting_an_upright_plate_gives_its_pixels_back() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (80, 200, 3)).astype(np.uint8), (0, 0), 2)
    quad = rectangle(np.array([20, 10, 164, 58], np.float32))
    np.testing.assert_allclose(cut(picture, quad, (48, 144)), picture[10:58, 20:164], atol=2)


def test_cutting_reaches_beyond_the_picture() -> None:
    picture = np.full((20, 40, 3), 7, np.uint8)
    quad = rectangle(np.array([-30, -30, 90, 60], np.float32))
    assert (cut(picture, quad, (48, 144)) == 7).all()


def test_the_upper_row_of_two_comes_to_the_left_of_the_lower() -> None:
    picture = np.zeros((110, 220, 3), np.uint8)
    picture[:42] = 50
    picture[42:] = 200
    plate = cut_plate(picture, rectangle(np.array([0, 0, 220, 110], np.float32)), 2)
    assert plate.shape == (48, 160, 3)
    assert np.median(plate[:, :60]) == 50
    assert np.median(plate[:, 68:]) == 200
    assert cut_plate(picture, np.zeros((4, 2), np.float32), 2).shape == (48, 160, 3)
    assert cut_plate(picture, rectangle(np.array([0, 0, 220, 70], np.float32)), 1).shape == (
        48,
        144,
        3,
    )


def test_loose_box_grows_and_iou_is_one_with_itself() -> None:
    quad = rectangle(np.array([10, 10, 110, 40], np.float32))
    assert (loose_box(quad)[:2] < 10).all()
    assert overlap(around(quad), around(quad)[None])[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "quad",
    [
        np.zeros((4, 2)),
        np.array([[0, 0], [10, 10], [10, 0], [0, 10]]),
        np.array([[0, 0], [np.nan, 0], [10, 10], [0, 10]]),
        np.array([[0, 0], [0, 10], [10, 10], [10, 0]]),
    ],
)
def test_crossed_or_flat_corners_are_no_quad(quad: np.ndarray) -> None:
    assert not is_quad(quad.astype(np.float32))


class SilentSession:
    """A network that finds nothing, whatever it is shown."""

    def get_inputs(self) -> list:
        return [type("Input", (), {"name": "pictures"})()]

    def run(self, names, feeds) -> list[np.ndarray]:
        n, h, w, _ = feeds["pictures"].shape
        return [np.full((n, 10, h // 8, w // 8), -9, np.float32)]


@pytest.mark.parametrize(
    "frame",
    [None, "x", np.zeros((4, 4)), np.zeros((0, 9, 3), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_what_is_no_frame_is_refused_by_name(frame: object) -> None:
    with pytest.raises(ShapeError, match="frame"):
        PlateDetector(SilentSession(), 0.4).detect([frame])


def test_no_frames_no_detections() -> None:
    assert PlateDetector(SilentSession(), 0.4).detect([]) == []
    assert (
        len(PlateDetector(SilentSession(), 0.4).detect([np.zeros((5, 700, 3), np.uint8)])[0]) == 0
    )
