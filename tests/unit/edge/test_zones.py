"""Zones and lines, as timelines of what is told."""

import pytest

from edge.zones import ENTERED_AFTER_S, LEFT_AFTER_S, Line, LineWatch, Zone, ZoneWatch
from tests.unit.edge.moments import RATE_HZ, moment, thing

ALL = frozenset({"person", "car", "bicycle"})
YARD = Zone("yard", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)), ALL, dwell_s=5.0)
GATE = Line("gate", (0.5, 1.0), (0.5, 0.0), ALL)  # looking up the picture: right is in


def walk(watch: ZoneWatch | LineWatch, xs: list[float], *, y: float = 0.5, label="person"):
    """One object at these places, five a second; what is told, with the frame's number."""
    told = []
    for n, x in enumerate(xs):
        for event in watch.step(moment(n / RATE_HZ, thing("a", (x, y), label))):
            told.append((n, event))
    return told


def test_an_empty_place_tells_nothing() -> None:
    for watch in (ZoneWatch(YARD), LineWatch(GATE)):
        assert [watch.step(moment(n / 5)) for n in range(10)] == [[]] * 10


def test_who_comes_stays_and_goes_is_told_once_each() -> None:
    told = walk(ZoneWatch(YARD), [0.2] * 5 + [0.8] * 40 + [0.2] * 20)
    assert [event.event for _, event in told] == ["entered", "dwelt", "left"]
    (entered_n, entered), (dwelt_n, dwelt), (left_n, left) = told
    assert entered_n == 5 + ENTERED_AFTER_S * RATE_HZ
    assert dwelt_n == 5 + 25
    assert left_n == 45 + LEFT_AFTER_S * RATE_HZ
    assert (entered.count, dwelt.count, left.count) == (1, 1, 0)
    assert dwelt.stay_s == pytest.approx(5.0)


def test_a_box_that_jitters_on_the_border_tells_nothing_twice() -> None:
    jitter = [0.49, 0.51] * 20
    assert walk(ZoneWatch(YARD), jitter) == []
    told = walk(ZoneWatch(YARD), [0.8] * 10 + jitter + [0.8] * 5)
    assert [event.event for _, event in told] == ["entered", "dwelt"]


def test_several_are_counted() -> None:
    watch, counts = ZoneWatch(YARD), []
    for n in range(20):
        people = [thing(f"p{i}", (0.6 + 0.1 * i, 0.5)) for i in range(3) if n >= 5 * i]
        counts += [event.count for event in watch.step(moment(n / 5, *people))]
    assert counts == [1, 2, 3]
    assert {who.id for who in watch.inside} == {"p0", "p1", "p2"}


def test_who_vanishes_inside_has_left() -> None:
    watch = ZoneWatch(YARD)
    for n in range(10):
        watch.step(moment(n / 5, thing("a", (0.8, 0.5))))
    (event,) = watch.step(moment(2.4, ended=("a",)))
    assert (event.event, event.count) == ("left", 0)
    assert watch.inside == ()


def test_other_classes_are_not_watched() -> None:
    cars = Zone("yard", YARD.polygon, frozenset({"car"}))
    assert walk(ZoneWatch(cars), [0.2] * 5 + [0.8] * 20) == []


def test_a_car_that_was_there_from_the_start_has_not_come_and_its_stay_counts() -> None:
    watch, told = ZoneWatch(YARD), []
    for n in range(40):
        car = thing("car", (0.8, 0.5), "car", has_moved=False)
        told += [event.event for event in watch.step(moment(n / 5, car))]
    assert told == ["dwelt"]
    assert watch.step(moment(9, ended=("car",))) == []


@pytest.mark.parametrize(
    ("xs", "expected"),
    [
        ([0.2, 0.3, 0.4, 0.6, 0.7], ["in"]),
        ([0.7, 0.6, 0.4, 0.3], ["out"]),
        ([0.2, 0.8, 0.2, 0.8], ["in", "out", "in"]),
        ([0.499, 0.501] * 10, []),
        ([0.1, 0.2, 0.3], []),
        ([0.8], []),
    ],
)
def test_lines_are_crossed_in_a_direction(xs: list[float], expected: list[str]) -> None:
    assert [event.direction for _, event in walk(LineWatch(GATE), xs)] == expected


def test_each_direction_has_its_count_and_keeps_it_over_scenes() -> None:
    watch = LineWatch(GATE)
    counts = [event.count for _, event in walk(watch, [0.2, 0.8, 0.2, 0.8])]
    assert counts == [1, 1, 2]
    watch.forget()
    assert [event.count for _, event in walk(watch, [0.2, 0.8])] == [3]


def test_who_goes_round_the_end_of_a_line_has_not_crossed_it() -> None:
    short = Line("gate", (0.5, 0.3), (0.5, 0.1), ALL)
    assert walk(LineWatch(short), [0.2, 0.4, 0.6, 0.8], y=0.8) == []
