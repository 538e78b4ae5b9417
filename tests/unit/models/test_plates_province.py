"""The closer look at a province: where its cell is, what is cut, how it is taken into a reading."""

import cv2
import numpy as np
import pytest

from models.arrays import Floats
from models.plates.province import (
    CLASSES,
    SIZE,
    ProvinceReader,
    cell_of,
    cut_cell,
    slot_of,
    taken_in,
)
from models.plates.rectify import rectangle
from models.training.specimen import sample_specimen
from tests.unit.models.test_plates_decode import slots_of
from wire.plates import PROVINCES


def look_at(province: str, share: float) -> Floats:
    """A distribution over provinces that gives ``province`` this share."""
    look = np.full(len(PROVINCES), (1 - share) / (len(PROVINCES) - 1), np.float32)
    look[PROVINCES.index(province)] = share
    return look


def test_the_cell_is_where_the_series_has_its_province() -> None:
    rng = np.random.default_rng(3)
    layouts = set()
    for _ in range(1500):
        specimen = sample_specimen(rng)
        slot = slot_of(specimen.text)
        if slot is None:
            continue
        _, x, y, w, h = specimen.cells[slot]
        width, height = specimen.size
        cell = cell_of(specimen.text, specimen.rows)
        assert cell == pytest.approx((x / width, y / height, (x + w) / width, (y + h) / height))
        layouts.add(cell)
    assert len(layouts) == 7


@pytest.mark.parametrize("text", ["粤Z1234港", "粤Z1234澳", "123456使", "民航A1234", "KA12345", ""])
def test_a_plate_whose_province_is_given_or_missing_has_none_to_look_at(text: str) -> None:
    assert slot_of(text) is None


def test_the_cut_shows_the_cell_of_a_slanted_plate_upright() -> None:
    flat = np.zeros((140, 440, 3), np.uint8)
    flat[25:115, 16:61] = 255
    corners = np.array([[40, 60], [300, 20], [330, 130], [60, 180]], np.float32)
    source = rectangle(np.array([0, 0, 440, 140], np.float32))
    picture = cv2.warpPerspective(flat, cv2.getPerspectiveTransform(source, corners), (400, 220))
    cut = cut_cell(np.asarray(picture, np.uint8), corners, cell_of("粤A12345", 1))
    assert cut.shape == (SIZE, SIZE, 3)
    inside = cut[14:50, 17:47].mean()
    assert inside > 230
    assert cut[:, :8].mean() < 60
    assert cut[:, -8:].mean() < 60


def test_a_sure_look_settles_what_the_reader_was_torn_between() -> None:
    slots = slots_of("浙A12345", 0.9)
    slots[0] = 0.0
    slots[0, CLASSES[PROVINCES.index("浙")]] = 0.5
    slots[0, CLASSES[PROVINCES.index("湘")]] = 0.45
    slots[0, 0] = 0.05
    taken = taken_in(slots, 0, look_at("湘", 0.97))
    assert taken[0].argmax() == CLASSES[PROVINCES.index("湘")]
    assert taken[0].sum() == pytest.approx(1.0, abs=1e-4)
    assert taken[0, 0] == pytest.approx(0.05)
    assert np.array_equal(taken[1:], slots[1:])
    assert slots[0, CLASSES[PROVINCES.index("浙")]] == 0.5


def test_a_look_that_says_nothing_changes_no_order() -> None:
    slots = slots_of("浙A12345", 0.7)
    slots[0, CLASSES] = np.random.default_rng(5).dirichlet(np.ones(len(PROVINCES)))
    taken = taken_in(slots, 0, np.full(len(PROVINCES), 1 / len(PROVINCES), np.float32))
    assert np.array_equal(np.argsort(taken[0, CLASSES]), np.argsort(slots[0, CLASSES]))


class Fixed:
    """A session that gives the same row for each cell."""

    def run(self, names: object, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert feeds["cells"].dtype == np.uint8
        return [np.tile(look_at("京", 0.5), (len(feeds["cells"]), 1))]

    def get_inputs(self) -> list[object]:
        return [type("Input", (), {"name": "cells"})]


def test_cells_are_read_in_one_run() -> None:
    cells = [np.zeros((SIZE, SIZE, 3), np.uint8)] * 3
    out = ProvinceReader(Fixed()).read(cells)  # type: ignore[arg-type]
    assert out.shape == (3, len(PROVINCES))
    assert (out.argmax(1) == PROVINCES.index("京")).all()
