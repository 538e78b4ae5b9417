"""From a finding to the outbox: evidence made, the face sealed, the message signed and stored.

In: a `Finding` of a pipeline. Out: one observation in the outbox and its pictures in the ring. A face's
embedding and crop are sealed to the hub here, before anything is stored: the disk of this box never
holds what the box itself could open.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from numpy.typing import NDArray

from edge.evidence import EvidencePicture, EvidenceRing, bystanders, cut_crop, draw_scene
from edge.face_matching_box import BoxMatching
from edge.findings import FaceFinding, FaceStay, Finding, PlateFinding
from edge.outbox import Outbox
from edge.place_observations import PlaceObservation, observe_place
from models.faces.decision import Evidence
from models.faces.types import FaceDetector
from wire.codec import Signer, encode
from wire.messages import (
    AccessObservation,
    CameraObservation,
    ClipOffer,
    Event,
    EvidenceItem,
    FaceCandidates,
    FaceObservation,
    InlinePicture,
    Message,
    MeterObservation,
    PlateObservation,
    is_spoof,
)
from wire.sealing import FaceProbe, seal, seal_crop
from wire.topics import EdgeTopics

_FACE_MARGIN: Final = 0.35
_FACE_CROP_PX: Final = 256
_PLATE_MARGIN: Final = 0.15
_PLATE_CROP_PX: Final = 320
_CLOSE_MARGIN: Final = 1.0
_CLOSE_PX: Final = 640


@dataclass(frozen=True, slots=True)
class Origin:
    """Who signs: the box, its site, its key, and its clock against the hub's."""

    topics: EdgeTopics
    signer: Signer
    clock_offset_ms: Callable[[], int | None]

    def sign(
        self,
        data: Message,
        *,
        message_id: str,
        time: datetime,
        camera: str | None = None,
        boot_id: str | None = None,
        sequence: int | None = None,
    ) -> bytes:
        """The message as signed CloudEvents JSON."""
        event = Event(
            id=message_id,
            site=self.topics.site,
            origin=self.topics.edge,
            camera=camera,
            time=time,
            boot_id=boot_id,
            sequence=sequence,
            clock_offset_ms=self.clock_offset_ms(),
            data=data,
        )
        return encode(event, self.signer)


