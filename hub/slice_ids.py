"""What a box knows a person by: a pseudonym of its own for each, which the hub alone can turn back. Pure.

In: the id of a subject, the box. Out: a text that says nothing of the subject and is another one in every
other box, so that what two boxes hold or say cannot be put together. It is encrypted, not stored: AES-SIV
(RFC 5297) under a key that follows from ``templates.key``, with the box's id bound in.
"""

import base64
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SliceIds:
    """Pseudonyms under one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"gatehouse-slice-ids-v1").derive(key)
        self._cipher = AESSIV(derived)

    def pseudonym(self, edge: str, subject_id: str) -> str:
        """What `edge` knows the subject by, always the same. ValueError where the id is no UUID."""
        sealed = self._cipher.encrypt(uuid.UUID(subject_id).bytes, [edge.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def subject_of(self, edge: str, pseudonym: str) -> str | None:
        """Whom `edge` means; None for what this hub has not given to it."""
        try:
            sealed = base64.urlsafe_b64decode(pseudonym + "=" * (-len(pseudonym) % 4))
            return str(uuid.UUID(bytes=self._cipher.decrypt(sealed, [edge.encode()])))
        except (InvalidTag, ValueError):
            return None
