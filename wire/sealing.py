"""What an edge saw of a face, sealed to the hub (RFC 9180, HPKE base mode).

Plain bytes of a probe: a 4-byte big-endian length, that many bytes of JSON header, the embedding as
little-endian float32, then the crop as JPEG; `FaceProbe.seen` is in the header, in base64. Of a crop alone,
and of a live picture: the JPEG. The id of the observation, or of the live session, is bound in as HPKE
``info``, so that none can be moved to another. Nothing but the hub's process memory ever holds them opened.
`seal_bytes` and `unseal_bytes` are what all that is sealed goes through.
"""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from wire.errors import InvalidMessage
from wire.messages import Sealed

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_MAX_DIMENSION = 4096


Embedding = npt.NDArray[np.float32]
"""``(D,)`` float32 of length 1."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceProbe:
    """A face as recognition sees it.

    `embedding` is (D,) float32, L2-normalised; `pack` and `pack_sha256` name the networks that made
    it, since embeddings of different networks can never be compared; `crop_jpeg` shows the face. `seen` is
    set where crops of an earlier track are in `embedding`: what this track's own say by themselves.
    """

    embedding: Embedding
    pack: str
    pack_sha256: str
    crop_jpeg: bytes
    seen: Embedding | None = None


def key_id(key: X25519PublicKey) -> str:
    """Return the 16 hex digits by which a message names the key it is sealed to."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal(probe: FaceProbe, observation_id: str, key: X25519PublicKey) -> Sealed:
    """Seal `probe` so that only the holder of the private half of `key` can open it."""
    fields: dict[str, str | int] = {
        "pack": probe.pack,
        "pack_sha256": probe.pack_sha256,
        "dimension": int(probe.embedding.size),
    }
    if probe.seen is not None:
        fields["seen"] = base64.b64encode(_plain(probe.seen)).decode()
    header = json.dumps(fields).encode()
    plain = b"".join(
        (
            struct.pack(">I", len(header)),
            header,
            _plain(probe.embedding),
            probe.crop_jpeg,
        )
    )
    return seal_bytes(plain, _info(observation_id), key)


def seal_crop(crop_jpeg: bytes, observation_id: str, key: X25519PublicKey) -> Sealed:
    """Seal the crop of a face that the box has matched itself, without any embedding."""
    return seal_bytes(crop_jpeg, _crop_info(observation_id), key)


def unseal_crop(sealed: Sealed, observation_id: str, key: X25519PrivateKey) -> bytes:
    """Open a crop. InvalidMessage ``wrong_key`` or ``bad_seal`` when it is not for us or damaged."""
    return unseal_bytes(sealed, _crop_info(observation_id), key)


def seal_live(jpeg: bytes, session_id: str, number: int, key: X25519PublicKey) -> Sealed:
    """Seal one live picture, bound to its session and its place in it."""
    return seal_bytes(jpeg, _live_info(session_id, number), key)


def unseal_live(sealed: Sealed, session_id: str, number: int, key: X25519PrivateKey) -> bytes:
    """Open a live picture. InvalidMessage ``wrong_key`` or ``bad_seal``."""
    return unseal_bytes(sealed, _live_info(session_id, number), key)


def seal_bytes(plain: bytes, info: bytes, key: X25519PublicKey) -> Sealed:
    """Seal bytes to the holder of the private half of `key`, bound to `info`."""
    ciphertext = _SUITE.encrypt(plain, key, info=info)
    return Sealed(key_id=key_id(key), ciphertext=base64.b64encode(ciphertext).decode())


def unseal_bytes(sealed: Sealed, info: bytes, key: X25519PrivateKey) -> bytes:
    """Open what `seal_bytes` made. InvalidMessage ``wrong_key`` or ``bad_seal``."""
    mine = key_id(key.public_key())
    if sealed.key_id != mine:
        raise InvalidMessage(
            "wrong_key",
            f"sealed to key {sealed.key_id}, ours is {mine}: tell the sender the new one",
        )
    try:
        return _SUITE.decrypt(base64.b64decode(sealed.ciphertext), key, info=info)
    except (InvalidTag, ValueError) as error:
        raise InvalidMessage("bad_seal", f"what is sealed cannot be opened: {error!r}") from error


def unseal(sealed: Sealed, observation_id: str, key: X25519PrivateKey) -> FaceProbe:
    """Open a probe. InvalidMessage ``wrong_key`` or ``bad_seal`` when it is not for us or damaged."""
    plain = unseal_bytes(sealed, _info(observation_id), key)
    try:
        return _parse(plain)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise InvalidMessage("bad_seal", f"the sealed probe cannot be opened: {error!r}") from error


def _info(observation_id: str) -> bytes:
    return b"gatehouse-face-probe-v1:" + observation_id.encode()


def _crop_info(observation_id: str) -> bytes:
    return b"gatehouse-face-crop-v1:" + observation_id.encode()


def _live_info(session_id: str, number: int) -> bytes:
    return f"gatehouse-live-v1:{session_id}:{number}".encode()


def _parse(plain: bytes) -> FaceProbe:
    (header_bytes,) = struct.unpack_from(">I", plain)
    header = json.loads(plain[4 : 4 + header_bytes])
    dimension = int(header["dimension"])
    if not 1 <= dimension <= _MAX_DIMENSION:
        raise ValueError(f"an embedding of {dimension} values")
    start = 4 + header_bytes
    seen = header.get("seen")
    return FaceProbe(
        embedding=_embedding(plain[start : start + 4 * dimension], dimension),
        pack=str(header["pack"]),
        pack_sha256=str(header["pack_sha256"]),
        crop_jpeg=plain[start + 4 * dimension :],
        seen=None if seen is None else _embedding(base64.b64decode(seen), dimension),
    )


def _plain(embedding: Embedding) -> bytes:
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()


def _embedding(plain: bytes, dimension: int) -> Embedding:
    embedding = np.frombuffer(plain, dtype="<f4").astype(np.float32)
    if embedding.size != dimension:
        raise ValueError(f"an embedding of {embedding.size} values, not {dimension}")
    norm = float(np.linalg.norm(embedding))
    if not np.isfinite(norm) or abs(norm - 1.0) > 1e-3:
        raise ValueError(f"the embedding has length {norm:.3f}, not 1")
    return embedding
