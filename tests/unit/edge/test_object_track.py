"""Tracks of people and vehicles: nothing, one, a moment behind a pillar, crossing, flickering classes."""

import itertools

import numpy as np
import pytest

from edge.object_track import HIDDEN_FOR_S, ObjectsTracker
from edge.objects import SeenObjects
from tests.unit.edge.test_objects import Row, seen


def tracker(rate_hz: float = 5.0) -> ObjectsTracker:
    numbers = itertools.count(1)
    return ObjectsTracker(lambda: f"t{next(numbers)}", rate_hz=rate_hz)


def person(x: float, y: float = 100, *, height: float = 120, score: float = 0.8) -> Row:
    return ("person", score, (x, y, x + 0.4 * height, y + height))


def test_nothing_seen_nothing_tracked() -> None:
    tracking = tracker()
    for n in range(5):
        assert tracking.update(SeenObjects.empty(), n / 5).ids == ()
    assert tracking.end_all() == ()


def test_what_is_seen_once_is_no_track() -> None:
    tracking = tracker()
    assert tracking.update(seen(person(100)), 0.0).ids == ("",)
    assert tracking.update(seen(), 0.2).ids == ()
    assert tracking.end_all() == ()


def test_an_unsure_detection_begins_no_track_but_continues_one() -> None:
    tracking = tracker()
    for n in range(5):
        assert tracking.update(seen(person(100, score=0.3)), n / 5).ids == ("",)
    for n in range(5, 7):
        (name,) = tracking.update(seen(person(100)), n / 5).ids
    assert name
    assert tracking.update(seen(person(104, score=0.3)), 1.4).ids == (name,)


@pytest.mark.parametrize("hidden_s", [0.4, 1.0, 2.0])
@pytest.mark.parametrize("speed", [0.0, 25.0, 60.0])
def test_a_walker_hidden_for_a_moment_is_the_same_one(hidden_s: float, speed: float) -> None:
    """Behind a pillar or another person. 60 px/s is 0.85 m/s for a person 120 px high."""
    tracking, names = tracker(), set()
    for n in range(40):
        at_s = n / 5
        behind = 3.0 <= at_s < 3.0 + hidden_s
        rows = () if behind else (person(50 + speed * at_s),)
        names |= set(tracking.update(seen(*rows), at_s).ids)
    assert len(names - {""}) == 1


def test_who_stays_hidden_has_left() -> None:
    tracking = tracker()
    for n in range(3):
        (name,) = tracking.update(seen(person(100)), n / 5).ids
    ended = [tracking.update(seen(), 0.6 + n / 5).ended for n in range(20)]
    assert [names for names in ended if names] == [(name,)]
    assert ended.index((name,)) >= 5 * HIDDEN_FOR_S - 2


def test_two_who_cross_keep_their_tracks() -> None:
    tracking, by_place = tracker(10.0), {}
    for n in range(60):
        x = 12.0 * n
        ids = tracking.update(seen(person(x), person(700 - x, 125)), n / 10).ids
        by_place.setdefault("right", set()).add(ids[0])
        by_place.setdefault("left", set()).add(ids[1])
    assert len(by_place["right"] - {""}) == len(by_place["left"] - {""}) == 1
    assert by_place["right"].isdisjoint(by_place["left"] - {""})


def test_a_van_whose_class_flickers_is_one_track_and_a_person_before_it_another() -> None:
    tracking, names = tracker(), []
    for n in range(8):
        van: Row = ("car" if n % 2 else "truck", 0.8, (100, 50, 400, 250))
        names.append(tracking.update(seen(van, person(180, 130)), n / 5).ids)
    assert len({row[0] for row in names[1:]}) == len({row[1] for row in names[1:]}) == 1
    assert names[-1][0] != names[-1][1]


def test_ending_all_ends_all() -> None:
    tracking = tracker()
    for n in range(2):
        ids = tracking.update(seen(person(0), person(300)), n / 5).ids
    assert set(tracking.end_all()) == set(ids)
    assert tracking.update(seen(person(0)), 0.6).ids == ("",)


def test_no_objects_keep_their_arrays_empty() -> None:
    update = tracker().update(SeenObjects.empty(), 0.0)
    assert (update.ids, update.ended) == ((), ())
    assert SeenObjects.empty().boxes.dtype == np.float32
