"""Templates, reference pictures and evidence at rest: AES-256-GCM; the keys are in files. Pure.

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
        plain = np.ascontiguousarray(embedding, dtype="<f4").tobytes()
        return self._seal(plain, _context(template_id, subject_id, pack_sha256))

    def open(self, sealed: bytes, template_id: str, subject_id: str, pack_sha256: str) -> Embedding:
        """Return a stored template. StoreError when the key is another, or the row was changed."""
        plain = self._open(
            sealed, _context(template_id, subject_id, pack_sha256), f"template {template_id}"
        )
        return np.frombuffer(plain, dtype="<f4").astype(np.float32)

    def seal_picture(self, jpeg: bytes, subject_id: str) -> bytes:
        """Return the reference picture of a subject as it is stored."""
        return self._seal(jpeg, _picture_context(subject_id))

    def open_picture(self, sealed: bytes, subject_id: str) -> bytes:
        """Return a stored reference picture, JPEG. StoreError as of a template."""
        return self._open(
            sealed, _picture_context(subject_id), f"the picture of subject {subject_id}"
        )

    def _seal(self, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def _open(self, sealed: bytes, context: bytes, what: str) -> bytes:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, context)
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"{what} cannot be opened: is templates.key the one it was made with?"
            ) from error


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


def _picture_context(subject_id: str) -> bytes:
    return f"gatehouse-reference-v1\n{subject_id}".encode()
