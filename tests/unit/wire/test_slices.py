import base64
from datetime import UTC, datetime

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.codec import MAX_MESSAGE_BYTES, encode
from wire.errors import InvalidMessage
from wire.messages import Event
from wire.slices import SliceTerms, Templates, open_part, slice_parts

KEY = X25519PrivateKey.generate()
UNTIL = datetime(2026, 11, 6, tzinfo=UTC)
TERMS = SliceTerms("yard", "box-1", 7, "dlib-resnet", "ab" * 32, 0.9, 0.02, UNTIL)


def _templates(count, dimension=512, name="{:036d}"):
    rows = np.random.default_rng(1).normal(size=(count, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    return Templates(tuple(name.format(number) for number in range(count)), rows)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_box_opens_what_was_sealed_to_it(count):
    templates = _templates(count)
    parts = slice_parts(TERMS, templates, KEY.public_key())
    opened = [open_part(part, "yard", "box-1", KEY) for part in parts]
    assert [part.part for part in parts] == list(range(1, parts[0].parts + 1))
    assert {part.templates for part in parts} == {count}
    assert sum((part.subjects for part in opened), ()) == templates.subjects
    assert np.array_equal(np.concatenate([part.rows for part in opened]), templates.rows)


@pytest.mark.parametrize("dimension", [1, 128, 512])
def test_no_part_is_larger_than_a_message_may_be(dimension):
    """With the longest ids that there are."""
    parts = slice_parts(TERMS, _templates(5000, dimension, "{:064d}"), KEY.public_key())
    assert len(parts) > 1
    for part in parts:
        event = Event(
            id="0192f7a0-1111-4222-8333-444455556666",
            site="yard",
            origin="hub",
            time=UNTIL,
            data=part,
        )
        assert len(encode(event, Ed25519PrivateKey.generate())) <= MAX_MESSAGE_BYTES


def test_neither_subject_nor_template_can_be_read_in_it():
    templates = _templates(3, name="subject-{}")
    (part,) = slice_parts(TERMS, templates, KEY.public_key())
    raw = base64.b64decode(part.sealed.ciphertext)
    assert b"subject-" not in raw
    assert templates.rows.tobytes()[:16] not in raw


@pytest.mark.parametrize(
    ("site", "edge", "changed"),
    [
        ("yard", "box-2", {}),
        ("other", "box-1", {}),
        ("yard", "box-1", {"version": 8}),
        ("yard", "box-1", {"part": 2, "parts": 2}),
        ("yard", "box-1", {"pack_sha256": "cd" * 32}),
    ],
)
def test_a_part_is_bound_to_its_box_version_place_and_pack(site, edge, changed):
    (part,) = slice_parts(TERMS, _templates(2), KEY.public_key())
    with pytest.raises(InvalidMessage) as caught:
        open_part(part.model_copy(update=changed), site, edge, KEY)
    assert caught.value.reason == "bad_seal"


def test_another_key_is_named():
    (part,) = slice_parts(TERMS, _templates(1), X25519PrivateKey.generate().public_key())
    with pytest.raises(InvalidMessage) as caught:
        open_part(part, "yard", "box-1", KEY)
    assert caught.value.reason == "wrong_key"


def test_a_template_that_is_none_is_refused():
    long = Templates(("a",), np.full((1, 4), 2.0, np.float32))
    (part,) = slice_parts(TERMS, long, KEY.public_key())
    with pytest.raises(InvalidMessage, match="length 1"):
        open_part(part, "yard", "box-1", KEY)


def test_as_many_subjects_as_templates():
    with pytest.raises(ValueError, match=r"\(2, D\)"):
        Templates(("a", "b"), np.zeros((1, 4), np.float32))
