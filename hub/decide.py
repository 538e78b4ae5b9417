"""Third and fourth step: identify what an observation showed, and ask the rules.

In: verified messages, what is watched for, then the rules with what they may ask. Out: the row to store
and the matches, or a rejection. A face's probe is opened in `Identifier.identify` and dropped when it
returns: of a face that matches nobody, neither its embedding nor its crop is stored. Pure but for the
opening.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.gallery import FaceFinding, FaceReason
from hub.identify import (
    FaceSighting,
    Shown,
    Sighting,
    Watched,
    face_of_box,
    identify_face,
    identify_plate,
    zone_of,
)
from hub.incoming import Rejected, Verified, corrected
from hub.rules import Context, Decision, RuleBook, Why
from hub.rules.base import Finding, RuleDocument
from hub.slice_ids import SliceIds
from models.faces.decision import Evidence
from wire.errors import InvalidMessage
from wire.messages import (
    AccessObservation,
    AnyObservation,
    BehaviourObservation,
    CameraObservation,
    Event,
    EvidenceItem,
    FaceObservation,
    MeterObservation,
    ObjectObservation,
    Observation,
    PassageObservation,
    PlateObservation,
    is_spoof,
)
from wire.plates import normalise
from wire.sealing import unseal, unseal_crop


@dataclass(frozen=True, slots=True)
class Match:
    """An observation that satisfies a rule, with the picture that came with it (JPEG), those that
    the edge holds, and whether it makes a clip."""

    rule: RuleDocument
    decision: Decision
    sighting: Sighting
    crop_jpeg: bytes | None
    held: tuple[EvidenceItem, ...]
    has_clip: bool = False


@dataclass(frozen=True, slots=True)
class Identified:
    """An observation as rules see it and as it is stored.

    `why` is the named reason of the identification, such as ``face.below_threshold``; it is only counted.
    `recognition` is the row that says whom a face was, None where it was nobody's who is enrolled.
    """

    row: Mapping[str, Any]
    why: str
    sighting: Sighting
    recognition: Mapping[str, Any] | None
    crop_jpeg: bytes | None
    held: tuple[EvidenceItem, ...]
    has_clip: bool


@dataclass(frozen=True, slots=True)
class Identifier:
    """Identifies one observation at a time."""

    gate_of: Callable[[str, str], str]
    opening_key: X25519PrivateKey
    slice_ids: SliceIds

    def identify(self, message: Verified, watched: Watched, now: datetime) -> Identified | Rejected:
        """Say what the message shows; Rejected when a face cannot be opened."""
        data = message.event.data
        crop: bytes | None = None
        what: Shown
        why = message.topic.name or ""
        assert isinstance(data, AnyObservation)
        if isinstance(data, FaceObservation):
            try:
                what, crop = self._face(data, message.event, watched, now)
            except InvalidMessage as error:
                edge, place = message.event.origin, message.position
                return Rejected(message.incoming, error.reason, error.detail, edge, place)
            why = f"face.{what.finding.reason}"
        elif isinstance(data, PlateObservation):
            what, crop = identify_plate(data.plate, watched, now, data.reads), _jpeg(data)
            why = "plate.listed" if what.candidates else "plate.not_listed"
        else:
            what = data
        sighting = self._sighting(message, data, what)
        held: tuple[EvidenceItem, ...] = ()
        has_clip = False
        if isinstance(data, Observation):
            held, has_clip = data.evidence, data.clip is not None
        recognition = _recognition(sighting, watched)
        row = _row(message, data, sighting, now)
        return Identified(row, why, sighting, recognition, crop or None, held, has_clip)

    def _face(
        self, data: FaceObservation, event: Event, watched: Watched, now: datetime
    ) -> tuple[FaceSighting, bytes | None]:
        """Who it is, and its crop; InvalidMessage when it cannot be opened. A spoof is not even opened."""
        if is_spoof(data.liveness):
            return FaceSighting(FaceFinding(FaceReason.SPOOF), (), "", 0.0), None
        if data.candidates is not None:
            subject_of = partial(self.slice_ids.subject_of, event.origin)
            face = face_of_box(data.candidates, subject_of, watched, now)
            crop = unseal_crop(data.crop, event.id, self.opening_key) if data.crop else None
            return face, crop
        assert data.probe is not None
        probe = unseal(data.probe, event.id, self.opening_key)
        evidence = Evidence(data.quality, data.crops or 1)
        return identify_face(probe, evidence, watched, now), probe.crop_jpeg

    def _sighting(self, message: Verified, data: AnyObservation, what: Shown) -> Sighting:
        event = message.event
        assert event.camera is not None
        at = first = last = corrected(event, data.captured_at)
        quality = 1.0
        if isinstance(data, Observation):
            first, last = corrected(event, data.first_seen_at), corrected(event, data.last_seen_at)
            quality = data.quality
        return Sighting(
            observation_id=event.id,
            site=event.site,
            gate=self.gate_of(event.origin, event.camera),
            edge=event.origin,
            camera=event.camera,
            first_seen_at=first,
            captured_at=at,
            last_seen_at=last,
            quality=quality,
            what=what,
            clock_offset_ms=event.clock_offset_ms,
        )


def matches_of(found: Identified, rules: RuleBook, context: Context) -> tuple[Match, ...]:
    """Ask the rules about an observation. A rule that keeps no pictures gets none."""
    return tuple(
        Match(
            rule,
            decision,
            found.sighting,
            found.crop_jpeg if rule.KEEPS_PICTURES else None,
            found.held if rule.KEEPS_PICTURES else (),
            found.has_clip and rule.KEEPS_PICTURES,
        )
        for rule, decision in rules.decide(found.sighting, context)
        if decision.why is Why.MATCH
    )


def match_of(rule: RuleDocument, finding: Finding) -> Match:
    """What a timer has found, as a match without pictures."""
    return Match(rule, finding.decision, finding.sighting, None, ())


def _row(
    message: Verified, data: AnyObservation, sighting: Sighting, now: datetime
) -> dict[str, Any]:
    """The row of the table `observations`: never the probe, never a picture."""
    event, place = message.event, message.position
    assert place is not None
    return {
        "id": event.id,
        "edge": event.origin,
        "boot_id": place.boot_id,
        "sequence": place.sequence,
        "site": event.site,
        "gate": sighting.gate,
        "camera": event.camera,
        "kind": data.kind,
        "captured_at": sighting.captured_at,
        "received_at": now,
        "plate": normalise(data.plate.text) if isinstance(data, PlateObservation) else None,
        "matched": False,
        "data": data.model_dump(
            mode="json", exclude_none=True, exclude={"probe", "crop", "candidates"}
        ),
        "time": event.time,
        "clock_offset_ms": event.clock_offset_ms,
        "sha256": message.sha256,
        "signature": base64.b64encode(message.signature).decode(),
        **_facts(data),
        "zone": zone_of(sighting.what) or None,
    }


def _facts(data: AnyObservation) -> dict[str, Any]:
    """What queries and back-tests select by, beside where and when: columns of the table `observations`."""
    facts: dict[str, Any] = dict.fromkeys(
        ("event", "label", "unit", "amount", "stay_s", "confidence", "weakest")
    )
    match data:
        case FaceObservation():
            facts |= {"confidence": data.quality}
        case PlateObservation(plate=plate):
            facts |= {"confidence": plate.confidence, "weakest": min(plate.char_confidences)}
        case ObjectObservation() as it:
            facts |= {"event": it.event, "label": it.label}
            facts |= {"amount": it.count, "stay_s": it.stay_s}
        case BehaviourObservation() as did:
            facts |= {"event": did.behaviour, "label": did.label}
            facts |= {"amount": did.count, "stay_s": did.stay_s}
        case PassageObservation() as passage:
            facts |= {"event": passage.direction, "amount": len(passage.members)}
        case MeterObservation() as meter:
            facts |= {"event": meter.medium, "unit": meter.unit, "amount": meter.value}
        case CameraObservation(state=state) | AccessObservation(decision=state):
            facts["event"] = state
    return facts


def _recognition(seen: Sighting, watched: Watched) -> dict[str, Any] | None:
    """The row of the table `recognitions`; None unless the face was that of a resident or a listed
    subject."""
    what = seen.what
    if not isinstance(what, FaceSighting) or what.finding.reason is not FaceReason.MATCH:
        return None
    if not what.entries and what.finding.subject_id not in watched.residents:
        return None
    return {
        "observation_id": seen.observation_id,
        "subject_id": what.finding.subject_id,
        "site": seen.site,
        "seen_at": seen.captured_at,
        "similarity": what.finding.similarity,
        "margin": what.finding.margin,
        "threshold": what.threshold,
        "pack": what.pack,
    }


def _jpeg(data: PlateObservation) -> bytes | None:
    try:
        return base64.b64decode(data.crop.data, validate=True) if data.crop else None
    except ValueError:
        return None
