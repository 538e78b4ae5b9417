import pytest

from edge.grants import GrantBook
from tests.unit.edge.behaviours.kit import grants, play, watch
from tests.unit.edge.moments import thing

DOOR = {"line": "gate", "direction": "in", "device": "gate", "open_s": 10}


def walk(*at_s: float):
    """One person after another over the line."""
    return lambda at: tuple(
        thing(f"p{n}", (0.5 + 0.05 * (at - crosses), 0.6)) for n, crosses in enumerate(at_s)
    )


def test_one_grant_and_two_pass() -> None:
    ((_, event),) = play(watch("tailgating", grants(19), **DOOR), walk(20, 22), 40)
    assert (event.tracks, event.count, event.line) == (("p1", "p0"), 2, "gate")
    assert "number 2" in event.reason


def test_three_on_one_grant_are_two_tailgaters() -> None:
    told = play(watch("tailgating", grants(19), **DOOR), walk(20, 22, 24), 40)
    assert [event.count for _, event in told] == [2, 3]


@pytest.mark.parametrize("granted", [(19.0, 19.5), (19.0, 21.5), (18.0, 23.0)])
def test_a_grant_each_is_none(granted: tuple[float, float]) -> None:
    assert play(watch("tailgating", grants(*granted), **DOOR), walk(20, 22), 40) == []


def test_nobody_let_in_or_no_signal_is_none() -> None:
    assert play(watch("tailgating", grants(), **DOOR), walk(20, 22), 40) == []
    assert play(watch("tailgating", GrantBook(), **DOOR), walk(20, 22), 40) == []
