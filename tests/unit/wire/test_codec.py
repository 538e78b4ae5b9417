import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.examples import EXAMPLES, SIGNER, event
from wire import messages as m
from wire.codec import MAX_MESSAGE_BYTES, decode, encode
from wire.errors import InvalidMessage
from wire.schema import message_schema

identifiers = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True).filter(
    lambda text: text not in {"hub", "status", "ack", "command", "reply", "evidence", "alert"}
)
units = st.floats(0, 1)
times = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
plates = st.text(st.sampled_from("京沪粤ABCDEFGH0123456789警学使"), min_size=1, max_size=10)


@st.composite
def plate_observations(draw):
    text = draw(plates)
    moments = sorted(draw(st.tuples(times, times, times)))
    x1, y1 = draw(st.floats(0, 1000)), draw(st.floats(0, 1000))
    return m.PlateObservation(
        track_id=draw(st.text(min_size=1, max_size=40)),
        revision=draw(st.integers(0, 50)),
        first_seen_at=moments[0],
        captured_at=moments[1],
        last_seen_at=moments[2],
        frames=draw(st.integers(1, 10**6)),
        box_px=(x1, y1, x1 + draw(st.floats(1, 900)), y1 + draw(st.floats(1, 900))),
        frame_size_px=(draw(st.integers(1, 8192)), draw(st.integers(1, 8192))),
        quality=draw(units),
        detector_score=draw(units),
        plate=m.PlateText(
            text=text,
            plate_type="ordinary",
            colour="blue",
            confidence=draw(units),
            province_confidence=draw(units),
            char_confidences=tuple(draw(units) for _ in text),
        ),
        state=draw(st.sampled_from(["provisional", "confirmed", "revised"])),
        reads=draw(st.integers(1, 99)),
    )


@st.composite
def events(draw):
    return m.Event(
        id=str(draw(st.uuids())),
        site=draw(identifiers),
        origin=draw(identifiers),
        camera=draw(identifiers),
        time=draw(times),
        boot_id=draw(st.from_regex(r"[0-9a-f]{16}", fullmatch=True)),
        sequence=draw(st.integers(1, 2**53 - 1)),
        clock_offset_ms=draw(st.none() | st.integers(-(10**9), 10**9)),
        data=draw(plate_observations() | st.sampled_from(list(EXAMPLES.values()))),
    )


@given(events())
def test_round_trip_is_exact(sent):
    assert decode(encode(sent, SIGNER)).verify(SIGNER.public_key()) == sent


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(payload):
    with pytest.raises(InvalidMessage) as refused:
        decode(payload)
    assert refused.value.reason in {"not_json", "not_cloudevent"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.sampled_from(
        ["id", "source", "type", "time", "bootid", "sequence", "sha256", "data", "signature"]
    ),
    json_values,
)
def test_an_altered_attribute_is_refused_and_never_crashes(name, attribute, value):
    attributes = json.loads(encode(event(name), SIGNER))
    if attributes.get(attribute) == value:
        return
    attributes[attribute] = value
    with pytest.raises(InvalidMessage):
        decode(json.dumps(attributes).encode()).verify(SIGNER.public_key())


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_one_flipped_bit_never_passes(position, bit):
    payload = bytearray(encode(event("observation_plate"), SIGNER))
    payload[position % len(payload)] ^= 1 << bit
    try:
        read = decode(bytes(payload)).verify(SIGNER.public_key())
    except InvalidMessage:
        return
    # What is not under the signature (a letter of a member's name, say) may change nothing.
    assert read == event("observation_plate")


def test_another_box_cannot_sign_for_this_one():
    payload = encode(event("observation_face"), Ed25519PrivateKey.generate())
    with pytest.raises(InvalidMessage, match="bad_signature"):
        decode(payload).verify(SIGNER.public_key())


def test_a_newer_major_version_is_named_as_such():
    attributes = json.loads(encode(event("observation_face"), SIGNER))
    attributes["type"] = "gatehouse.observation.face.v2"
    with pytest.raises(InvalidMessage, match="unknown_major"):
        decode(json.dumps(attributes).encode())


def test_a_type_of_others_is_unknown():
    attributes = json.loads(encode(event("observation_face"), SIGNER))
    attributes["type"] = "com.example.door"
    with pytest.raises(InvalidMessage, match="unknown_type"):
        decode(json.dumps(attributes).encode())


def test_an_oversized_message_is_not_parsed():
    with pytest.raises(InvalidMessage, match="too_large"):
        decode(b"[" * (MAX_MESSAGE_BYTES + 1))


def test_what_no_reader_would_take_is_not_written():
    face = EXAMPLES["observation_face"]
    huge = face.probe.model_copy(update={"ciphertext": "A" * MAX_MESSAGE_BYTES})
    too_large = event("observation_face").model_copy(
        update={"data": face.model_copy(update={"probe": huge})}
    )
    with pytest.raises(InvalidMessage, match="too_large"):
        encode(too_large, SIGNER)


def test_deep_nesting_is_refused():
    with pytest.raises(InvalidMessage):
        decode(b'{"specversion":"1.0","data":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}")


def test_the_message_names_the_field_that_is_wrong():
    attributes = json.loads(encode(event("observation_plate"), SIGNER))
    attributes["data"]["plate"]["confidence"] = 1.5
    attributes["sha256"] = hashlib.sha256(rfc8785.dumps(attributes["data"])).hexdigest()
    with pytest.raises(InvalidMessage, match=r"invalid_data: plate\.confidence: .*less than"):
        decode(json.dumps(attributes).encode())


def test_a_signature_covers_the_sequence():
    attributes = json.loads(encode(event("observation_plate"), SIGNER))
    attributes["sequence"] += 1
    with pytest.raises(InvalidMessage, match="bad_signature"):
        decode(json.dumps(attributes).encode()).verify(SIGNER.public_key())


def test_no_message_has_a_place_for_a_persons_traits():
    text = json.dumps(message_schema()).lower()
    for trait in ("gender", "sex", "ethnic", "religio", '"age', "skin", "race"):
        assert trait not in text


def test_base64_of_a_signature_is_checked():
    attributes = json.loads(encode(event("hub_ack"), SIGNER))
    attributes["signature"] = base64.b64encode(b"short").decode()
    with pytest.raises(InvalidMessage, match="bad_signature"):
        decode(json.dumps(attributes).encode()).verify(SIGNER.public_key())
