import pytest
from pydantic import ValidationError

from hub.alerts import Level, State
from hub.escalation import ColourPolicy, EscalationSection, due_after, due_after_move, escalate
from tests.unit.hub.kit import at

POLICY = ColourPolicy(acknowledge_within_s=120, close_within_s=3600)
TAKEN = [State.ACKNOWLEDGED, State.VERIFIED, State.FALSE_ALARM, State.DISPATCHED, State.ON_SCENE]


def test_the_way_up_of_an_alert_that_nobody_takes() -> None:
    due = due_after(POLICY, State.OPEN, Level.GRID, at(0))
    assert due == at(120)
    assert escalate(POLICY, State.OPEN, Level.GRID, due, at(119.9)) is None
    first = escalate(POLICY, State.OPEN, Level.GRID, due, at(120))
    assert first is not None
    assert (first.level, first.due_at, first.reason) == (Level.STATION, at(240), "not_acknowledged")
    assert first.sentence == "nobody at the level grid acknowledged it within 120 s"
    second = escalate(POLICY, State.OPEN, first.level, first.due_at, at(240))
    assert second is not None
    assert (second.level, second.due_at) == (Level.CENTRE, None)  # nothing goes further
    assert escalate(POLICY, State.OPEN, Level.CENTRE, at(0), at(999)) is None


@pytest.mark.parametrize("state", TAKEN)
def test_what_is_taken_up_and_not_closed_goes_up_too(state: State) -> None:
    up = escalate(POLICY, state, Level.GRID, at(3600), at(3600))
    assert up is not None
    assert (up.level, up.reason, up.due_at) == (Level.STATION, "not_closed", at(7200))


def test_a_late_timer_goes_up_one_level_and_waits_anew() -> None:
    """The hub was away for an hour: the station gets its time all the same."""
    up = escalate(POLICY, State.OPEN, Level.GRID, at(120), at(3720))
    assert up is not None
    assert (up.level, up.due_at) == (Level.STATION, at(3840))


def test_nothing_closed_goes_up() -> None:
    assert escalate(POLICY, State.CLOSED, Level.GRID, at(0), at(10)) is None
    assert due_after(POLICY, State.CLOSED, Level.GRID, at(0)) is None


def test_moves_and_the_timer() -> None:
    assert due_after_move(POLICY, State.ACKNOWLEDGED, Level.GRID, at(120), at(60)) == at(3660)
    for to in TAKEN[1:]:
        assert due_after_move(POLICY, to, Level.GRID, at(3660), at(90)) == at(3660)
    assert due_after_move(POLICY, State.CLOSED, Level.GRID, at(3660), at(90)) is None


def test_a_rule_can_name_a_policy() -> None:
    slow = {"first_level": "station", "acknowledge_within_s": 600, "close_within_s": 7200}
    section = EscalationSection.model_validate({"policies": {"night": slow}})
    assert section.of("red", "night").first_level is Level.STATION
    assert section.of("red", "unknown") == section.red == section.of("red")
    assert section.red.acknowledge_within_s < section.yellow.acknowledge_within_s
    assert section.yellow.acknowledge_within_s < section.blue.acknowledge_within_s
    with pytest.raises(ValidationError, match="first_level"):
        EscalationSection.model_validate({"policies": {"x": {**slow, "first_level": "moon"}}})
