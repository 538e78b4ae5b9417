"""Whether a barrier opens for a plate: every reason, and that only the exact plate ever opens."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.access import AllowedPlates, Grounds, Reading, Reason, decide
from edge.config_devices import DeviceSection
from tests.unit.edge.fakes import T0
from wire.messages import AllowedPlate
from wire.plates import ALPHABET, normalise

PLATE = "京AD12345"


def later(seconds: float):
    return T0 + timedelta(seconds=seconds)


def device(**more) -> DeviceSection:
    return DeviceSection.model_validate(
        {
            "id": "north", "camera": "gate", "open_for": ["plate"],
            "relay": {"kind": "simulator"}, **more,
        }
    )  # fmt: skip


def why(
    *entries: AllowedPlate, text: str = PLATE, confidence: float = 0.99, state: str = "confirmed",
    at: float = 0.0, released: dict | None = None, expired: bool = False, none: bool = False, **more,
) -> Reason:  # fmt: skip
    plates = None if none else AllowedPlates(entries)
    grounds = Grounds(plates, expired, released or {}, later(at))
    return decide(Reading(text, confidence, state), device(**more), grounds).reason


MINE = AllowedPlate(plate=PLATE)
GUEST = AllowedPlate(plate=PLATE, valid_from=later(10), valid_until=later(20))


@pytest.mark.parametrize("state", ["confirmed", "revised"])
def test_a_listed_plate_that_was_read_surely_opens(state: str) -> None:
    assert why(MINE, state=state) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("reason", "entries", "more"),
    [
        (Reason.NOT_CONFIRMED, [MINE], {"state": "provisional"}),
        (Reason.NOT_SURE, [MINE], {"confidence": 0.949}),
        (Reason.NOT_SURE, [MINE], {"confidence": 0.97, "min_confidence": 0.98}),
        (Reason.NO_LIST, [], {"none": True}),
        (Reason.LIST_EXPIRED, [], {"none": True, "expired": True}),
        (Reason.NOT_LISTED, [], {}),
        (Reason.NOT_LISTED, [MINE], {"text": "京AD12346"}),
        (Reason.OTHER_DEVICE, [AllowedPlate(plate=PLATE, devices=("south",))], {}),
        (Reason.TOO_EARLY, [GUEST], {"at": 9.9}),
        (Reason.OVER, [GUEST], {"at": 20}),
        (
            Reason.CLOSED,
            [MINE],
            {"schedule": {"zone": "UTC", "hours": [{"since": "09:00", "until": "23:00"}]}},
        ),
        (Reason.HELD_OFF, [MINE], {"released": {PLATE: later(-19.9)}}),
    ],
)
def test_why_it_stays_shut(reason: Reason, entries: list, more: dict) -> None:
    assert why(*entries, **more) is reason


@pytest.mark.parametrize("at", [10, 19.9])
def test_a_pass_opens_in_its_time(at: float) -> None:
    assert why(GUEST, at=at) is Reason.ALLOWED
    assert why(AllowedPlate(plate=PLATE, valid_until=later(5)), GUEST, at=at) is Reason.ALLOWED


def test_a_device_that_is_named_opens_and_within_its_hours() -> None:
    assert why(AllowedPlate(plate=PLATE, devices=("south", "north"))) is Reason.ALLOWED
    hours = {"zone": "UTC", "hours": [{"since": "07:00", "until": "08:01"}]}
    assert why(MINE, schedule=hours) is Reason.ALLOWED
    assert why(MINE, schedule=hours, at=61) is Reason.CLOSED


def test_another_car_and_a_later_visit_are_not_held_off() -> None:
    assert why(MINE, released={"京B00001": later(-1)}) is Reason.ALLOWED
    assert why(MINE, released={PLATE: later(-20)}) is Reason.ALLOWED


@given(st.text(ALPHABET, min_size=1, max_size=8))
def test_nothing_but_the_exact_plate_opens(text: str) -> None:
    """However alike it looks: what is 疑似 for an alert is nothing for a barrier."""
    opens = why(MINE, text=text) is Reason.ALLOWED
    assert opens == (normalise(text) == PLATE)


@given(
    st.floats(0, 1),
    st.sampled_from(["provisional", "confirmed", "revised"]),
    st.floats(-30, 60),
    st.booleans(),
)
def test_it_opens_only_when_all_holds(confidence, state, at, listed) -> None:
    opens = why(*([GUEST] if listed else []), confidence=confidence, state=state, at=at)
    must = state != "provisional" and confidence >= 0.95 and listed and 10 <= at < 20
    # what hypothesis calls 19.9999999 may be 20 once it is a time of whole microseconds
    assert (opens is Reason.ALLOWED) == must or abs(at - 10) < 1e-5 or abs(at - 20) < 1e-5
