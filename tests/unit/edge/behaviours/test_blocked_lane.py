from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import moment, thing


def car(at_s: float, *, since_s: float = 0.0, x: float = 0.8, name: str = "car"):
    stood = max(0.0, at_s - since_s)
    return thing(name, (x, 0.6), "car", still_s=stood, parked=stood > 8)


def lane():
    return watch("blocked_lane", zone="yard", stay_s=60)


def test_a_car_that_stands_in_the_lane_is_told_once() -> None:
    ((at_s, event),) = play(lane(), lambda at: (car(at),), 300)
    assert (at_s, event.tracks) == (60, ("car",))
    assert (event.at - event.since).total_seconds() == 60


def test_who_stops_shortly_or_beside_it_or_is_a_person_is_not() -> None:
    assert play(lane(), lambda at: (car(at, since_s=50 * (at // 50)),), 300) == []
    assert play(lane(), lambda at: (car(at, x=0.2),), 300) == []
    assert play(lane(), lambda at: (thing("p", (0.8, 0.6), still_s=at),), 300) == []


def test_one_that_leaves_and_comes_back_is_told_again() -> None:
    told = play(lane(), lambda at: (car(at, since_s=100.0 if at >= 100 else 0.0),), 200)
    assert [at for at, _ in told] == [60, 160]


def test_one_that_is_hidden_stays_told_and_one_unseen_is_not_told() -> None:
    watching = lane()
    hidden = thing("car", (0.8, 0.6), "car", still_s=90.0, parked=True, unseen_s=20.0)
    assert watching.step(moment(90, parked=(hidden,)), ()) == []
    play(watching, lambda at: (car(at),), 80)
    assert watching.step(moment(100, parked=(hidden,)), ()) == []
    assert play(watching, lambda at: (car(at),), 20, from_s=101) == []
