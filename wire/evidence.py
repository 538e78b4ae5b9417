"""A signature of a piece of evidence that stands by itself: for a case that is checked years later.

In: what the evidence is, and its SHA-256. Out: the Ed25519 signature of the edge box in base64, or whether
one holds. What is signed begins with a context of its own, so that no message (`wire.codec`) can pass for it.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.codec import Signer
from wire.keys import is_signed_by

CLIP: Final = "clip"
"""The name of the evidence that is made when it is asked for."""
_CONTEXT: Final = b"gatehouse-evidence-v1"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence of one observation; `sha256` is that of its bytes."""

    site: str
    edge: str
    observation_id: str
    name: str
    sha256: str

    def sign(self, signer: Signer) -> str:
        """The signature of the edge box, base64."""
        return base64.b64encode(signer.sign(self._signed_bytes())).decode()

    def is_signed(self, signature: str, key: Ed25519PublicKey) -> bool:
        """Whether the holder of `key` signed this exhibit."""
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        return is_signed_by(key, raw, self._signed_bytes())

    def _signed_bytes(self) -> bytes:
        fields = (self.site, self.edge, self.observation_id, self.name, self.sha256)
        return b"\n".join((_CONTEXT, *(json.dumps(field).encode() for field in fields)))
