"""Third and fourth step: identify what an observation showed, and ask the rules.

In: verified messages, what is watched for. Out: the row to store and the matches, or a rejection. A face's
probe is opened in `Decider.decide` and dropped when it returns: of a face that matches nothing, neither its
embedding nor its crop is in what comes out. Pure but for the opening.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.gallery import FaceFinding, FaceReason
from hub.identify import (
    FaceSighting,
    PlateSighting,
    Sighting,
    Watched,
    face_of_box,
    identify_face,
    identify_plate,
    is_spoof,
)
from hub.incoming import Rejected, Verified, corrected
from hub.rules import Decision, RuleBook, Why
from hub.rules.base import RuleDocument
from models.faces.decision import Evidence
from wire.errors import InvalidMessage
from wire.messages import (
    EvidenceItem,
    FaceObservation,
    Observation,
    PlateObservation,
    happened_at,
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
class Decided:
    """An observation as it is stored, and the matches it gave.

    `why` is the named reason of the identification, such as ``face.below_threshold``; it is only counted.
    """

    row: Mapping[str, Any]
    why: str
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides on one observation at a time."""

    gate_of: Callable[[str, str], str]
    opening_key: X25519PrivateKey
    rules: RuleBook

    def decide(self, message: Verified, watched: Watched, now: datetime) -> Decided | Rejected:
        """Identify what the message shows and ask the rules; Rejected when a face cannot be opened."""
        data = message.event.data
        what: FaceSighting | PlateSighting
        crop: bytes | None
        if isinstance(data, FaceObservation):
            try:
                what, crop = self._face(data, message.event.id, watched, now)
            except InvalidMessage as error:
                edge, place = message.event.origin, message.position
                return Rejected(message.incoming, error.reason, error.detail, edge, place)
            why = f"face.{what.finding.reason}"
        elif isinstance(data, PlateObservation):
            plate = identify_plate(data.plate, watched, now)
            what, crop = plate, _jpeg(data)
            why = "plate.listed" if plate.candidates else "plate.not_listed"
        else:
            return Decided(self._row(message, now, matched=False), message.topic.name or "")
        matches = self._ask(self._sighting(message, data, what), crop or None, data)
        return Decided(self._row(message, now, matched=bool(matches)), why, matches)

    def _face(
        self, data: FaceObservation, observation_id: str, watched: Watched, now: datetime
    ) -> tuple[FaceSighting, bytes | None]:
        """Who it is, and its crop; InvalidMessage when it cannot be opened. A spoof is not even opened."""
        if is_spoof(data.liveness):
            return FaceSighting(FaceFinding(FaceReason.SPOOF), (), "", 0.0), None
        if data.candidates is not None:
            face = face_of_box(data.candidates, watched, now)
            crop = unseal_crop(data.crop, observation_id, self.opening_key) if data.crop else None
            return face, crop
        assert data.probe is not None
        probe = unseal(data.probe, observation_id, self.opening_key)
        evidence = Evidence(data.quality, data.crops or 1)
        return identify_face(probe, evidence, watched, now), probe.crop_jpeg

    def _ask(
        self, sighting: Sighting, crop_jpeg: bytes | None, data: Observation
    ) -> tuple[Match, ...]:
        return tuple(
            Match(rule, decision, sighting, crop_jpeg, data.evidence, data.clip is not None)
            for rule, decision in self.rules.decide(sighting)
            if decision.why is Why.MATCH
        )

    def _sighting(
        self, message: Verified, data: Observation, what: FaceSighting | PlateSighting
    ) -> Sighting:
        event = message.event
        assert event.camera is not None
        return Sighting(
            observation_id=event.id,
            site=event.site,
            gate=self.gate_of(event.origin, event.camera),
            edge=event.origin,
            camera=event.camera,
            first_seen_at=corrected(event, data.first_seen_at),
            captured_at=corrected(event, data.captured_at),
            last_seen_at=corrected(event, data.last_seen_at),
            quality=data.quality,
            what=what,
        )

    def _row(self, message: Verified, now: datetime, *, matched: bool) -> dict[str, Any]:
        """The row of the table `observations`: never the probe, never a picture."""
        event, data, place = message.event, message.event.data, message.position
        moment = happened_at(data)
        assert place is not None
        assert event.camera is not None
        assert moment is not None
        return {
            "id": event.id,
            "edge": event.origin,
            "boot_id": place.boot_id,
            "sequence": place.sequence,
            "site": event.site,
            "gate": self.gate_of(event.origin, event.camera),
            "camera": event.camera,
            "kind": message.topic.name,
            "captured_at": corrected(event, moment),
            "received_at": now,
            "plate": normalise(data.plate.text) if isinstance(data, PlateObservation) else None,
            "matched": matched,
            "data": data.model_dump(
                mode="json", exclude_none=True, exclude={"probe", "crop", "candidates"}
            ),
            "time": event.time,
            "clock_offset_ms": event.clock_offset_ms,
            "sha256": message.sha256,
            "signature": base64.b64encode(message.signature).decode(),
        }


def _jpeg(data: PlateObservation) -> bytes | None:
    try:
        return base64.b64decode(data.crop.data, validate=True) if data.crop else None
    except ValueError:
        return None
