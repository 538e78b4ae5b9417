from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import thing

CARS = tuple(
    thing(f"car{n}", (0.15 + 0.2 * n, 0.6), "car", height=0.2, width=0.16, parked=True)
    for n in range(4)
)


def visits(stops: list[tuple[float, float]], *, y: float = 0.62, name: str = "a"):
    """A person who is at each x for as many seconds, with two seconds of walking between."""

    def scene(at: float):
        for x, lasts in stops:
            if at < lasts:
                return (*CARS, thing(name, (x, y)))
            at -= lasts
        return CARS

    return scene


def prowling():
    return watch("vehicle_prowling", vehicles=3, pause_s=1.5, within_s=60)


def test_who_stops_at_three_cars_is_told_once() -> None:
    told = play(prowling(), visits([(0.15, 3), (0.35, 3), (0.55, 3), (0.75, 3)]), 20)
    ((at_s, event),) = told
    assert 6 < at_s < 9
    assert event.tracks == ("a", "car0", "car1", "car2")
    assert event.reason == "a person stopped at 3 parked vehicles, one after another, within 8 s"


def test_who_walks_past_all_of_them_is_not() -> None:
    steps = [(0.1 + 0.02 * n, 0.2) for n in range(40)]
    assert play(prowling(), visits(steps), 12) == []


def test_who_stays_at_one_or_two_is_not_nor_who_stands_away() -> None:
    assert play(prowling(), visits([(0.15, 40)]), 45) == []
    assert play(prowling(), visits([(0.15, 5), (0.35, 5), (0.15, 5)]), 20) == []
    stops = [(0.15, 3), (0.35, 3), (0.55, 3)]
    assert play(prowling(), visits(stops, y=0.9), 12) == []


def test_visits_too_far_apart_do_not_count_together() -> None:
    assert play(prowling(), visits([(0.15, 3), (0.35, 3), (0.05, 62), (0.55, 3)], y=0.62), 75) == []


def test_two_people_at_two_cars_each_are_no_prowler() -> None:
    watching = prowling()
    assert play(watching, visits([(0.15, 3), (0.35, 3)]), 6) == []
    assert play(watching, lambda at: (*CARS, thing("b", (0.75, 0.62))), 6, from_s=20) == []
