"""What a disposition may say, and what is made of it."""

import json
from datetime import timedelta

import pytest

from hub.viid.dispositions import (
    MOVES,
    Ask,
    DispositionState,
    Wrong,
    asked,
    expiry,
    move,
    read_disposition,
    read_list,
)
from hub.viid.ids import write_time
from hub.watchlist import LONGEST, ListKind
from tests.unit.hub.kit import NOW, at

ID = "330782000000" + "01" + "20261105170000" + "00001"


def item(**changes: object) -> dict[str, object]:
    given = {
        "DispositionID": ID, "Title": "被盗车辆", "DispositionCategory": "2", "TargetFeature": "浙G·D1234",
        "PriorityLevel": 1, "ApplicantName": "王警官", "ApplicantOrg": "义乌市公安局", "ApplicantInfo": "x",
        "BeginTime": write_time(at(-60)), "EndTime": write_time(at(86400)), "OperateType": 0,
        "DispositionStatus": "0", "Reason": "案件 2026-118", "TargetImageURI": "http://10.0.0.1/latest/meta-data",
        "GenderCode": "1", "EthicCode": "01", "TollgateList": "x",
    }  # fmt: skip
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def code(**changes: object) -> tuple[int, str]:
    with pytest.raises(Wrong) as caught:
        read_disposition(item(**changes), NOW)
    return caught.value.code, str(caught.value)


def test_a_vehicle_by_allow_list() -> None:
    found = read_disposition(item(TargetFeature="浙G1234学"), NOW)
    assert (found.kind, found.target, found.priority) == (ListKind.PLATE, "浙G1234学", "1")
    assert found.basis == "布控 (GA/T 1400 disposition) of 义乌市公安局, priority 1"
    assert found.ends_at == at(86400)
    text = repr(found)
    assert not any(word in text for word in ("meta-data", "王警官", "Ethic"))


@pytest.mark.parametrize(
    ("feature", "plate"),
    [
        ("浙G12345", "浙G12345"),
        (" 浙g·12345 ", "浙G12345"),
        ("车牌号：浙G12345，黑色轿车", "浙G12345"),
        ("车牌浙G12345黑色云标", "浙G12345"),
        ("浙GD12345;白", "浙GD12345"),
        ("浙G12345 浙G12345", "浙G12345"),
    ],
)
def test_the_plate_in_a_feature(feature: str, plate: str) -> None:
    assert read_disposition(item(TargetFeature=feature), NOW).target == plate


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TargetFeature": "黑色轿车"}, "no plate"),
        ({"TargetFeature": None}, "no plate"),
        ({"TargetFeature": "浙GD12345A"}, "no plate"),
        ({"TargetFeature": "车牌浙G123456789"}, "no plate"),
        ({"TargetFeature": "浙G12345 浙G54321"}, "more than one plate"),
        ({"TargetFeature": "浙" * 300}, "at most 256"),
        ({"TargetFeature": ["浙G12345"]}, "must be a text"),
        ({"DispositionCategory": "3"}, "persons (1), vehicles (2)"),
        ({"DispositionCategory": True}, "must be a text"),
        ({"DispositionID": "1"}, "33 digits"),
        ({"DispositionID": ID.replace("01", "02", 1)}, "33 digits"),
        ({"DispositionID": ID[:-1] + "１"}, "33 digits"),
        ({"Title": ""}, "Title: it is missing"),
        ({"Title": "x\u202ey"}, "can be printed"),
        ({"EndTime": None}, "without end"),
        ({"EndTime": write_time(NOW)}, "in the future"),
        ({"EndTime": "2026-11-07"}, "yyyyMMddHHmmss"),
        ({"EndTime": "20261399000000"}, "EndTime"),
        ({"BeginTime": write_time(at(90000)), "EndTime": write_time(at(90000))}, "after BeginTime"),
        ({"BeginTime": write_time(at(86400 * 400)), "EndTime": write_time(at(86400 * 401))}, "days ahead"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_its_field(changes: dict[str, object], said: str) -> None:
    found, message = code(**changes)
    assert found == 8
    assert said in message


def test_a_person_has_no_target_and_no_picture_is_looked_at() -> None:
    found = read_disposition(item(DispositionCategory=1, TargetFeature="红衣"), NOW)
    assert (found.kind, found.target) == (ListKind.FACE, "")


def test_an_entry_cannot_live_as_long_as_some_dispositions() -> None:
    found = read_disposition(item(EndTime=write_time(at(86400 * 3000))), NOW)
    assert LONGEST - timedelta(minutes=2) < expiry(found, NOW) - NOW < LONGEST
    assert expiry(read_disposition(item(), NOW), NOW) == at(86400)


@pytest.mark.parametrize(
    ("how", "number", "ask"),
    [("0/1", 0, Ask.WATCH), ("0/1", "1", Ask.WITHDRAW), ("1/2", 1, Ask.WATCH), ("1/2", "2", Ask.WITHDRAW)],
)  # fmt: skip
def test_peers_count_operations_differently(how: str, number: object, ask: Ask) -> None:
    assert asked(item(OperateType=number), how) is ask
    assert asked(item(OperateType=None), how) is Ask.WATCH
    assert asked(item(DispositionRemoveTime=write_time(NOW)), how) is Ask.WITHDRAW
    with pytest.raises(Wrong, match="OperateType"):
        asked(item(OperateType=7), how)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 7), (b"\xff", 7), (b"[]", 7), (b"{}", 7), (b"[" * 100_000, 7),
        (b'{"DispositionListObject":{"DispositionObject":[1]}}', 7),
        (b'{"DispositionListObject":{"DispositionObject":[]}}', 8),
        (json.dumps({"DispositionListObject": {"DispositionObject": [{}] * 201}}).encode(), 8),
    ],
)  # fmt: skip
def test_what_is_no_list(body: bytes, code: int) -> None:
    with pytest.raises(Wrong) as caught:
        read_list(body)
    assert caught.value.code == code


def test_one_object_alone_is_a_list_too() -> None:
    assert read_list(
        json.dumps({"DispositionListObject": {"DispositionObject": {"a": 1}}}).encode()
    ) == [{"a": 1}]


@pytest.mark.parametrize("state", list(DispositionState))
@pytest.mark.parametrize("to", list(DispositionState))
def test_the_moves(state: DispositionState, to: DispositionState) -> None:
    if to in MOVES[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(Wrong, match="cannot become"):
            move(state, to)
