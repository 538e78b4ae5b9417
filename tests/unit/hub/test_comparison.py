import cv2
import numpy as np
import pytest

from hub.comparison import SIDE_PX, as_jpeg, face_with_surroundings, side_by_side
from wire.errors import InputError


def test_the_observed_face_is_left_and_the_enrolled_one_right_in_their_own_proportions() -> None:
    observed = np.full((40, 80, 3), (200, 0, 0), np.uint8)
    enrolled = np.full((100, 50, 3), (0, 200, 0), np.uint8)
    made = side_by_side(as_jpeg(observed), as_jpeg(enrolled))
    picture = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == SIDE_PX
    left, right = picture[:, :SIDE_PX].astype(int), picture[:, -SIDE_PX:].astype(int)
    assert (left[..., 0] > 150).mean() == pytest.approx(0.5, abs=0.03)  # twice as wide as high
    assert (right[..., 1] > 150).mean() == pytest.approx(0.5, abs=0.03)
    assert (right[..., 0] < 60).all()


def test_a_face_at_the_border_is_cut_to_what_there_is() -> None:
    image = np.full((100, 100, 3), 90, np.uint8)
    cut = face_with_surroundings(image, np.float32([-20, -10, 30, 40]))
    assert cut.shape == (SIDE_PX, SIDE_PX, 3)
    assert cut.max() == 90


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(InputError):
        side_by_side(b"\xff\xd8no", as_jpeg(np.zeros((8, 8, 3), np.uint8)))
