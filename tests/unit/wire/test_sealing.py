import base64
import uuid
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.errors import InvalidMessage
from wire.sealing import FaceProbe, seal, seal_crop, unseal, unseal_crop

KEY = X25519PrivateKey.generate()
ID = str(uuid.uuid4())


def _probe(dimension=128, crop=b"\xff\xd8 a face \xff\xd9"):
    vector = np.random.default_rng(1).normal(size=dimension).astype(np.float32)
    return FaceProbe(vector / np.linalg.norm(vector), "dlib-resnet", "ab" * 32, crop)


@pytest.mark.parametrize("dimension", [1, 128, 512])
@pytest.mark.parametrize("crop", [b"", b"\xff\xd8 a face \xff\xd9"])
def test_the_hub_opens_what_was_sealed_to_it(dimension, crop):
    probe = _probe(dimension, crop)
    opened = unseal(seal(probe, ID, KEY.public_key()), ID, KEY)
    assert np.array_equal(opened.embedding, probe.embedding)
    assert (opened.pack, opened.pack_sha256, opened.crop_jpeg) == (
        probe.pack,
        probe.pack_sha256,
        crop,
    )


def test_nothing_of_the_face_can_be_read_in_it():
    probe = _probe()
    raw = base64.b64decode(seal(probe, ID, KEY.public_key()).ciphertext)
    assert b"a face" not in raw
    assert probe.embedding.tobytes()[:16] not in raw


def test_it_cannot_be_moved_to_another_observation():
    with pytest.raises(InvalidMessage, match="bad_seal"):
        unseal(seal(_probe(), ID, KEY.public_key()), str(uuid.uuid4()), KEY)


def test_a_probe_for_another_hub_says_which_key():
    with pytest.raises(InvalidMessage, match="wrong_key"):
        unseal(seal(_probe(), ID, X25519PrivateKey.generate().public_key()), ID, KEY)


def test_a_damaged_probe_is_refused():
    sealed = seal(_probe(), ID, KEY.public_key())
    raw = bytearray(base64.b64decode(sealed.ciphertext))
    raw[len(raw) // 2] ^= 1
    damaged = sealed.model_copy(update={"ciphertext": base64.b64encode(raw).decode()})
    with pytest.raises(InvalidMessage, match="bad_seal"):
        unseal(damaged, ID, KEY)


def test_an_embedding_that_is_not_of_length_1_is_refused():
    probe = _probe()
    longer = FaceProbe(probe.embedding * 2, probe.pack, probe.pack_sha256, b"")
    with pytest.raises(InvalidMessage, match="length 2"):
        unseal(seal(longer, ID, KEY.public_key()), ID, KEY)


def test_a_crop_alone_is_sealed_to_its_observation():
    sealed = seal_crop(b"\xff\xd8 a face \xff\xd9", ID, KEY.public_key())
    assert unseal_crop(sealed, ID, KEY) == b"\xff\xd8 a face \xff\xd9"
    with pytest.raises(InvalidMessage, match="cannot be opened"):
        unseal_crop(sealed, str(uuid.uuid4()), KEY)
    with pytest.raises(InvalidMessage, match="cannot be opened"):
        unseal(sealed, ID, KEY)


def test_what_is_seen_now_is_sealed_beside_what_was_seen_before():
    probe = replace(_probe(), seen=np.eye(128, dtype=np.float32)[3])
    sealed = seal(probe, ID, KEY.public_key())
    opened = unseal(sealed, ID, KEY)
    assert opened.seen is not None
    assert np.array_equal(opened.seen, probe.seen)
    assert np.array_equal(opened.embedding, probe.embedding)
    assert opened.crop_jpeg == probe.crop_jpeg
    assert unseal(seal(_probe(), ID, KEY.public_key()), ID, KEY).seen is None


@pytest.mark.parametrize("seen", [np.ones(128), np.eye(64)[0]])
def test_what_is_seen_now_must_be_an_embedding_of_the_same_network(seen):
    probe = replace(_probe(), seen=seen.astype(np.float32))
    with pytest.raises(InvalidMessage, match=r"length 11\.3|of 64 values, not 128"):
        unseal(seal(probe, ID, KEY.public_key()), ID, KEY)
