"""What a view library's answer means, in all the spellings that are met."""

import json

import pytest

from hub.sinks.base import Attempt
from hub.viid.replies import read_clock, read_statuses, verdict


def status(code, text: str = "OK", item: str = "") -> dict:
    return {"Id": item, "RequestURL": "/x", "StatusCode": code, "StatusString": text}


def judged(answer: object) -> Attempt:
    return verdict(read_statuses(json.dumps(answer, ensure_ascii=False).encode()))


@pytest.mark.parametrize(
    "answer",
    [
        {"ResponseStatusObject": status(0)},
        {"ResponseStatusObject": status("0")},
        {"ResponseStatusListObject": {"ResponseStatusObject": [status(0), status("0")]}},
        {"ResponseStatusListObject": {"ResponseStatusObject": status(0)}},
        {"ResponseStatusListObject": [status(0)]},
        {"ResponseStatusList": {"ResponseStatusObject": [status(" 0 ")]}},
        {"ResponseStatusList": [status(0)]},
        status(0),
        {"ResponseStatusObject": status(1, "ID已存在")},  # an attempt before has put it there
        {"ResponseStatusObject": status(4, "FaceID already exists")},
    ],
)
def test_taken(answer: object) -> None:
    assert judged(answer) == Attempt("delivered")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"ResponseStatusObject": status(2)}, "retry"),
        ({"ResponseStatusObject": status("9")}, "retry"),
        ({"ResponseStatusObject": status(1, "fault")}, "retry"),
        ({"ResponseStatusObject": status(8, "PassTime")}, "refused"),
        ({"ResponseStatusListObject": {"ResponseStatusObject": [status(0), status("7")]}}, "refused"),
        ({"ResponseStatusListObject": {"ResponseStatusObject": [status(2), status("6")]}}, "refused"),
        ({"ResponseStatusObject": status("fine")}, "retry"),
        ({"ResponseStatusListObject": {"ResponseStatusObject": []}}, "retry"),
        ({"ok": True}, "retry"),
        ({}, "retry"),
    ],
)  # fmt: skip
def test_not_taken(answer: object, result: str) -> None:
    assert judged(answer).result == result


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"OK"', b"\xff"])
def test_what_is_no_answer_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        read_statuses(body)


def test_a_clock_is_read_or_there_is_none() -> None:
    body = json.dumps({"SystemTimeObject": {"LocalTime": "20261106012500"}}).encode()
    assert read_clock(body).isoformat() == "2026-11-06T01:25:00+08:00"
    for wrong in (b"", b"[]", b'{"SystemTimeObject": {"LocalTime": "now"}}'):
        assert read_clock(wrong) is None
