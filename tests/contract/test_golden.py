"""The golden files pin version 1: what we write now, and that we still read what was written then."""

import hashlib
import json
from pathlib import Path

import pytest
import rfc8785

from tests.contract.examples import EXAMPLES, SIGNER, event
from wire.codec import decode, encode
from wire.messages import BY_TYPE

GOLDEN = Path(__file__).parent / "golden"


def test_every_message_has_an_example():
    assert {type(example) for example in EXAMPLES.values()} == set(BY_TYPE.values())


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_writes_what_the_golden_file_holds(name):
    written = json.loads(encode(event(name), SIGNER))
    assert written == json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_reads_and_verifies_the_golden_file(name):
    payload = (GOLDEN / f"{name}.json").read_bytes()
    assert decode(payload).verify(SIGNER.public_key()) == event(name)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_newer_writer_of_version_1_is_understood(name):
    """Additive within a major version: a field that we do not know is ignored, and still signed."""
    attributes = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    attributes["data"]["added_in_1_7"] = {"nested": [1, 2.5, "三"]}
    attributes["sha256"] = hashlib.sha256(rfc8785.dumps(attributes["data"])).hexdigest()
    assert decode(json.dumps(attributes).encode()).event == event(name)
