import pytest

from edge.grants import GrantBook
from tests.unit.edge.behaviours.kit import grants, play, watch
from tests.unit.edge.moments import thing

GATE = {"line": "gate", "direction": "in", "device": "gate", "open_s": 10}


def drives(at_s: float, label: str = "car", *, back: bool = False):
    """Over the line at that time."""

    def scene(at: float):
        x = 0.5 + 0.05 * (at - at_s)
        return (thing("a", (1 - x if back else x, 0.6), label),)

    return scene


def test_a_car_that_nobody_let_in_is_told_with_the_time_it_crossed() -> None:
    ((at_s, event),) = play(watch("barrier_run", grants(), **GATE), drives(20), 40)
    assert 20 < (event.at - event.object.first_seen_at).total_seconds() < 22
    assert at_s >= 23
    assert event.reason.startswith("a car crossed line gate though gate was not released")


@pytest.mark.parametrize("granted_s", [12.0, 19.0, 22.5])
def test_one_with_a_grant_is_not_though_word_of_it_is_late(granted_s: float) -> None:
    assert play(watch("barrier_run", grants(granted_s), **GATE), drives(20), 40) == []


def test_an_old_grant_does_not_count() -> None:
    assert len(play(watch("barrier_run", grants(5.0), **GATE), drives(20), 40)) == 1


def test_who_walks_or_drives_out_needs_none() -> None:
    assert play(watch("barrier_run", grants(), **GATE), drives(20, "person"), 40) == []
    assert play(watch("barrier_run", grants(), **GATE), drives(20, back=True), 40) == []


def test_without_its_signal_nobody_is_accused() -> None:
    assert play(watch("barrier_run", GrantBook(), **GATE), drives(20), 40) == []
    lost = grants()
    lost.lost("gate")
    assert play(watch("barrier_run", lost, **GATE), drives(20), 40) == []
