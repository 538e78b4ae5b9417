"""Tracks: nothing, one, many, small and fast, lost and ended."""

import itertools

import numpy as np
import pytest

from edge.track import FACE_SCALE, PLATE_SCALE, ObjectTracker


def tracker(scale: float = FACE_SCALE, rate_hz: float = 5.0) -> ObjectTracker:
    numbers = itertools.count(1)
    return ObjectTracker(
        lambda: f"boot-gate-{next(numbers)}", scale=scale, rate_hz=rate_hz, lost_after_s=1.0
    )


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_nothing_seen_nothing_tracked() -> None:
    tracking = tracker()
    for n in range(5):
        update = tracking.update(boxes(), 0.2 * n)
        assert update.ids == ()
        assert update.ended == ()
    assert not tracking.alive


def test_a_track_has_its_id_from_the_first_frame_on() -> None:
    tracking = tracker()
    first = tracking.update(boxes((10, 10, 60, 60)), 0.0)
    second = tracking.update(boxes((14, 10, 64, 60)), 0.2)
    assert first.ids == second.ids == ("boot-gate-1",)


def test_ids_come_in_the_order_of_the_boxes() -> None:
    tracking = tracker()
    a, b, c = (10, 10, 60, 60), (300, 10, 350, 60), (500, 200, 550, 250)
    first = tracking.update(boxes(a, b, c), 0.0)
    second = tracking.update(boxes(c, a, b), 0.2)
    assert second.ids == (first.ids[2], first.ids[0], first.ids[1])


@pytest.mark.parametrize("rate_hz", [2.0, 5.0, 10.0])
def test_a_plate_that_moves_far_between_frames_is_one_track(rate_hz: float) -> None:
    tracking = tracker(PLATE_SCALE, rate_hz)
    speed = 60.0 * rate_hz  # px/s: the width of the plate at each frame, however slow
    seen = set()
    for n in range(10):
        x = 50.0 + speed * n / rate_hz
        seen.update(tracking.update(boxes((x, 200, x + 60, 220)), n / rate_hz).ids)
    assert len(seen) == 1


def test_two_plates_side_by_side_stay_two() -> None:
    tracking = tracker(PLATE_SCALE)
    ids = [
        tracking.update(
            boxes((100 + 30 * n, 200, 160 + 30 * n, 220), (400, 210, 460, 230)), n / 5
        ).ids
        for n in range(6)
    ]
    assert len(set(ids)) == 1
    assert len(set(ids[0])) == 2


def test_a_track_survives_a_short_gap_and_ends_after_a_long_one() -> None:
    tracking = tracker()
    (name,) = tracking.update(boxes((10, 10, 60, 60)), 0.0).ids
    tracking.update(boxes((10, 10, 60, 60)), 0.2)
    assert tracking.update(boxes(), 0.4).ended == ()
    assert tracking.update(boxes((12, 10, 62, 60)), 0.8).ids == (name,)
    ended = [tracking.update(boxes(), 1.0 + 0.2 * n).ended for n in range(10)]
    assert [names for names in ended if names] == [(name,)]
    assert not tracking.alive
    assert tracking.update(boxes((10, 10, 60, 60)), 4.0).ids == ("boot-gate-2",)


def test_ending_all_ends_all_and_ids_go_on() -> None:
    tracking = tracker()
    names = tracking.update(boxes((10, 10, 60, 60), (300, 10, 350, 60)), 0.0).ids
    assert set(tracking.end_all()) == set(names)
    assert not tracking.alive
    assert tracking.update(boxes((10, 10, 60, 60)), 0.2).ids == ("boot-gate-3",)


def test_a_split_track_goes_on_under_a_new_id() -> None:
    tracking = tracker()
    (name,) = tracking.update(boxes((10, 10, 60, 60)), 0.0).ids
    other = tracking.split(name)
    assert other != name
    assert tracking.update(boxes((10, 10, 60, 60)), 0.2).ids == (other,)


def test_cameras_do_not_share_anything() -> None:
    one, two = tracker(), tracker()
    one.update(boxes((10, 10, 60, 60)), 0.0)
    two.end_all()
    assert one.alive
    assert two.update(boxes((10, 10, 60, 60)), 0.0).ids == ("boot-gate-1",)
