"""Where objects are and whether they are parked, as timelines."""

from datetime import timedelta

import pytest

from edge.moment import Moment
from edge.track import TrackUpdate
from edge.whereabouts import PARKED_AFTER_S, REMEMBERED_S, Whereabouts
from tests.unit.edge.fakes import T0
from tests.unit.edge.test_objects import Row, seen

SIZE = (1000, 500)
CAR = (100.0, 200.0, 300.0, 300.0)


class Yard:
    """A camera at 5 Hz."""

    def __init__(self) -> None:
        self.whereabouts, self.at_s = Whereabouts(), 0.0

    def see(self, *named: tuple[str, Row], ended: tuple[str, ...] = ()) -> Moment:
        rows, ids = [row for _, row in named], tuple(name for name, _ in named)
        at = T0 + timedelta(seconds=self.at_s)
        self.at_s += 0.2
        return self.whereabouts.update(seen(*rows), TrackUpdate(ids, ended), SIZE, at)

    def stand(self, name: str, seconds: float, box: tuple = CAR) -> Moment:
        for _ in range(round(5 * seconds)):
            moment = self.see((name, ("car", 0.8, box)))
        return moment


def shifted(box: tuple, dx: float) -> tuple:
    return (box[0] + dx, box[1], box[2] + dx, box[3])


def test_an_empty_yard() -> None:
    moment = Yard().see()
    assert (moment.objects, moment.parked, moment.ended) == ((), (), ())
    assert moment.aspect == 0.5


def test_places_are_relative_and_the_foot_is_below() -> None:
    (thing,) = Yard().see(("a", ("person", 0.9, (400.0, 100.0, 500.0, 400.0)))).objects
    assert thing.box == pytest.approx((0.4, 0.2, 0.5, 0.8))
    assert thing.foot == pytest.approx((0.45, 0.8))
    assert thing.height == pytest.approx(0.6)
    assert (thing.frames, thing.has_moved, thing.parked) == (1, False, False)


def test_the_class_is_the_vote_of_all_frames() -> None:
    yard = Yard()
    for label, score in (("truck", 0.5), ("car", 0.9), ("truck", 0.5), ("car", 0.9)):
        moment = yard.see(("a", (label, score, CAR)))
    assert moment.objects[0].label == "car"


@pytest.mark.parametrize("speed", [0.0, 0.5, 1.4])
def test_speed_is_in_own_heights_a_second(speed: float) -> None:
    yard = Yard()
    for n in range(10):
        x = 100 + speed * 200 * n / 5
        moment = yard.see(("a", ("person", 0.9, (x, 100.0, x + 80, 300.0))))
    assert moment.objects[0].speed == pytest.approx(speed, abs=0.02)


def test_a_vehicle_that_stands_is_parked_and_a_person_is_not() -> None:
    yard = Yard()
    assert not yard.stand("car", PARKED_AFTER_S - 0.5).parked
    assert [thing.id for thing in yard.stand("car", 1).parked] == ["car"]
    people = Yard()
    for _ in range(100):
        moment = people.see(("p", ("person", 0.9, (10.0, 10.0, 60.0, 200.0))))
    assert moment.parked == ()
    assert moment.objects[0].still_s == pytest.approx(19.8)


def test_it_stays_parked_while_its_box_jitters_and_not_once_it_drives_off() -> None:
    yard = Yard()
    yard.stand("car", 10)
    for n in range(20):
        moment = yard.see(("car", ("car", 0.7, shifted(CAR, 15 * (n % 2)))))
    assert [thing.id for thing in moment.parked] == ["car"]
    for n in range(10):
        moment = yard.see(("car", ("car", 0.7, shifted(CAR, 40 * n))))
    assert moment.parked == ()
    assert moment.objects[0].has_moved


def test_a_parked_vehicle_hidden_for_long_is_the_same_one() -> None:
    yard = Yard()
    yard.stand("car", 10)
    yard.see(ended=("car",))
    yard.at_s += 300
    (hidden,) = yard.see().parked
    assert hidden.unseen_s > 300
    moment = yard.see(("another", ("car", 0.8, shifted(CAR, 10))))
    assert [thing.id for thing in moment.objects] == ["car"]
    assert moment.ended == ()


def test_it_is_seen_again_though_it_is_not_followed() -> None:
    """While nothing moves, frames come seconds apart and no track begins."""
    yard = Yard()
    yard.stand("car", 10)
    yard.see(ended=("car",))
    yard.at_s += 200
    moment = yard.see(("", ("car", 0.8, CAR)), ("", ("car", 0.8, shifted(CAR, 500))))
    assert [(thing.id, thing.unseen_s) for thing in moment.objects] == [("car", 0.0)]


def test_it_is_forgotten_after_a_while() -> None:
    yard = Yard()
    yard.stand("car", 10)
    assert yard.see(ended=("car",)).ended == ()
    yard.at_s += REMEMBERED_S + 1
    moment = yard.see()
    assert (moment.ended, moment.parked) == (("car",), ())


def test_only_what_may_move_keeps_the_camera_awake() -> None:
    yard = Yard()
    yard.stand("car", 5)
    assert yard.whereabouts.alive
    yard.stand("car", 5)
    assert not yard.whereabouts.alive


def test_another_scene_begins_with_nothing() -> None:
    yard = Yard()
    yard.stand("car", 10)
    yard.whereabouts.end_all()
    moment = yard.see()
    assert (moment.objects, moment.parked, moment.ended) == ((), (), ())
