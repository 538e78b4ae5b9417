"""The slice of the gallery that a box matches with: templates <-> sealed parts.

The hub makes the parts with `slice_parts`, the box opens each with `open_part`. Plain bytes of a part: a
4-byte big-endian length, that many bytes of JSON header (``dimension``, and ``subjects``: one pseudonymous id
per template), then the templates as little-endian float32. Box, version, part and pack are bound in as HPKE
``info``, so that no part can be given to another box or taken for another one. A part never exceeds what a
message may hold. Names, purposes and pictures of subjects are not in it.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from wire.errors import InvalidMessage
from wire.messages import GallerySlice, Sealed
from wire.sealing import seal_bytes, unseal_bytes

_PART_BYTES: Final = (
    320 * 1024
)  # of templates: a third more in base64, beside the ids and the envelope
_MAX_DIMENSION: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """N templates: `subjects` has the subject of each, `rows` ``(N, D)`` float32 of length 1."""

    subjects: tuple[str, ...]
    rows: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or len(self.subjects) != len(self.rows):
            raise ValueError(
                f"expected rows ({len(self.subjects)}, D) for as many subjects, got {self.rows.shape}"
            )


@dataclass(frozen=True, slots=True)
class SliceTerms:
    """For which box a slice is, which version it is, with which networks it was made, what a search must
    reach in it, and until when it may be used."""

    site: str
    edge: str
    version: int
    pack: str
    pack_sha256: str
    threshold: float
    margin: float
    expires_at: datetime


def slice_parts(
    terms: SliceTerms, templates: Templates, key: X25519PublicKey
) -> tuple[GallerySlice, ...]:
    """The messages that give a box these templates, sealed to its key: one at least."""
    count, dimension = templates.rows.shape
    at_once = max(1, _PART_BYTES // (4 * dimension + 80))
    starts = range(0, max(count, 1), at_once)
    return tuple(
        GallerySlice(
            version=terms.version,
            part=part,
            parts=len(starts),
            expires_at=terms.expires_at,
            pack=terms.pack,
            pack_sha256=terms.pack_sha256,
            threshold=terms.threshold,
            margin=terms.margin,
            templates=count,
            sealed=_seal(
                templates.subjects[start : start + at_once],
                templates.rows[start : start + at_once],
                key,
                _info(terms.site, terms.edge, terms.version, part, len(starts), terms.pack_sha256),
            ),
        )
        for part, start in enumerate(starts, start=1)
    )


def open_part(part: GallerySlice, site: str, edge: str, key: X25519PrivateKey) -> Templates:
    """The templates of one part. InvalidMessage ``wrong_key`` or ``bad_seal`` when it is not for this box."""
    info = _info(site, edge, part.version, part.part, part.parts, part.pack_sha256)
    plain = unseal_bytes(part.sealed, info, key)
    try:
        return _parse(plain)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise InvalidMessage(
            "bad_seal", f"a part of the gallery cannot be opened: {error!r}"
        ) from error


def _info(site: str, edge: str, version: int, part: int, parts: int, pack_sha256: str) -> bytes:
    return (
        f"gatehouse-gallery-slice-v1:{site}/{edge}:{version}:{part}/{parts}:{pack_sha256}".encode()
    )


def _seal(
    subjects: Sequence[str], rows: npt.NDArray[np.float32], key: X25519PublicKey, info: bytes
) -> Sealed:
    header = json.dumps({"dimension": int(rows.shape[1]), "subjects": list(subjects)}).encode()
    body = np.ascontiguousarray(rows, dtype="<f4").tobytes()
    return seal_bytes(struct.pack(">I", len(header)) + header + body, info, key)


def _parse(plain: bytes) -> Templates:
    (header_bytes,) = struct.unpack_from(">I", plain)
    header = json.loads(plain[4 : 4 + header_bytes])
    subjects, dimension = tuple(map(str, header["subjects"])), int(header["dimension"])
    if not 1 <= dimension <= _MAX_DIMENSION:
        raise ValueError(f"templates of {dimension} values")
    body = plain[4 + header_bytes :]
    if len(body) != 4 * dimension * len(subjects):
        raise ValueError(f"{len(body)} bytes are not {len(subjects)} templates of {dimension}")
    rows = np.frombuffer(body, dtype="<f4").astype(np.float32).reshape(-1, dimension)
    lengths = np.linalg.norm(rows, axis=1)
    if not np.all(np.isfinite(lengths)) or np.any(np.abs(lengths - 1.0) > 1e-3):
        raise ValueError("a template is not of length 1")
    return Templates(subjects, rows)
