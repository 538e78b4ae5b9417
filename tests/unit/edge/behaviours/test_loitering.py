from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import thing

INSIDE, OUTSIDE = (0.8, 0.6), (0.2, 0.6)


def loitering():
    return watch("loitering", zone="yard", stay_s=30)


def test_nobody_is_told() -> None:
    assert play(loitering(), lambda at: (), 40) == []


def test_who_stays_is_told_once() -> None:
    ((at_s, event),) = play(loitering(), lambda at: (thing("a", INSIDE),), 90)
    assert at_s == 30
    assert (event.behaviour, event.zone, event.tracks) == ("loitering", "yard", ("a",))
    assert event.reason == "a person has been in zone yard for 30 s"


def test_who_goes_in_time_or_stands_beside_or_is_a_car_is_not() -> None:
    assert play(loitering(), lambda at: (thing("a", INSIDE if at < 28 else OUTSIDE),), 90) == []
    assert play(loitering(), lambda at: (thing("a", OUTSIDE),), 90) == []
    assert play(loitering(), lambda at: (thing("a", INSIDE, "car"),), 90) == []


def test_a_track_that_breaks_goes_on_where_someone_stood_but_not_where_they_walked() -> None:
    def broken(speed: float):
        def scene(at: float):
            if 15 <= at < 20:
                return ()
            return (thing("a" if at < 15 else "b", INSIDE, speed=speed),)

        return scene

    assert [at for at, _ in play(loitering(), broken(0.0), 40)] == [30]
    assert play(loitering(), broken(0.8), 40) == []


def test_another_scene_begins_anew() -> None:
    watching = loitering()
    play(watching, lambda at: (thing("a", INSIDE),), 25)
    watching.forget()
    assert play(watching, lambda at: (thing("a", INSIDE),), 25, from_s=25) == []
