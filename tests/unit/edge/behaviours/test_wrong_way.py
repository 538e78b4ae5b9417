import pytest

from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import thing

EXIT = {"line": "gate", "direction": "out"}  # to the left


def path(xs: list[float], label: str = "car"):
    return lambda at: (thing("a", (xs[min(int(at * 5), len(xs) - 1)], 0.6), label, height=0.2),)


LEFT = [0.9 - 0.02 * n for n in range(40)]


@pytest.mark.parametrize("label", ["car", "truck", "motorcycle"])
def test_a_vehicle_against_the_direction_is_told_once(label: str) -> None:
    ((_, event),) = play(watch("wrong_way", **EXIT), path(LEFT, label), 10)
    assert (event.behaviour, event.line, event.object.label) == ("wrong_way", "gate", label)


def test_the_right_way_is_not_nor_is_a_person() -> None:
    assert play(watch("wrong_way", **EXIT), path(LEFT[::-1]), 10) == []
    assert play(watch("wrong_way", **EXIT), path(LEFT, "person"), 10) == []


def test_who_backs_up_a_little_over_the_line_is_not() -> None:
    xs = [0.4] * 3 + [0.6] * 5 + [0.485] * 10 + [0.8] * 10
    assert play(watch("wrong_way", **EXIT), path(xs), 10) == []
