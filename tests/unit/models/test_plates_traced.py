"""Corners traced by eye, and what is drawn around real and synthetic plates for the refiner."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.plates.marks import easypr_marks
from models.plates.rectify import around, cut, is_quad
from models.training.glyphs import load_glyphs
from models.training.pool import Capture
from models.training.real import is_train, traced
from models.training.samples import refiner_sample, turned
from models.training.scenes import Background, close_captures
from wire.plates import PlateColour, PlateType, normalise

NONE = np.zeros((0, 4, 2), np.float32)


@pytest.fixture
def cars(material: Path) -> Path:
    folder = material / "plates" / "cars_easypr"
    if not folder.is_dir():
        pytest.skip(f"no photographs at {folder}")
    return folder


def test_what_is_traced_may_be_trained_on_and_lies_on_its_plate(cars: Path) -> None:
    listed = easypr_marks(cars)
    found = traced(cars)
    assert len(found) > 50
    for item in found:
        assert is_train(cars.name, item.path.name)
        assert is_quad(item.corners)
        boxes = {normalise(text): mark.box for text, mark in listed[item.path.stem]}
        box = boxes[item.plate.text]
        assert box is not None
        centre = item.corners.mean(0)
        left, top, right, bottom = around(item.corners)
        assert left < (box[0] + box[2]) / 2 < right
        assert top < (box[1] + box[3]) / 2 < bottom
        assert box[0] < centre[0] < box[2]


def test_a_yellow_plate_is_taken_for_yellow_though_its_text_could_be_a_blue_one(cars: Path) -> None:
    colours = {item.plate.text: item.plate.colour for item in traced(cars)}
    assert colours["浙A12903"] is PlateColour.YELLOW
    assert colours["京PC5U22"] is PlateColour.BLUE
    kinds = {item.plate.text: item.plate.type for item in traced(cars)}
    assert kinds["津AD9823"] is PlateType.LARGE


def test_nothing_is_traced_where_the_pictures_are_not(tmp_path: Path) -> None:
    assert traced(tmp_path) == []


def test_close_captures_show_what_is_around_a_plate(material: Path) -> None:
    folder = material / "plates" / "glyphs" / "font_model"
    if not folder.is_dir():
        pytest.skip(f"no glyph pictures at {folder}: plates cannot be drawn")
    glyphs = load_glyphs(material)
    backgrounds = [Background(np.full((300, 400, 3), 90, np.uint8), NONE)]
    pairs = zip(
        *(close_captures(backgrounds, glyphs, np.random.default_rng(4)) for _ in range(2)),
        strict=True,
    )
    room = []
    for _ in range(30):
        capture, again = next(pairs)
        assert np.array_equal(capture.picture, again.picture)
        box, height_width = around(capture.corners), capture.picture.shape[:2]
        assert capture.text
        assert (box[2:] - box[:2]).max() >= 40
        room.append((box[0] + height_width[1] - box[2]) / (box[2] - box[0]))
        picture, target = refiner_sample(capture, np.random.default_rng(1), (64, 128))
        assert picture.shape == (64, 128, 3)
        assert target[8] == 1
    assert np.median(room) > 0.7  # of a plate's width, left and right together


def test_a_turned_capture_keeps_its_corners_on_the_plate() -> None:
    picture = np.full((200, 400, 3), 60, np.uint8)
    picture[60:140, 100:180] = (255, 0, 0)
    picture[60:140, 180:300] = (0, 0, 255)
    corners = np.array([[100, 60], [300, 60], [300, 140], [100, 140]], np.float32)
    plate = cut(picture, corners, (40, 100)).astype(float)
    rng = np.random.default_rng(9)
    shapes = set()
    for _ in range(10):
        moved = turned(Capture(picture, corners, "皖A12345", 0, 0, 1), rng)
        again = cv2.GaussianBlur(cut(moved.picture, moved.corners, (40, 100)), (0, 0), 1.0)
        assert np.abs(again.astype(float) - plate).mean() < 12
        assert not np.allclose(moved.corners - moved.corners[0], corners - corners[0], atol=1)
        shapes.add(moved.picture.shape)
    assert len(shapes) > 5
