import itertools

import pytest

from hub.alerts import (
    MOVES,
    Disposition,
    IllegalMove,
    Placement,
    Standing,
    State,
    alert_id,
    certainty_after,
    dedup_key,
    disposition_after,
    move,
    place,
)
from tests.unit.hub.kit import at


def test_the_way_of_an_alert() -> None:
    state = State.OPEN
    for to in (
        State.ACKNOWLEDGED,
        State.VERIFIED,
        State.DISPATCHED,
        State.ON_SCENE,
        State.CLOSED,
    ):
        state = move(state, to)
    assert move(move(State.ACKNOWLEDGED, State.FALSE_ALARM), State.CLOSED) is State.CLOSED


@pytest.mark.parametrize(("state", "to"), list(itertools.product(State, State)))
def test_a_move_that_is_not_in_the_table_raises(state: State, to: State) -> None:
    if to in MOVES[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(IllegalMove, match=f"{state} cannot become {to}"):
            move(state, to)


def test_nobody_is_dispatched_on_what_no_person_has_verified() -> None:
    assert {s for s, to in MOVES.items() if State.DISPATCHED in to} == {State.VERIFIED}
    assert certainty_after("unverified", State.ACKNOWLEDGED) == "unverified"
    assert certainty_after("unverified", State.VERIFIED) == "confirmed"
    assert certainty_after("confirmed", State.CLOSED) == "confirmed"


@pytest.mark.parametrize(
    ("had", "to", "given", "has"),
    [
        (None, State.ACKNOWLEDGED, None, None),
        (None, State.VERIFIED, None, Disposition.CONFIRMED),
        (None, State.FALSE_ALARM, None, Disposition.FALSE_MATCH),
        (None, State.FALSE_ALARM, Disposition.BENIGN, Disposition.BENIGN),
        (Disposition.CONFIRMED, State.DISPATCHED, None, Disposition.CONFIRMED),
        (Disposition.CONFIRMED, State.CLOSED, None, Disposition.CONFIRMED),
        (Disposition.CONFIRMED, State.CLOSED, Disposition.BENIGN, Disposition.BENIGN),
    ],
)
def test_the_verdict_comes_with_the_move(had, to, given, has) -> None:
    assert disposition_after(had, to, given) is has


@pytest.mark.parametrize(
    ("to", "given"),
    [
        (State.ACKNOWLEDGED, Disposition.CONFIRMED),
        (State.VERIFIED, Disposition.FALSE_MATCH),
        (State.FALSE_ALARM, Disposition.CONFIRMED),
        (State.DISPATCHED, Disposition.CONFIRMED),
    ],
)
def test_a_verdict_that_contradicts_the_move_is_refused(to, given) -> None:
    with pytest.raises(IllegalMove, match=f"with {to} comes .*not {given}"):
        disposition_after(None, to, given)


def standing(name: str, first: float, last: float, closed: float | None = None) -> Standing:
    return Standing(name, at(first), at(last), None if closed is None else at(closed))


@pytest.mark.parametrize(
    ("seen", "alerts", "expected"),
    [
        # at this second, with these alerts (name, first, last[, closed]), a match goes …
        (0, [], Placement(None, "first")),
        (60, [("a", 0, 0)], Placement("a", "within_window")),
        (61, [("a", 0, 0)], Placement(None, "outside_window")),
        (500, [("a", 0, 450)], Placement("a", "within_window")),
        (-60, [("a", 0, 0)], Placement("a", "within_window")),  # late news of before
        (-61, [("a", 0, 0)], Placement(None, "outside_window")),
        (30, [("a", 0, 0), ("b", 40, 50)], Placement("b", "within_window")),  # the nearer
        (30, [("b", 40, 50), ("a", 0, 0)], Placement("b", "within_window")),
        (20, [("a", 0, 10, 15)], Placement(None, "after_close")),  # back after it was closed
        (12, [("a", 0, 10, 15)], Placement("a", "within_window")),  # late news of before the close
        (20, [("a", 0, 10, 15), ("b", 18, 18)], Placement("b", "within_window")),
    ],
)
def test_where_a_match_goes(seen: float, alerts: list[tuple], expected: Placement) -> None:
    assert place(at(seen), 60, [standing(*alert) for alert in alerts]) == expected


def test_ids_follow_from_rule_and_observation_alone() -> None:
    first = alert_id("stolen", "0192f7a0-1111-4222-8333-444455556666")
    assert first == alert_id("stolen", "0192f7a0-1111-4222-8333-444455556666")
    assert first != alert_id("stolen", "0192f7a0-1111-4222-8333-444455556667")
    assert first != alert_id("banned", "0192f7a0-1111-4222-8333-444455556666")
    assert dedup_key("r", "plate:x", "north") != dedup_key("r", "plate:x", None)
