"""One plate seen by several corners: averaged where they agree on its rows, else the surer wins."""

import numpy as np
import pytest

from models.plates.recogniser import surest
from models.plates.weights import Calibration
from tests.unit.models.test_plates_decode import colour_of, slots_of
from wire.plates import PlateColour

CALIBRATION = Calibration(1.0, 0.0, 0.9, 0.45)
GREEN = colour_of(PlateColour.GREEN)


def test_views_of_the_same_rows_are_averaged() -> None:
    right, wrong = slots_of("粤BD01366", 0.9), slots_of("粤BD01388", 0.5)
    reading = surest([(1, (right, GREEN)), (1, (wrong, GREEN)), (1, (right, GREEN))], CALIBRATION)
    assert (reading.text, reading.rows) == ("粤BD01366", 1)
    assert reading.distribution == pytest.approx((2 * right + wrong) / 3)


def test_a_view_that_takes_the_plate_for_other_rows_spoils_no_average() -> None:
    lost = np.full_like(slots_of(""), 1 / slots_of("").shape[1])
    good = slots_of("粤BD01366", 0.9)
    reading = surest([(2, (lost, GREEN)), (1, (good, GREEN)), (2, (lost, GREEN))], CALIBRATION)
    assert (reading.text, reading.rows) == ("粤BD01366", 1)
    assert reading.distribution == pytest.approx(good)
