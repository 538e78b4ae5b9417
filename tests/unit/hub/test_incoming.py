import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.incoming import Incoming, Position, Rejected, Verified, redacted, verify
from tests.unit.hub.kit import CAMERA, NOW, FakeEdge, unit
from wire.codec import encode
from wire.messages import CameraHealth

EDGE = FakeEdge()
KNOWN = {EDGE.id: EDGE.known}


def changed(incoming: Incoming, **attributes: object) -> Incoming:
    event = {**json.loads(incoming.payload), **attributes}
    return Incoming(incoming.topic, json.dumps(event).encode())


def resigned(edge: FakeEdge, incoming: Incoming, **attributes: object) -> Incoming:
    """Change attributes and sign again, as a newer edge would have."""
    from wire.codec import _signing_input

    event = {**json.loads(incoming.payload), **attributes}
    import base64

    event["signature"] = base64.b64encode(edge.key.sign(_signing_input(event))).decode()
    return Incoming(incoming.topic, json.dumps(event).encode())


def test_a_signed_message_on_its_own_topic_passes_with_its_place() -> None:
    edge = FakeEdge()
    result = verify(edge.plate(), {edge.id: edge.known})
    assert isinstance(result, Verified)
    assert result.position == Position(edge.id, edge.boot, 1)


def test_what_is_not_proven_to_be_the_edges_own_is_never_acknowledged() -> None:
    other = FakeEdge()  # the same id, another key
    mine = EDGE.plate()
    rogue = FakeEdge(id="box-2")
    known = {**KNOWN, "box-2": rogue.known}
    theirs = Incoming(rogue.topics.observation(CAMERA, "plate"), mine.payload)
    cases = {
        "wrong_topic": verify(Incoming("gatehouse/v1/x", mine.payload), KNOWN),
        "unknown_edge": verify(mine, {}),
        "bad_signature": verify(other.plate(), KNOWN),
        "not_json": verify(Incoming(mine.topic, b"\xff\xfe"), KNOWN),
        "not_cloudevent": verify(Incoming(mine.topic, b"{}"), KNOWN),
        "bad_hash": verify(changed(mine, data={"kind": "plate"}), KNOWN),
    }
    for reason, result in cases.items():
        assert isinstance(result, Rejected), reason
        assert (result.reason, result.position) == (reason, None)
    # One edge cannot make the hub say that it is done with another's message.
    assert verify(theirs, known) == Rejected(
        theirs, "wrong_topic", f"/rosegarden/box-1/{CAMERA} sent it on the topic of rosegarden/box-2",
        "box-2",
    )  # fmt: skip


def test_what_is_the_edges_own_but_useless_lets_it_go_on() -> None:
    mine = EDGE.plate()
    place = Position(EDGE.id, EDGE.boot, EDGE.sequence)
    newer = resigned(EDGE, mine, type="gatehouse.observation.plate.v2")
    elsewhere = Incoming(EDGE.topics.observation("gate-out", "plate"), mine.payload)
    for reason, incoming in {
        "unknown_major": newer,
        "unknown_type": resigned(EDGE, mine, type="gatehouse.weather.v1"),
        "invalid_data": resigned(EDGE, mine, time="yesterday"),
        "wrong_topic": elsewhere,
    }.items():
        result = verify(incoming, KNOWN)
        assert isinstance(result, Rejected), reason
        assert (result.reason, result.position) == (reason, place)
    # … but not when somebody else says so.
    forged = changed(mine, type="gatehouse.observation.plate.v2")
    assert verify(forged, KNOWN).position is None


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"clockoffsetms": 10**18}, "invalid_data"),
        ({"sequence": 1 << 60}, "invalid_data"),
        ({"bootid": None, "sequence": None}, "no_sequence"),
        ({"time": "2001-01-01T00:00:00.000000Z"}, "invalid_data"),
    ],
)
def test_absurd_numbers_are_rejected_not_stumbled_over(attributes: dict, reason: str) -> None:
    result = verify(resigned(EDGE, EDGE.plate(), **attributes), KNOWN)
    assert isinstance(result, Rejected)
    assert result.reason == reason


def test_a_message_of_another_channel_is_rejected() -> None:
    health = CameraHealth(
        window_s=1, online=True, decoded_frames=1, analysed_frames=1, dropped_frames=0,
        corrupt_frames=0, reconnects=0, lag_ms=0, outbox_pending=0,
    )  # fmt: skip
    payload = encode(EDGE.event(health, when=NOW), EDGE.key)
    assert isinstance(verify(Incoming(EDGE.topics.health(CAMERA), payload), KNOWN), Verified)
    wrong = verify(Incoming(EDGE.topics.observation(CAMERA, "plate"), payload), KNOWN)
    assert isinstance(wrong, Rejected)
    assert wrong.reason == "wrong_topic"


@given(st.binary(max_size=200))
def test_garbage_is_rejected_whatever_it_is(payload: bytes) -> None:
    result = verify(Incoming(EDGE.topics.observation(CAMERA, "plate"), payload), KNOWN)
    assert isinstance(result, Rejected)
    kept = redacted(result.incoming)
    assert kept is None or json.loads(kept) is not None


def test_a_dead_letter_keeps_no_face_and_no_picture(hub_key) -> None:
    face = EDGE.face(unit(1), hub_key)
    kept = json.loads(redacted(face))
    assert "data" not in kept
    assert kept["type"] == "gatehouse.observation.face.v1"
    plate = EDGE.plate(crop=b"\xff\xd8" + bytes(1000))
    kept = json.loads(redacted(plate))
    assert kept["data"]["plate"]["text"] == "京A12345"
    assert kept["data"]["crop"]["data"] == "(1336 characters)"
    # A face that calls itself something else, or a list of numbers that could be an embedding.
    lying = changed(face, type="gatehouse.observation.plate.v1")
    assert "data" not in json.loads(redacted(lying))
    numbers = changed(plate, data={"x": [0.1] * 128, "y": {"z": "A" * 500}})
    assert json.loads(redacted(numbers))["data"] == {
        "x": "(128 items)",
        "y": {"z": "(500 characters)"},
    }
    assert redacted(Incoming("t", b"\xff\xd8 a picture")) is None
