import cv2
import numpy as np
import pytest

from hub.comparison import SIDE_PX, as_jpeg, face_with_surroundings, figures_of, side_by_side
from tests.unit.hub.notices import FACE_MATCH
from wire.errors import InputError


def test_the_observed_face_is_left_and_the_enrolled_one_right_in_their_own_proportions() -> None:
    observed = np.full((40, 80, 3), (200, 0, 0), np.uint8)
    enrolled = np.full((100, 50, 3), (0, 200, 0), np.uint8)
    made = side_by_side(as_jpeg(observed), as_jpeg(enrolled), ("similarity 0.81",))
    picture = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
    picture, strip = picture[:SIDE_PX], picture[SIDE_PX:]
    assert strip.max() > 150  # there is something written, below the faces
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
        side_by_side(b"\xff\xd8no", as_jpeg(np.zeros((8, 8, 3), np.uint8)), ())


def test_the_figures_are_those_of_the_decision_and_a_lead_over_nobody_is_none() -> None:
    match = FACE_MATCH.model_copy(update={"similarity": 0.81, "threshold": 0.48, "margin": 0.65})
    seen, more = figures_of(match)
    assert seen.endswith("similarity 0.81, at least 0.48")
    assert more.startswith("lead over the next 0.65, quality ")
    (_, more) = figures_of(match.model_copy(update={"margin": 1.81}))
    assert more.startswith("nobody else to compare with, quality ")
