"""Meter readings: what gateways send, and what is none."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from edge.config_meters import MeterSection
from edge.meters import MeterBook, Unusable, read
from wire.messages import MeterObservation

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
WATER = {"id": "water-3-1502", "unit": "3-1502", "medium": "water", "topic": "wm/1502"}


def meter(**changes: Any) -> MeterSection:
    return MeterSection.model_validate({**WATER, "counts": "m3", "value": "total_m3", **changes})


def reading(section: MeterSection, content: Any) -> MeterObservation:
    found = read(section, json.dumps(content).encode(), NOW)
    assert isinstance(found, MeterObservation)
    return found


@pytest.mark.parametrize(
    ("changes", "content", "value"),
    [
        ({}, {"total_m3": 1234.5}, 1234.5),
        ({}, {"total_m3": "1234.5"}, 1234.5),
        ({"value": "data.0.v"}, {"data": [{"v": 7}]}, 7.0),
        ({"value": ""}, 12, 12.0),
        ({"counts": "l"}, {"total_m3": 1250}, 1.25),
        ({"medium": "electricity", "counts": "Wh"}, {"total_m3": 500}, 0.5),
        ({}, {"total_m3": 0}, 0.0),
    ],
)
def test_what_gateways_send(changes: dict[str, Any], content: Any, value: float) -> None:
    found = reading(meter(**changes), content)
    assert (found.meter, found.unit, found.value) == ("water-3-1502", "3-1502", value)
    assert found.captured_at == NOW


@pytest.mark.parametrize(
    "when", ["2026-11-05T19:30:00+08:00", 1793878200, 1793878200000, "2026-11-05T11:30:00Z"]
)
def test_a_reading_may_say_when_it_was_taken(when: Any) -> None:
    found = reading(meter(time="at"), {"total_m3": 1, "at": when})
    assert found.captured_at == NOW - timedelta(minutes=30)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", Unusable.NOT_JSON),
        (b"\xff\xfe", Unusable.NOT_JSON),
        (b"[" * 5000, Unusable.NOT_JSON),
        (b"{}", Unusable.NO_VALUE),
        (b'{"total_m3": null}', Unusable.NO_VALUE),
        (b"[1]", Unusable.NO_VALUE),
        (b'{"total_m3": true}', Unusable.NO_NUMBER),
        (b'{"total_m3": {"a": 1}}', Unusable.NO_NUMBER),
        (b'{"total_m3": "much"}', Unusable.NO_NUMBER),
        (b'{"total_m3": -1}', Unusable.OUT_OF_RANGE),
        (b'{"total_m3": 1e400}', Unusable.OUT_OF_RANGE),
        (b'{"total_m3": NaN}', Unusable.OUT_OF_RANGE),
        (b'{"total_m3": 1e12}', Unusable.OUT_OF_RANGE),
    ],
)
def test_what_is_no_reading_says_why(payload: bytes, why: Unusable) -> None:
    assert read(meter(), payload, NOW) is why


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (None, Unusable.NO_TIME),
        ("yesterday", Unusable.NO_TIME),
        ("2026-11-05T12:00:00", Unusable.NO_TIME),
        (True, Unusable.NO_TIME),
        (1e300, Unusable.NO_TIME),
        ("2026-11-05T13:00:00Z", Unusable.WRONG_TIME),
        (0, Unusable.WRONG_TIME),
    ],
)
def test_a_time_that_cannot_be_right_makes_no_reading(when: Any, why: Unusable) -> None:
    payload = json.dumps({"total_m3": 1, "at": when}).encode()
    assert read(meter(time="at"), payload, NOW) is why


def test_a_meter_that_reports_every_second_is_told_now_and_then() -> None:
    book = MeterBook(meter(every_s=60))
    told = [
        second
        for second in range(181)
        if book.take(b'{"total_m3": 5}', NOW + timedelta(seconds=second))
    ]
    assert told == [0, 60, 120, 180]
    assert book.counts == {"told": 4, "too_soon": 177}


def test_the_same_reading_again_and_older_ones_are_not_told() -> None:
    book = MeterBook(meter(time="at", every_s=1))
    first, older = (
        json.dumps({"total_m3": 1, "at": f"2026-11-05T{hour}:00:00Z"}).encode()
        for hour in ("11", "10")
    )
    assert book.take(first, NOW) is not None
    assert book.take(first, NOW) is None
    assert book.take(older, NOW) is None


def test_what_cannot_be_read_is_counted_and_over_with_the_next_reading() -> None:
    book = MeterBook(meter())
    assert book.take(b"?", NOW) is None
    assert book.problem is Unusable.NOT_JSON
    assert book.take(b'{"total_m3": 5}', NOW) is not None
    assert book.problem is None
    assert book.counts == {"unusable": 1, "told": 1}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"topic": "wm/+"}, "one meter has one topic"),
        ({"counts": "kWh"}, "water is not counted in kWh"),
        ({"value": "a..b"}, "value"),
        ({"litres": 1}, "litres"),
    ],
)
def test_a_wrong_section_names_the_key(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        meter(**changes)
