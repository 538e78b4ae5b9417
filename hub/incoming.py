"""First step: bytes of the broker -> a message that its edge signed, or a rejection with the reason.

In: topic and payload, and the keys of the known edges. Out: `Verified`, or `Rejected` which says whether
the edge may forget the message all the same. Pure. It never trusts what a signature does not cover, and
never lets one edge speak for another.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.codec import SignedEnvelope, decode, decode_envelope
from wire.errors import InvalidMessage
from wire.messages import (
    AllowListReply,
    AnyObservation,
    CameraHealth,
    EdgeStatus,
    Event,
    EvidenceReply,
    FaceObservation,
    GalleryReply,
    LivePicture,
    LiveReply,
    Message,
)
from wire.topics import Topic, parse

#: What an edge could mend by sending the same message again, undamaged: it is kept, not forgotten.
_NOT_UNDERSTOOD: Final = frozenset({"unknown_major", "unknown_type", "invalid_data"})
_FURTHEST: Final = timedelta(days=3660)
_LARGEST: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class KnownEdge:
    """An edge box of the configuration."""

    id: str
    site: str
    key: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the broker delivered it."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a message in the order of its edge."""

    edge: str
    boot_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Verified:
    """A valid message, signed by the edge on whose topic it came; `position` is set on observations."""

    incoming: Incoming
    topic: Topic
    event: Event
    sha256: str
    signature: bytes
    position: Position | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that can never be processed.

    With `position` the edge proved that it is its own message, and may forget it. Without, it is not
    acknowledged: it may be a forgery, and the true one may still come.
    """

    incoming: Incoming
    reason: str
    detail: str
    edge: str | None = None
    position: Position | None = None


def verify(incoming: Incoming, edges: Mapping[str, KnownEdge]) -> Verified | Rejected:
    """Decode and check one message against the key of the edge that its topic names."""
    topic = parse(incoming.topic)
    if topic is None:
        return Rejected(incoming, "wrong_topic", f"{incoming.topic!r} is no topic of version 1")
    edge = edges.get(topic.edge)
    if edge is None or edge.site != topic.site:
        where = f"{topic.site}/{topic.edge}"
        return Rejected(incoming, "unknown_edge", f"{where} is not in [[edges]] of the hub's file")
    try:
        signed = decode(incoming.payload)
    except InvalidMessage as error:
        return _not_decoded(incoming, topic, edge, error)
    event = signed.event
    if (event.origin, event.site) != (edge.id, edge.site):
        detail = f"{event.source} sent it on the topic of {edge.site}/{edge.id}"
        return Rejected(incoming, "wrong_topic", detail, edge.id)
    try:
        signed.verify(edge.key)
    except InvalidMessage as error:
        return Rejected(incoming, error.reason, error.detail, edge.id)
    problem = _absurd(event) or _misplaced(topic, event)
    if problem is not None:
        return Rejected(incoming, *problem, edge.id, _position(event))
    return Verified(incoming, topic, event, signed.sha256, signed.signature, _position(event))


def corrected(event: Event, moment: datetime) -> datetime:
    """Return a time of the edge's clock as the hub's clock would have shown it."""
    return moment.astimezone(UTC) + timedelta(milliseconds=event.clock_offset_ms or 0)


def _position(event: Event) -> Position | None:
    if event.boot_id is None or event.sequence is None or event.sequence >= _LARGEST:
        return None
    return Position(event.origin, event.boot_id, event.sequence)


def _not_decoded(
    incoming: Incoming, topic: Topic, edge: KnownEdge, error: InvalidMessage
) -> Rejected:
    position = None
    if error.reason in _NOT_UNDERSTOOD:
        envelope = decode_envelope(incoming.payload)
        if envelope is not None and _is_from(envelope, topic, edge):
            position = Position(edge.id, envelope.boot_id, envelope.sequence)
    return Rejected(incoming, error.reason, error.detail, edge.id, position)


def _is_from(envelope: SignedEnvelope, topic: Topic, edge: KnownEdge) -> bool:
    own = f"/{topic.site}/{topic.edge}"
    return (envelope.source == own or envelope.source.startswith(f"{own}/")) and envelope.is_by(
        edge.key
    )


#: Which message each channel carries, and whether topic and message agree beyond the edge.
_CHANNELS: Final[Mapping[str, tuple[type[Message] | tuple[type[Message], ...], bool]]] = {
    "status": (EdgeStatus, False),
    "health": (CameraHealth, True),
    "live": (LivePicture, True),
    "reply": ((EvidenceReply, GalleryReply, LiveReply, AllowListReply), False),
    "observation": (get_args(AnyObservation), True),
}


def _misplaced(topic: Topic, event: Event) -> tuple[str, str] | None:
    expected, of_camera = _CHANNELS[topic.channel]
    if not isinstance(event.data, expected):
        return "wrong_topic", f"a {event.data.TYPE} does not belong on {topic.channel}"
    if of_camera and event.camera != topic.camera:
        return "wrong_topic", f"camera {event.camera!r} sent it on the topic of {topic.camera!r}"
    if isinstance(event.data, AnyObservation):
        if event.data.kind != topic.name:
            return "wrong_topic", f"a {event.data.kind} does not belong on observation/{topic.name}"
        if _position(event) is None:
            return "no_sequence", "an observation must have a boot id and a sequence"
    return None


def _absurd(event: Event) -> tuple[str, str] | None:
    """Numbers and times that no working box sends, which a database or a calendar could not hold."""
    data = event.data
    if (event.sequence or 0) >= _LARGEST:
        return "invalid_data", f"sequence {event.sequence} is out of range"
    if not isinstance(data, AnyObservation):
        return None
    try:
        skew = abs(corrected(event, data.captured_at) - corrected(event, event.time))
    except OverflowError:
        return "invalid_data", "clockoffsetms takes the time out of the calendar"
    if skew > _FURTHEST:
        return "invalid_data", f"captured_at is {skew.days} days from the time of the message"
    return None


def redacted(incoming: Incoming) -> bytes | None:
    """Return what a dead letter may keep of a message: never anything that could hold a face.

    Of a message that says that it is of a kind without pictures of people, all but long texts (an
    embedded picture is one); of all others the envelope; of what is no JSON object, nothing.
    """
    try:
        value = json.loads(incoming.payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    keep = {name: value[name] for name in _ENVELOPE if isinstance(value.get(name), str | int)}
    if value.get("type") in _FACELESS and "/face" not in incoming.topic:
        keep["data"] = _short(value.get("data"))
    return json.dumps(_short(keep)).encode()


_ENVELOPE: Final = (
    *("specversion", "id", "source", "type", "time", "datacontenttype"),
    *("bootid", "sequence", "clockoffsetms", "sha256", "signature"),
)
_FACELESS: Final = frozenset(
    model.TYPE
    for model in (
        *(*get_args(AnyObservation), EdgeStatus, CameraHealth),
        *(EvidenceReply, GalleryReply, LiveReply, AllowListReply),
    )
    if model is not FaceObservation
)
_LONGEST: Final = 200
_DEEPEST: Final = 6


def _short(value: object, depth: int = 0) -> object:
    """The value without long texts and long lists: neither a picture nor an embedding survives."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"({len(value)} characters)"
    if isinstance(value, dict | list) and (len(value) > 40 or depth >= _DEEPEST):
        return f"({len(value)} items)"
    if isinstance(value, dict):
        return {str(k)[:60]: _short(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_short(v, depth + 1) for v in value]
    return value