class Emitter:
    """Makes observations of findings. Safe for use by several threads."""

    def __init__(
        self,
        origin: Origin,
        outbox: Outbox,
        ring: EvidenceRing,
        *,
        hub_key: X25519PublicKey,
        face_detector: FaceDetector,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        offer_clip: Callable[[str, str, datetime], ClipOffer | None] = lambda *_: None,
        matching: BoxMatching | None = None,
    ) -> None:
        """`face_detector` looks for bystanders where the camera itself looks for no faces.

        `offer_clip` takes an observation's id, camera and time, and says what clip may be asked for;
        `matching` matches faces here instead of in the hub.
        """
        self._offer_clip, self._matching = offer_clip, matching
        self._origin, self._outbox, self._ring = origin, outbox, ring
        self._hub_key, self._face_detector = hub_key, face_detector
        self._new_id, self._now = new_id, now

    def tell(self, finding: Finding | FaceStay, observation_id: str | None = None) -> str:
        """Store the observation, under an id that may be given; returns it. StoreError when the disk takes no
        more."""
        observation_id = observation_id or self._new_id()
        if isinstance(finding, FaceStay):
            stay = self._face(finding, (), b"", observation_id)
            self._store(observation_id, finding.camera, stay, stay.kind)
            return observation_id
        hide = self._hide(finding)
        pictures = _pictures(finding, hide)
        evidence = tuple(picture.item for picture in pictures)
        frame = finding.frame
        offer = self._offer_clip(observation_id, frame.camera, frame.captured_at)
        data = self._observation(finding, evidence, hide, observation_id)
        data = data.model_copy(update={"clip": offer})
        self._ring.put(observation_id, pictures)
        self._store(observation_id, finding.frame.camera, data, data.kind)
        return observation_id

    def _observation(
        self,
        finding: Finding,
        evidence: tuple[EvidenceItem, ...],
        hide: NDArray[np.float32],
        observation_id: str,
    ) -> FaceObservation | PlateObservation | PlaceObservation:
        match finding:
            case FaceFinding():
                crop = cut_crop(
                    finding.frame.image,
                    finding.box,
                    hide,
                    margin=_FACE_MARGIN,
                    most_px=_FACE_CROP_PX,
                )
                return self._face(finding, evidence, crop, observation_id)
            case PlateFinding():
                return _plate(finding, evidence, hide)
        return observe_place(finding, _common(finding), evidence)

    def tell_camera(self, camera: str, data: CameraObservation) -> None:
        """Store that a camera went away or came back."""
        self._store(self._new_id(), camera, data, data.kind)

    def tell_access(self, camera: str, data: AccessObservation) -> None:
        """Store that a door or barrier was released, or was not."""
        self._store(self._new_id(), camera, data, data.kind)

    def tell_meter(self, gateway: str, data: MeterObservation) -> None:
        """Store what a household's meter stands at."""
        self._store(self._new_id(), gateway, data, data.kind)

    def _store(self, observation_id: str, camera: str, data: Message, kind: str) -> None:
        def encode_as(sequence: int) -> bytes:
            return self._origin.sign(
                data,
                message_id=observation_id,
                time=self._now(),
                camera=camera,
                boot_id=self._outbox.boot_id,
                sequence=sequence,
            )

        self._outbox.append(self._origin.topics.observation(camera, kind), encode_as)

    def _hide(self, finding: Finding) -> NDArray[np.float32]:
        faces = finding.faces
        if faces is None:
            faces = self._face_detector.detect(finding.frame.image).boxes
        return bystanders(faces, finding.box if isinstance(finding, FaceFinding) else None)

    def _face(
        self,
        finding: FaceFinding | FaceStay,
        evidence: tuple[EvidenceItem, ...],
        crop: bytes,
        observation_id: str,
    ) -> FaceObservation:
        """`crop` is the face as JPEG; empty where there is no picture of it."""
        fields = {**_common(finding), "evidence": evidence, "crops": finding.crops}
        fields |= {"liveness": finding.liveness, "resumes": finding.resumes}
        if self._matching is not None:
            found = self._match(finding, self._matching)
            shown = found.candidates and crop
            sealed = seal_crop(crop, observation_id, self._hub_key) if shown else None
            return FaceObservation.model_validate({**fields, "candidates": found, "crop": sealed})
        probe = FaceProbe(finding.embedding, finding.pack, finding.pack_sha256, crop, finding.seen)
        sealed = seal(probe, observation_id, self._hub_key)
        return FaceObservation.model_validate({**fields, "probe": sealed})

    def _match(self, finding: FaceFinding | FaceStay, matching: BoxMatching) -> FaceCandidates:
        """Who it is by the box's own slice; a spoof is not searched for where liveness is enforced."""
        if is_spoof(finding.liveness):
            return matching.nobody_alive()
        grounds = Evidence(finding.quality, finding.crops)
        return matching.search(finding.embedding, finding.pack_sha256, grounds, finding.seen)


def _pictures(finding: Finding, hide: NDArray[np.float32]) -> tuple[EvidencePicture, ...]:
    close = cut_crop(
        finding.frame.image, finding.box, hide, margin=_CLOSE_MARGIN, most_px=_CLOSE_PX
    )
    return draw_scene(finding.frame, finding.box, hide), EvidencePicture("close", close)


def _plate(
    finding: PlateFinding, evidence: tuple[EvidenceItem, ...], hide: NDArray[np.float32]
) -> PlateObservation:
    crop = cut_crop(
        finding.frame.image, finding.box, hide, margin=_PLATE_MARGIN, most_px=_PLATE_CROP_PX
    )
    return PlateObservation(
        **_common(finding),
        evidence=evidence,
        plate=finding.plate,
        state=finding.state,
        reads=finding.reads,
        crop=InlinePicture(data=base64.b64encode(crop).decode()),
    )


def _common(finding: Finding | FaceStay) -> dict[str, object]:
    return {
        "track_id": finding.track_id,
        "revision": finding.revision,
        "first_seen_at": finding.first_seen_at,
        "captured_at": finding.captured_at,
        "last_seen_at": finding.last_seen_at,
        "frames": finding.frames,
        "box_px": finding.box,
        "frame_size_px": finding.frame_size_px,
        "quality": finding.quality,
        "detector_score": finding.detector_score,
    }
