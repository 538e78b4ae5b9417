"""Bytes <-> events: CloudEvents 1.0 structured JSON, hashed and signed.

Out: UTF-8 JSON with the extension attributes ``bootid``, ``sequence``, ``clockoffsetms``, ``sha256``
and ``signature``. `sha256` is that of ``data`` in canonical JSON (RFC 8785); the Ed25519 signature covers
it and the attributes that give it meaning, so that a stored message can be verified years later. In:
anything; what is not a valid message of version 1 raises `InvalidMessage` with a stable reason.
Decoding never trusts: `SignedEvent.verify` must be called with the key that the sender is known by.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from wire.errors import InvalidMessage
from wire.keys import is_signed_by
from wire.messages import BY_TYPE, Event

SPECVERSION = "1.0"
MAX_MESSAGE_BYTES = 512 * 1024
BOOT_ID = re.compile(r"[0-9a-f]{16}")
_CONTEXT = b"gatehouse-event-v1"
_SIGNED = ("id", "source", "type", "time", "bootid", "sequence", "clockoffsetms", "sha256")


class Signer(Protocol):
    """What signs: `Ed25519PrivateKey`, or a key store that holds one."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the 64-byte Ed25519 signature of `data`."""
        ...


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """A decoded event whose signature is yet to be checked against a key."""

    event: Event
    sha256: str
    signature: bytes
    signed_bytes: bytes

    def verify(self, key: Ed25519PublicKey) -> Event:
        """Return the event if `key` signed it, else raise InvalidMessage ``bad_signature``."""
        if not is_signed_by(key, self.signature, self.signed_bytes):
            raise InvalidMessage(
                "bad_signature", f"{self.event.source} did not sign message {self.event.id}"
            )
        return self.event


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """The attributes of a message whose data is not understood; its signature is yet to be checked.

    With it a hub can say that it is done with a message of a newer edge, so that the edge goes on.
    """

    source: str
    boot_id: str
    sequence: int
    signature: bytes
    signed_bytes: bytes

    def is_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the holder of `key` sent this message, with this place in its order."""
        return is_signed_by(key, self.signature, self.signed_bytes)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: always one length, so that text sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(event: Event, signer: Signer) -> bytes:
    """Return the event as signed CloudEvents JSON; InvalidMessage ``too_large`` beyond the limit."""
    data = event.data.model_dump(mode="json", exclude_none=True)
    attributes: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": event.id,
        "source": event.source,
        "type": event.data.TYPE,
        "time": format_time(event.time),
        "datacontenttype": "application/json",
        "sha256": hashlib.sha256(rfc8785.dumps(data)).hexdigest(),
    }
    for name, value in (
        ("bootid", event.boot_id),
        ("sequence", event.sequence),
        ("clockoffsetms", event.clock_offset_ms),
    ):
        if value is not None:
            attributes[name] = value
    signature = signer.sign(_signing_input(attributes))
    attributes["signature"] = base64.b64encode(signature).decode()
    attributes["data"] = data
    payload = json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()
    if len(payload) > MAX_MESSAGE_BYTES:
        raise InvalidMessage("too_large", _too_large(len(payload)))
    return payload


def decode(payload: bytes) -> SignedEvent:
    """Return the event in `payload`; InvalidMessage with the reason when it is none of version 1."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise InvalidMessage("too_large", _too_large(len(payload)))
    attributes = _parse_json(payload)
    data = attributes.get("data")
    if attributes.get("specversion") != SPECVERSION or not isinstance(data, dict):
        raise InvalidMessage("not_cloudevent", "no CloudEvents 1.0 object with JSON data")
    model = _model_for(attributes.get("type"))
    if hashlib.sha256(_canonical(data)).hexdigest() != attributes.get("sha256"):
        raise InvalidMessage("bad_hash", "sha256 is not that of data: it was changed on its way")
    try:
        event = Event(
            **_place(attributes.get("source")),
            id=_text(attributes, "id"),
            time=datetime.fromisoformat(_text(attributes, "time")),
            boot_id=attributes.get("bootid"),
            sequence=attributes.get("sequence"),
            clock_offset_ms=attributes.get("clockoffsetms"),
            data=model.model_validate(data),
        )
        signature = base64.b64decode(_text(attributes, "signature"), validate=True)
    except ValidationError as error:
        raise InvalidMessage("invalid_data", _first_problem(error)) from error
    except (ValueError, binascii.Error) as error:
        raise InvalidMessage("invalid_data", str(error)) from error
    return SignedEvent(event, attributes["sha256"], signature, _signing_input(attributes))


def decode_envelope(payload: bytes) -> SignedEnvelope | None:
    """Return the envelope of a sequenced message, whatever its type; None when it has none."""
    try:
        attributes = _parse_json(payload)
        data = attributes.get("data")
        if not isinstance(data, dict):
            return None
        if hashlib.sha256(_canonical(data)).hexdigest() != attributes.get("sha256"):
            return None
        signature = base64.b64decode(_text(attributes, "signature"), validate=True)
        source, boot_id = _text(attributes, "source"), _text(attributes, "bootid")
    except (InvalidMessage, ValueError, binascii.Error):
        return None
    sequence = attributes.get("sequence")
    if type(sequence) is not int or not 1 <= sequence < 1 << 63 or not BOOT_ID.fullmatch(boot_id):
        return None
    return SignedEnvelope(source, boot_id, sequence, signature, _signing_input(attributes))


def _too_large(size: int) -> str:
    return f"{size} bytes; a message has at most {MAX_MESSAGE_BYTES}"


def _parse_json(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidMessage("not_json", str(error)[:200]) from error
    if not isinstance(value, dict):
        raise InvalidMessage("not_cloudevent", f"a JSON {type(value).__name__}, not an object")
    return value


def _canonical(data: dict[str, Any]) -> bytes:
    try:
        return rfc8785.dumps(data)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidMessage("invalid_data", f"data has no canonical form: {error}") from error


def _model_for(type_name: object) -> type[Any]:
    if isinstance(type_name, str):
        if model := BY_TYPE.get(type_name):
            return model
        stem, _, version = type_name.rpartition(".v")
        if f"{stem}.v1" in BY_TYPE and version.isdigit():
            raise InvalidMessage(
                "unknown_major", f"{type_name}: this hub understands version 1; update it"
            )
    raise InvalidMessage("unknown_type", f"{type_name!r} is no message of ours")


def _place(source: object) -> dict[str, str]:
    match source.split("/") if isinstance(source, str) else ():
        case ["", site, origin]:
            return {"site": site, "origin": origin}
        case ["", site, origin, camera]:
            return {"site": site, "origin": origin, "camera": camera}
    raise ValueError(f"source {source!r} is not /site/edge or /site/edge/camera")


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing or no text")
    return value


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


def _signing_input(attributes: Mapping[str, Any]) -> bytes:
    """The bytes under the signature: one attribute a line, absent ones empty, after a fixed context.

    A line feed cannot occur inside one: they are JSON texts that were validated, or escaped here.
    """
    lines = (json.dumps(attributes.get(name), ensure_ascii=True).encode() for name in _SIGNED)
    return b"\n".join((_CONTEXT, *lines))
