"""An exported case: its form, and how anybody verifies it years later without the hub. Pure.

In: files by their paths. Out: for each who vouches for it, or what is wrong with it. A case holds the alert,
the observations as their edge boxes signed them, pictures and clips, the public keys, and a manifest with the
SHA-256 of every file, signed by the hub. What a box has signed is checked against the box's key; the keys,
and what only the hub can say, rest on the hub's signature.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wire.codec import Signer, decode
from wire.errors import InputError, InvalidMessage
from wire.evidence import Exhibit
from wire.keys import is_signed_by, public_text, verifying_key
from wire.messages import Observation, PlateObservation, Sha256

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ALERT: Final = "alert.json"
_CONTEXT: Final = b"gatehouse-case-v1\n"
_EXTENSION: Final = {"image/jpeg": "jpg", "video/mp4": "mp4"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CaseFile(_Part):
    """One file of a case.

    `signature` is the edge box's, over the evidence as it was; of a `blurred` copy, which the hub has made,
    that was `original_sha256`.
    """

    path: str
    sha256: Sha256
    kind: Literal["alert", "observation", "evidence"]
    observation_id: str = ""
    edge: str = ""
    name: str = ""
    signature: str | None = None
    blurred: bool = False
    original_sha256: Sha256 | None = None


class Manifest(_Part):
    """What a case is, and all that is in it. Keys are Ed25519, base64; those of edges by their names."""

    format: Literal["gatehouse-case-v1"] = "gatehouse-case-v1"
    alert_id: str
    site: str
    exported_at: datetime
    exported_by: str
    purpose: str
    hub_key: str
    edge_keys: dict[str, str]
    files: Annotated[tuple[CaseFile, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one file: `problem` is "" where all is well, and `vouched_by` says who says so."""

    path: str
    problem: str = ""
    vouched_by: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case."""

    manifest: Manifest | None
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Those files with which something is wrong."""
        return tuple(finding for finding in self.findings if finding.problem)


def evidence_path(observation_id: str, name: str, media_type: str) -> str:
    """Where a piece of evidence is within a case."""
    return f"evidence/{observation_id}/{name}.{_EXTENSION[media_type]}"


def observation_path(observation_id: str) -> str:
    """Where a signed observation is within a case."""
    return f"observations/{observation_id}.json"


def seal_case(manifest: Manifest, signer: Signer) -> dict[str, bytes]:
    """The manifest's two files."""
    body = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1).encode()
    signature = base64.b64encode(signer.sign(_CONTEXT + body))
    return {MANIFEST: body, SIGNATURE: signature}


def verify_case(files: Mapping[str, bytes], hub_key: Ed25519PublicKey | None = None) -> Verdict:
    """Check everything that can be checked. With `hub_key` the hub must be the one of that key."""
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST])
        edge_keys = {name: verifying_key(text) for name, text in manifest.edge_keys.items()}
        key = verifying_key(manifest.hub_key)
    except KeyError:
        return Verdict(None, (Finding(MANIFEST, "is missing"),))
    except (ValidationError, ValueError):
        return Verdict(None, (Finding(MANIFEST, "is no manifest of a case, or was changed"),))
    findings = [_manifest(files, key, hub_key)]
    known = {MANIFEST, SIGNATURE, *(file.path for file in manifest.files)}
    findings += [Finding(path, "is not in the manifest") for path in sorted(files.keys() - known)]
    check = _Checker(files, manifest.site, edge_keys)
    findings += [check.file(file) for file in manifest.files]
    return Verdict(manifest, tuple(findings))


def _manifest(
    files: Mapping[str, bytes], key: Ed25519PublicKey, wanted: Ed25519PublicKey | None
) -> Finding:
    if wanted is not None and public_text(wanted) != public_text(key):
        return Finding(MANIFEST, "is of another hub than the one whose key was given")
    try:
        signature = base64.b64decode(files.get(SIGNATURE, b""), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != 64 or not is_signed_by(key, signature, _CONTEXT + files[MANIFEST]):
        return Finding(MANIFEST, f"was changed, or {SIGNATURE} was: the hub's signature fails")
    return Finding(MANIFEST, vouched_by="hub")


@dataclass(frozen=True, slots=True)
class _Checker:
    files: Mapping[str, bytes]
    site: str
    keys: Mapping[str, Ed25519PublicKey]

    def file(self, file: CaseFile) -> Finding:
        """What came of one file of the manifest."""
        data = self.files.get(file.path)
        if data is None:
            return Finding(file.path, "is missing")
        if hashlib.sha256(data).hexdigest() != file.sha256:
            return Finding(file.path, "was changed: its SHA-256 is not that of the manifest")
        if file.kind == "alert":
            return Finding(file.path, vouched_by="hub")
        if file.edge not in self.keys:
            return Finding(file.path, f"the case has no key of {file.edge!r}")
        return self._observation(file, data) if file.kind == "observation" else self._evidence(file)

    def _observation(self, file: CaseFile, data: bytes) -> Finding:
        try:
            event = decode(data).verify(self.keys[file.edge])
        except InvalidMessage as error:
            return Finding(file.path, f"is not what {file.edge} signed: {error.detail}")
        if event.id != file.observation_id:
            return Finding(file.path, "is another observation than the manifest says")
        return Finding(file.path, vouched_by=file.edge)

    def _evidence(self, file: CaseFile) -> Finding:
        original = file.original_sha256 if file.blurred else file.sha256
        if original is None:
            return Finding(file.path, "does not say of what it is a blurred copy")
        if file.signature is not None and not self._by_signature(file, original):
            return Finding(file.path, f"the signature of {file.edge} fails")
        if file.blurred:
            return Finding(file.path, vouched_by=f"hub, as a blurred copy of {original[:12]}…")
        signed = file.signature is not None or self._by_message(file, original)
        return Finding(file.path, vouched_by=file.edge if signed else "hub")

    def _by_signature(self, file: CaseFile, sha256: str) -> bool:
        exhibit = Exhibit(self.site, file.edge, file.observation_id, file.name, sha256)
        assert file.signature is not None
        return exhibit.is_signed(file.signature, self.keys[file.edge])

    def _by_message(self, file: CaseFile, sha256: str) -> bool:
        """Whether the signed observation, which must be in the case, names or brings this picture."""
        body = self.files.get(observation_path(file.observation_id))
        try:
            data: Any = None if body is None else decode(body).verify(self.keys[file.edge]).data
        except InvalidMessage:
            return False
        return sha256 in set(_hashes(data, file.name))


def _hashes(data: Any, name: str) -> Iterator[str]:
    if isinstance(data, Observation):
        yield from (item.sha256 for item in data.evidence if item.name == name)
    if isinstance(data, PlateObservation) and data.crop is not None and name == "crop":
        yield hashlib.sha256(base64.b64decode(data.crop.data)).hexdigest()


def checked_key(text: str) -> Ed25519PublicKey:
    """The hub's key as a person gives it. InputError says what is wrong with it."""
    try:
        return verifying_key(text)
    except ValueError as error:
        raise InputError(f"the hub's key cannot be used: {error}") from error
