"""Templates and evidence at rest: AES-256-GCM under keys that live in files outside the database. Pure.

A template is bound to its id, its subject and its pack, so that a row cannot be given to another subject; a
piece of evidence to its observation and its name.
"""

import os

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.gallery import Embedding
from wire.errors import StoreError

_NONCE_BYTES = 12


class Vault:
    """Seals and opens templates with one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(
        self, embedding: Embedding, template_id: str, subject_id: str, pack_sha256: str
    ) -> bytes:
        """Return a template, ``(D,)`` float32, as it is stored."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = np.ascontiguousarray(embedding, dtype="<f4").tobytes()
        context = _context(template_id, subject_id, pack_sha256)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, template_id: str, subject_id: str, pack_sha256: str) -> Embedding:
        """Return a stored template. StoreError when the key is another, or the row was changed."""
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        context = _context(template_id, subject_id, pack_sha256)
        try:
            plain = self._cipher.decrypt(nonce, ciphertext, context)
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"template {template_id} cannot be opened: is templates.key the one it was made with?"
            ) from error
        return np.frombuffer(plain, dtype="<f4").astype(np.float32)


def _context(*names: str) -> bytes:
    return "\n".join(("gatehouse-template-v1", *names)).encode()


class FileVault:
    """Seals and opens evidence with one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, data: bytes, observation_id: str, name: str) -> bytes:
        """Return evidence as it is stored."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, _file_context(observation_id, name))

    def open(self, sealed: bytes, observation_id: str, name: str) -> bytes:
        """Return stored evidence. StoreError when the key is another, or the file was changed."""
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _file_context(observation_id, name))
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"evidence {observation_id}/{name} cannot be opened: it was changed, or evidence.key is"
                " not the one it was stored with"
            ) from error


def _file_context(observation_id: str, name: str) -> bytes:
    return "\n".join(("gatehouse-evidence-v1", observation_id, name)).encode()
