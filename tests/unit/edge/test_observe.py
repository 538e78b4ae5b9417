"""When a track is told of, as timelines of what is known."""

from datetime import timedelta

import pytest

from edge.observe import (
    Known,
    Policy,
    Reason,
    Told,
    reason_at_end,
    reason_to_tell,
    worth_keeping,
)
from tests.unit.edge.fakes import T0

POLICY = Policy()


def face(quality: float, *, agrees: bool = False) -> Known:
    return Known(quality, agrees, T0)


def plate(text: str, state: str, confidence: float = 0.8) -> Known:
    return Known(confidence, state != "provisional", T0, text, state)  # type: ignore[arg-type]


def first(known: Known, after_s: float, *, ended: bool = False) -> Reason | None:
    return reason_to_tell(known, None, POLICY, T0 + timedelta(seconds=after_s), ended=ended)


@pytest.mark.parametrize(
    ("known", "after_s", "ended", "reason"),
    [
        (face(0.8), 0.0, False, Reason.HIGH_QUALITY),
        (face(0.5), 0.2, False, None),
        (face(0.5, agrees=True), 0.4, False, Reason.AGREEING_CROPS),
        (face(0.3), 1.4, False, None),
        (face(0.3), 1.5, False, Reason.WAITED),
        (face(0.3), 0.2, True, Reason.TRACK_ENDED),
        (plate("京A88731", "provisional", 0.99), 0.0, False, None),  # one reading confirms nothing
        (plate("京A88731", "confirmed"), 0.4, False, Reason.AGREEING_CROPS),
        (plate("京A88731", "provisional"), 1.5, False, Reason.WAITED),
        (plate("京A88731", "provisional"), 0.1, True, Reason.TRACK_ENDED),
    ],
)
def test_the_first_telling(
    known: Known, after_s: float, ended: bool, reason: Reason | None
) -> None:
    assert first(known, after_s, ended=ended) is reason


@pytest.mark.parametrize(
    ("before", "now", "after_s", "ended", "reason"),
    [
        (face(0.5), face(0.6), 2.0, False, None),
        (face(0.5), face(0.66), 2.0, False, Reason.BETTER_CROP),
        (face(0.5), face(0.66), 0.5, False, None),  # not twice within a second
        (face(0.5), face(0.66), 0.5, True, Reason.BETTER_CROP),  # but now or never
        (face(0.5), face(0.5), 9.0, True, None),
        (face(0.8), face(0.8, agrees=True), 1.0, False, Reason.AGREEING_CROPS),
        (face(0.5, agrees=True), face(0.5, agrees=True), 9.0, True, None),
        (
            plate("京A88731", "provisional"),
            plate("京A8B731", "provisional"),
            2.0,
            False,
            Reason.READING_CHANGED,
        ),
        (
            plate("京A88731", "provisional"),
            plate("京A88731", "confirmed"),
            2.0,
            False,
            Reason.AGREEING_CROPS,
        ),
        (plate("京A88731", "confirmed"), plate("京A88731", "confirmed", 0.85), 9.0, True, None),
    ],
)
def test_telling_again(
    before: Known, now: Known, after_s: float, ended: bool, reason: Reason | None
) -> None:
    told = Told(0, before, T0)
    at = T0 + timedelta(seconds=after_s)
    assert reason_to_tell(now, told, POLICY, at, ended=ended) is reason


def test_a_crop_that_says_no_more_is_let_go() -> None:
    told = Told(0, face(0.5), T0)
    assert worth_keeping(face(0.2), None, POLICY)
    assert worth_keeping(face(0.7), told, POLICY)
    assert not worth_keeping(face(0.55), told, POLICY)


OPENS = Policy(levels=(0.95,))


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (("confirmed", 0.92), ("confirmed", 0.96), Reason.SURE_ENOUGH),
        (("confirmed", 0.92), ("confirmed", 0.94), None),
        (("confirmed", 0.96), ("confirmed", 0.97), None),
        (("provisional", 0.97), ("confirmed", 0.97), Reason.SURE_ENOUGH),
        (("provisional", 0.5), ("provisional", 0.97), None),
    ],
)
def test_where_something_opens_it_is_told_at_once_when_it_is_sure_enough(
    before: tuple[str, float], now: tuple[str, float], reason: Reason | None
) -> None:
    told = Told(0, plate("京A88731", *before), T0)
    known = plate("京A88731", *now)
    assert reason_to_tell(known, told, OPENS, T0 + timedelta(seconds=0.2), ended=False) is reason
    assert worth_keeping(known, told, OPENS) or reason is None


STAYS = Policy(still_s=60.0, stayed_s=3.0)


@pytest.mark.parametrize(
    ("now", "after_s", "reason"),
    [
        (face(0.5), 59.9, None),
        (face(0.5), 60.0, Reason.STILL_THERE),
        (face(0.66), 60.0, Reason.BETTER_CROP),  # what is new comes first
    ],
)
def test_what_stays_is_told_again_now_and_then(
    now: Known, after_s: float, reason: Reason | None
) -> None:
    told, at = Told(3, face(0.5), T0), T0 + timedelta(seconds=after_s)
    assert reason_to_tell(now, told, STAYS, at, ended=False) is reason
    assert not worth_keeping(face(0.5), told, STAYS)  # no frame is kept for it in the meantime


@pytest.mark.parametrize(
    ("policy", "told", "until_s", "reason"),
    [
        (STAYS, Told(0, face(0.5), T0), 3.0, Reason.STAYED),
        (STAYS, Told(0, face(0.5), T0), 2.9, None),
        (STAYS, None, 30.0, None),  # of whom nothing was told there is nothing to say again
        (POLICY, Told(0, plate("京A88731", "confirmed"), T0), 30.0, None),  # a plate says no more
    ],
)
def test_the_end_of_what_stayed_is_told_once_more(
    policy: Policy, told: Told | None, until_s: float, reason: Reason | None
) -> None:
    assert reason_at_end(told, T0 + timedelta(seconds=until_s), policy) is reason
