"""Keys: Ed25519 for signing (RFC 8032), HPKE over X25519 for sealing (RFC 9180).

An edge signs what it sends; the hub signs what it commands and acknowledges. What an edge sees of a
face is sealed to the hub, so that neither the edge's own disk, nor the broker's, holds anything that
can be opened there. Private keys are 32 raw bytes in base64, one line, in a file of mode 0600.
"""

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from wire.errors import ConfigError


class _RawPublic(Protocol):
    def public_bytes_raw(self) -> bytes: ...


def public_text(key: _RawPublic) -> str:
    """Return a public key as base64 text, as configurations hold it."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def _raw(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{what} is not base64") from error
    if len(raw) != 32:
        raise ValueError(f"{what} must be 32 bytes in base64, these are {len(raw)}")
    return raw


def verifying_key(text: str) -> Ed25519PublicKey:
    """Parse the base64 text of an Ed25519 public key; ValueError says what is wrong."""
    return Ed25519PublicKey.from_public_bytes(_raw(text, "the verifying key"))


def sealing_key(text: str) -> X25519PublicKey:
    """Parse the base64 text of an X25519 public key; ValueError says what is wrong."""
    return X25519PublicKey.from_public_bytes(_raw(text, "the sealing key"))


def is_signed_by(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` was made by the holder of `key`."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def load_or_create_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the Ed25519 private key at `path`, making it at first use; ConfigError when damaged."""
    return Ed25519PrivateKey.from_private_bytes(
        _load_or_create(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    )


def load_or_create_opening_key(path: Path) -> X25519PrivateKey:
    """Read the X25519 private key at `path`, making it at first use; ConfigError when damaged."""
    return X25519PrivateKey.from_private_bytes(
        _load_or_create(path, lambda: X25519PrivateKey.generate().private_bytes_raw())
    )


def load_or_create_secret(path: Path) -> bytes:
    """Read the 32-byte symmetric key at `path`, making it at first use; ConfigError when damaged."""
    return _load_or_create(path, lambda: os.urandom(32))


def _load_or_create(path: Path, generate: Callable[[], bytes]) -> bytes:
    try:
        return _raw(path.read_text(encoding="ascii"), "it")
    except FileNotFoundError:
        return _write_secret(path, generate())
    except (ValueError, OSError) as error:
        raise ConfigError(f"the key file {path} cannot be used: {error}") from error


def _write_secret(path: Path, raw: bytes) -> bytes:
    """Write `raw` so that a crash leaves either no file or a whole one, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(raw) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails if another process was first: then theirs is the key
    except FileExistsError:
        return _raw(path.read_text(encoding="ascii"), "it")
    finally:
        temporary.unlink()
    return raw
