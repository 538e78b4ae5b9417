"""Events of alerts as the sinks' tests hand them over: signed, encoded, and read again."""

import base64
import uuid
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.alerts import event_id
from hub.sinks.notice import Due, Notice, Told, read_notice
from tests.unit.hub.kit import CAMERA, NOW, PLATE, SITE, at
from wire.codec import encode
from wire.messages import (
    AlertChanged,
    AlertEvent,
    AlertRaised,
    Event,
    FaceMatch,
    InlinePicture,
    PlateMatch,
)
from wire.topics import HUB

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ALERT = str(uuid.UUID(int=7))
PLATE_MATCH = PlateMatch(
    entry_id="e1", listed=PLATE, read=PLATE, how="exact", confidence=0.96, cost=0.0
)
FACE_MATCH = FaceMatch(
    subject_id="s1",
    label="王小明",
    similarity=0.7,
    threshold=0.5,
    margin=0.2,
    quality=0.8,
    pack="p",
)


def an_alert(**changes: object) -> dict:
    """The fields of an event of an alert."""
    return {
        "alert_id": ALERT,
        "site": SITE,
        "gate": "north",
        "camera": CAMERA,
        "rule_id": "plates",
        "rule_title": "Plates <listed>",
        "severity": "red",
        "state": "open",
        "certainty": "unverified",
        "reason": f"{PLATE} is on the list",
        "match": PLATE_MATCH,
        "category": "stolen_vehicle",
        "basis": "police case: 2026-118",
        "captured_at": NOW,
        "first_seen_at": at(-1),
        "last_seen_at": at(1),
        "raised_at": at(2),
        "observation_id": str(uuid.UUID(int=9)),
        "observations": 1,
        **changes,
    }


def a_notice(
    data: AlertEvent | None = None, *, told: tuple[Told, ...] = (), when: datetime = NOW,
    position: int = 1, crop: bytes | None = None, **changes: object,
) -> Notice:  # fmt: skip
    """A notice of a new alert, or of `data`."""
    if data is None:
        picture = crop and InlinePicture(data=base64.b64encode(crop).decode())
        data = AlertRaised(**an_alert(**changes), crop=picture)
    event = Event(
        id=event_id(data.alert_id, f"{data.TYPE}:{position}"), site=data.site, origin=HUB,
        time=when, data=data,
    )  # fmt: skip
    due = Due(
        "centre", position, event.id, data.alert_id, data.site, when, encode(event, KEY), 0, when,
        1, told,
    )  # fmt: skip
    return read_notice(due)


def a_change(
    step: str, number: int = 1, *, told: tuple[Told, ...] = (), **changes: object
) -> Notice:  # fmt: skip
    """A notice of a change: a move to the state `step`, or another change of that name."""
    other = step in ("escalated", "assigned", "noted", "joined")
    sure = step in ("verified", "dispatched", "on_scene", "closed")
    facts = {
        "state": "open" if other else step,
        "certainty": "confirmed" if sure else "unverified",
        **changes,
    }
    data = AlertChanged(
        **an_alert(**facts), change=step if other else "moved", number=number,
        changed_at=at(60 * number), actor="ann", note="called 13800000000", previous_state="open",
    )  # fmt: skip
    return a_notice(data, told=told, when=at(60 * number), position=1 + number)
