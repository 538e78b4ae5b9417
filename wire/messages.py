"""The messages of wire version 1, as frozen, validated values.

In: fields. Out: models whose JSON is the ``data`` of a CloudEvent (`wire.codec` wraps them). A reader
ignores fields it does not know, so that a newer writer of the same major version is understood; it
never guesses at a newer major version. Nothing here has a place for ethnicity, religion, gender or age.

Boxes are ``(x1, y1, x2, y2)`` in pixels of the full frame, origin top left. Times are aware UTC.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from wire.topics import check_identifier

Identifier = Annotated[str, AfterValidator(check_identifier)]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
MessageId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
BootId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Coordinate = Annotated[float, Field(ge=-65536.0, le=65536.0)]
BoxPx = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
SizePx = tuple[Annotated[int, Field(ge=1, le=65536)], Annotated[int, Field(ge=1, le=65536)]]
EvidenceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class Message(BaseModel):
    """Base of all data of version 1: immutable; unknown fields are ignored; no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    #: CloudEvents type, e.g. ``gatehouse.observation.face.v1``
    TYPE: ClassVar[str]


class EvidenceItem(Message):
    """A picture that the edge holds in its ring for as long as it has room; the hub may ask for it."""

    name: EvidenceName
    media_type: Literal["image/jpeg", "video/mp4"]
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Sha256


class ClipOffer(Message):
    """The edge makes the evidence ``clip`` (video/mp4) of this observation when the hub asks for it.

    It reaches from at least `before_s` before `captured_at` to `after_s` after it, where the edge has
    that much.
    """

    before_s: Annotated[float, Field(ge=0, le=600)]
    after_s: Annotated[float, Field(ge=0, le=600)]


class InlinePicture(Message):
    """A small picture that travels with its message."""

    media_type: Literal["image/jpeg"] = "image/jpeg"
    data: Base64


class Observation(Message):
    """What one track showed, fused over its frames.

    Later revisions of the same track carry the same `track_id` and a higher `revision`: a clearly
    better crop, or a plate reading that changed. `captured_at` is the time of the frame with `box_px`,
    which is also the frame of the evidence named ``scene``. A revision of a face without evidence and
    without a crop repeats the one before it and is news of `last_seen_at` alone: the face stayed until then.
    """

    track_id: Annotated[str, Field(min_length=1, max_length=120)]
    revision: Annotated[int, Field(ge=0)] = 0
    first_seen_at: AwareDatetime
    captured_at: AwareDatetime
    last_seen_at: AwareDatetime
    frames: Annotated[int, Field(ge=1)]
    box_px: BoxPx
    frame_size_px: SizePx
    quality: Unit
    detector_score: Unit
    evidence: tuple[EvidenceItem, ...] = ()
    clip: ClipOffer | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.first_seen_at <= self.captured_at <= self.last_seen_at:
            raise ValueError("first_seen_at, captured_at and last_seen_at are not in order")
        x1, y1, x2, y2 = self.box_px
        if not (x1 < x2 and y1 < y2):
            raise ValueError(f"box_px {self.box_px} has no area: it must be x1, y1, x2, y2")
        return self


class Sealed(Message):
    """Bytes that only one reader can open: HPKE base mode, X25519, HKDF-SHA256, AES-128-GCM (RFC 9180).

    `key_id` is the first 16 hex digits of the SHA-256 of the reader's public key: the hub's for what an edge
    saw, the box's for templates that the hub gives it. `wire.sealing` and `wire.slices` say what the plain
    bytes are.
    """

    scheme: Literal["hpke-x25519-hkdf-sha256-aes128gcm"] = "hpke-x25519-hkdf-sha256-aes128gcm"
    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    ciphertext: Base64


class Liveness(Message):
    """Whether a living face was before the camera, or a picture of one, as passive networks judged it.

    `score` is how live it looked over the crops of the track, 0 to 1; ``unsure`` between the two. Where
    `mode` is ``enforce``, a ``spoof`` is nobody: no name may be given to it.
    """

    score: Unit
    state: Literal["live", "spoof", "unsure"]
    mode: Literal["observe", "enforce"]
    crops: Annotated[int, Field(ge=1)]
    pack_sha256: Sha256


def is_spoof(liveness: Liveness | None) -> bool:
    """Whether liveness is enforced and no living face was seen: then nobody may be named."""
    return liveness is not None and liveness.mode == "enforce" and liveness.state == "spoof"


SubjectId = Annotated[str, Field(min_length=1, max_length=64)]
Cosine = Annotated[float, Field(ge=-1.001, le=1.001)]


class FaceCandidate(Message):
    """A subject of the box's slice of the gallery, with the cosine of its closest template."""

    subject_id: SubjectId
    similarity: Cosine


class FaceCandidates(Message):
    """What a box that matches faces itself found in its slice of the gallery.

    `reason` is ``match``, or why it is nobody. Only a match names candidates: the one it is, and those who
    come next above the slice's threshold. `margin` is the lead of the first over the next subject. Where the
    box has no slice that is valid, `slice_version` is None.
    """

    reason: Literal[
        "match",
        "below_threshold",
        "no_margin",
        "weak_evidence",
        "empty_gallery",
        "no_slice",
        "expired",
        "other_pack",
        "spoof",
    ]
    pack: str
    pack_sha256: Sha256
    slice_version: Annotated[int, Field(ge=1)] | None = None
    threshold: Cosine | None = None
    candidates: Annotated[tuple[FaceCandidate, ...], Field(max_length=5)] = ()
    margin: Annotated[float, Field(ge=0.0, le=2.01)] | None = None

    @model_validator(mode="after")
    def _names_only_a_match(self) -> Self:
        if (self.reason == "match") != bool(self.candidates):
            raise ValueError("a match has candidates, and nothing else has any")
        if self.reason == "match" and None in (self.slice_version, self.threshold, self.margin):
            raise ValueError("a match says its slice_version, threshold and margin")
        return self


class FaceObservation(Observation):
    """A face that one track showed.

    Its embedding and its crop are inside `probe`, sealed. A box with ``face_matching = "edge"`` sends
    `candidates` instead, and never an embedding; of a match also the `crop` (JPEG), sealed. `crops` are how
    many were fused. `liveness` is there where the camera judges it. `resumes` is an earlier track of the same
    camera, lost seconds before, that is of the same person: its crops are among those that were fused.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.face.v1"
    kind: Literal["face"] = "face"
    probe: Sealed | None = None
    candidates: FaceCandidates | None = None
    crop: Sealed | None = None
    crops: Annotated[int, Field(ge=1)] | None = None
    liveness: Liveness | None = None
    resumes: Annotated[str, Field(min_length=1, max_length=120)] | None = None

    @model_validator(mode="after")
    def _is_matched_in_one_place(self) -> Self:
        if (self.probe is None) == (self.candidates is None):
            raise ValueError("a face is matched by the hub (probe) or by the box (candidates)")
        if self.crop is not None and (self.candidates is None or not self.candidates.candidates):
            raise ValueError("crop is sent of a match of the box only; a probe has its own")
        return self


class PlateAlternative(Message):
    """Another valid plate that the same pixels may show."""

    text: Annotated[str, Field(min_length=1, max_length=16)]
    probability: Unit


class PlateText(Message):
    """A fused plate reading under the plate grammar (`wire.plates`).

    `plate_type` and `colour` are the values of `wire.plates.PlateType` and `PlateColour`.
    `char_confidences` has one value per character of `text`.
    """

    text: Annotated[str, Field(min_length=1, max_length=16)]
    plate_type: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]
    colour: Annotated[str, Field(pattern=r"^[a-z_]{1,16}$")]
    confidence: Unit
    province_confidence: Unit
    char_confidences: tuple[Unit, ...]
    alternatives: tuple[PlateAlternative, ...] = ()

    @model_validator(mode="after")
    def _one_confidence_per_character(self) -> Self:
        if len(self.char_confidences) != len(self.text):
            raise ValueError(
                f"char_confidences has {len(self.char_confidences)} values"
                f" for the {len(self.text)} characters of text"
            )
        return self


class PlateObservation(Observation):
    """A licence plate that one track showed. `reads` is how many crops were read and fused."""

    TYPE: ClassVar[str] = "gatehouse.observation.plate.v1"
    kind: Literal["plate"] = "plate"
    plate: PlateText
    state: Literal["provisional", "confirmed", "revised"]
    reads: Annotated[int, Field(ge=1)]
    crop: InlinePicture | None = None


ObjectLabel = Literal["person", "bicycle", "motorcycle", "ebike", "car", "bus", "truck"]
ObjectEvent = Literal["entered", "left", "dwelt", "crossed"]
Direction = Literal["in", "out"]
Behaviour = Literal[
    "loitering",
    "crowding",
    "vehicle_prowling",
    "blocked_lane",
    "ebike_indoors",
    "barrier_run",
    "wrong_way",
    "tailgating",
]
TrackId = Annotated[str, Field(min_length=1, max_length=120)]
CameraStateName = Literal[
    "online", "offline", "frozen", "covered", "too_dark", "moved", "defocused", "wrong_time"
]


class ObjectObservation(Observation):
    """A person or vehicle that entered or left a zone, stayed in it for long, or crossed a line.

    `zone` or `line` names the place, as the edge's configuration does. `count` is how many are in the zone
    now, or have crossed the line in this `direction` since the edge was started; `stay_s` is how long the
    object has been in the zone. `parked` says that a vehicle stands there, as opposed to driving.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.object.v1"
    kind: Literal["object"] = "object"
    label: ObjectLabel
    event: ObjectEvent
    zone: Identifier | None = None
    line: Identifier | None = None
    direction: Direction | None = None
    stay_s: Annotated[float, Field(ge=0)] | None = None
    count: Annotated[int, Field(ge=0)]
    parked: bool = False

    @model_validator(mode="after")
    def _is_at_one_place(self) -> Self:
        if (self.zone is None) == (self.line is None):
            raise ValueError("an object is told at a zone or at a line: name one of them")
        if (self.event == "crossed") != (self.line is not None and self.direction is not None):
            raise ValueError("a line is crossed in a direction, and nothing else has one")
        return self


class BehaviourObservation(Observation):
    """What one object, or several together, did over a while.

    `tracks` are all that took part, the one of `box_px` among them; `count` is what the behaviour counts:
    people in a crowd, vehicles that were tried. `since_at` is when it began.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.behaviour.v1"
    kind: Literal["behaviour"] = "behaviour"
    behaviour: Behaviour
    label: ObjectLabel
    zone: Identifier | None = None
    line: Identifier | None = None
    tracks: Annotated[tuple[TrackId, ...], Field(min_length=1, max_length=64)]
    count: Annotated[int, Field(ge=0)]
    since_at: AwareDatetime
    stay_s: Annotated[float, Field(ge=0)]
    reason: Annotated[str, Field(max_length=400)]


class PassageMember(Message):
    """One person or vehicle of a passage. `faces` and `plates` are ids of observations of the same track:
    who it was is the hub's to say."""

    track_id: TrackId
    label: ObjectLabel
    crossed_at: AwareDatetime
    faces: tuple[MessageId, ...] = ()
    plates: tuple[MessageId, ...] = ()


class PassageObservation(Observation):
    """Those who came through one gate together, over `line` in one `direction`.

    `grants` is how many times a door or barrier was released for them, None where no signal is connected.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.passage.v1"
    kind: Literal["passage"] = "passage"
    line: Identifier
    direction: Direction
    members: Annotated[tuple[PassageMember, ...], Field(min_length=1, max_length=64)]
    grants: Annotated[int, Field(ge=0)] | None = None


AccessMethod = Literal["plate", "card", "code", "pin", "guard", "signal"]


class AccessObservation(Message):
    """A door or barrier that was released, or was not, and why. Never by a face alone.

    `device` names the door or barrier; `method` is what was shown; `reference` is the plate, or the door
    system's own number of the credential. A ``signal`` came from another system's door controller. Where the
    box released it by a relay of its own, `release_ms` is how long after the reading the relay said so.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.access.v1"
    kind: Literal["access"] = "access"
    device: Identifier
    decision: Literal["granted", "refused"]
    method: AccessMethod
    reference: Annotated[str, Field(max_length=64)] = ""
    observation_id: MessageId | None = None
    captured_at: AwareDatetime
    reason: Annotated[str, Field(max_length=400)]
    release_ms: Annotated[float, Field(ge=0)] | None = None


class MeterObservation(Message):
    """One reading of a household's meter; `value` is what the meter stands at: m3 of water, kWh."""

    TYPE: ClassVar[str] = "gatehouse.observation.meter.v1"
    kind: Literal["meter"] = "meter"
    meter: Annotated[str, Field(min_length=1, max_length=64)]
    unit: Annotated[str, Field(min_length=1, max_length=64)]
    medium: Literal["water", "electricity"]
    value: Annotated[float, Field(ge=0)]
    captured_at: AwareDatetime


class CameraObservation(Message):
    """A camera that went away, came back, or shows something that is no picture of its scene.

    A camera is in one state at a time: ``online`` says that all is well with it again. `captured_at` is
    when the state began.
    """

    TYPE: ClassVar[str] = "gatehouse.observation.camera.v1"
    kind: Literal["camera"] = "camera"
    state: CameraStateName
    captured_at: AwareDatetime
    reason: Annotated[str, Field(max_length=400)]


AnyObservation = (
    FaceObservation
    | PlateObservation
    | ObjectObservation
    | BehaviourObservation
    | PassageObservation
    | AccessObservation
    | MeterObservation
    | CameraObservation
)
"""Every kind of observation that an edge sends on ``observation/<kind>``."""


class PendingBoot(Message):
    """The lowest sequence of one boot that the edge still holds: all below it is done with."""

    boot_id: BootId
    first_sequence: Annotated[int, Field(ge=1)]


class HeldSlice(Message):
    """The slice of the gallery that a box holds; `version` 0 is none."""

    version: Annotated[int, Field(ge=0)]
    templates: Annotated[int, Field(ge=0)] = 0
    expires_at: AwareDatetime | None = None


class EdgeMatching(Message):
    """That a box matches faces itself: what it wants a slice to be sealed to and made with, what it holds.

    `oldest_version` is the least version that it takes: it never goes back to an older slice.
    """

    sealing_key: Base64
    pack: str
    pack_sha256: Sha256
    oldest_version: Annotated[int, Field(ge=1)]
    held: HeldSlice


class HeldAllowList(Message):
    """The list of allowed plates that a box holds; `version` 0 is none."""

    version: Annotated[int, Field(ge=0)]
    plates: Annotated[int, Field(ge=0)] = 0
    expires_at: AwareDatetime | None = None


class EdgeAccess(Message):
    """That a box opens doors or barriers by plate: which, and by which list.

    `oldest_version` is the least version that it takes: it never goes back to an older list.
    """

    devices: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=64)]
    oldest_version: Annotated[int, Field(ge=1)]
    held: HeldAllowList


class EdgeStatus(Message):
    """Birth and last will of an edge box (retained). A will of an older `session_id` is stale.

    `matching` is there where the box has ``face_matching = "edge"``, `access` where it opens by plate.
    """

    TYPE: ClassVar[str] = "gatehouse.edge.status.v1"
    session_id: MessageId
    online: bool
    version: str = ""
    cameras: tuple[Identifier, ...] = ()
    pending: tuple[PendingBoot, ...] = ()
    matching: EdgeMatching | None = None
    access: EdgeAccess | None = None


class HubStatus(Message):
    """Birth and last will of the hub (retained, one per site). A new `session_id` asks for all
    that is not acknowledged."""

    TYPE: ClassVar[str] = "gatehouse.hub.status.v1"
    session_id: MessageId
    online: bool
    version: str = ""


class CommittedUpTo(Message):
    """All sequences of this boot up to and including this one are committed."""

    boot_id: BootId
    sequence: Annotated[int, Field(ge=0)]


class Ack(Message):
    """What the hub has committed of one edge. Cumulative: the edge may forget all it names."""

    TYPE: ClassVar[str] = "gatehouse.hub.ack.v1"
    committed: Annotated[tuple[CommittedUpTo, ...], Field(min_length=1)]


class CameraHealth(Message):
    """How one camera's pipeline does, over the last `window_s` seconds.

    `liveness` is what is done about pictures of faces; ``off`` is no liveness at all.
    """

    TYPE: ClassVar[str] = "gatehouse.edge.health.v1"
    window_s: Annotated[float, Field(gt=0)]
    online: bool
    decoded_frames: Annotated[int, Field(ge=0)]
    analysed_frames: Annotated[int, Field(ge=0)]
    dropped_frames: Annotated[int, Field(ge=0)]
    corrupt_frames: Annotated[int, Field(ge=0)]
    reconnects: Annotated[int, Field(ge=0)]
    lag_ms: Annotated[float, Field(ge=0)]
    outbox_pending: Annotated[int, Field(ge=0)]
    liveness: Literal["off", "observe", "enforce"] | None = None


class EvidenceCommand(Message):
    """The hub asks for pictures of one observation."""

    TYPE: ClassVar[str] = "gatehouse.command.evidence.v1"
    observation_id: MessageId
    names: Annotated[tuple[EvidenceName, ...], Field(min_length=1, max_length=8)]


class EvidenceReply(Message):
    """What becomes of one piece of evidence that was asked for: it follows on its own topic, or it is gone.

    `signature` is the edge's own over the evidence (`wire.evidence`), which stays valid apart from this
    message. `starts_at` and `ends_at` are those of a clip; `reason` says why it is gone.
    """

    TYPE: ClassVar[str] = "gatehouse.reply.evidence.v1"
    observation_id: MessageId
    name: EvidenceName
    state: Literal["sent", "gone"]
    sha256: Sha256 | None = None
    size_bytes: Annotated[int, Field(ge=1)] | None = None
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")] | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=400)] | None = None


class GallerySlice(Message):
    """The templates that one box matches with, one of `parts` messages, sealed to its key.

    A version is in force once all its parts are there, replaces every older one, and is erased at
    `expires_at`. `threshold` and `margin` are what a search must reach. Versions only grow, per box.
    `wire.slices` makes the parts and says what is sealed in them: pseudonymous subject ids and templates.
    """

    TYPE: ClassVar[str] = "gatehouse.command.gallery.v1"
    version: Annotated[int, Field(ge=1)]
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1, le=4096)]
    expires_at: AwareDatetime
    pack: str
    pack_sha256: Sha256
    threshold: Cosine
    margin: Annotated[float, Field(ge=0.0, le=2.0)]
    templates: Annotated[int, Field(ge=0)]
    sealed: Sealed

    @model_validator(mode="after")
    def _is_one_of_its_parts(self) -> Self:
        if self.part > self.parts:
            raise ValueError(f"part {self.part} of {self.parts}")
        return self


class GalleryErase(Message):
    """The box is to erase its slice, and to take none of a version up to this one again."""

    TYPE: ClassVar[str] = "gatehouse.command.gallery-erase.v1"
    up_to_version: Annotated[int, Field(ge=1)]


class GalleryReply(Message):
    """What became of a slice or of the command to erase: in force, erased, or refused with the reason.

    `erased` is also said of itself when a slice expires.
    """

    TYPE: ClassVar[str] = "gatehouse.reply.gallery.v1"
    version: Annotated[int, Field(ge=1)]
    state: Literal["active", "erased", "refused"]
    templates: Annotated[int, Field(ge=0)] = 0
    reason: Annotated[str, Field(max_length=400)] = ""


class AllowedPlate(Message):
    """A plate that opens `devices` (none named: all of the box) from `valid_from` until `valid_until`.

    Where a time is None there is no such limit. Whose it is, the box need not know.
    """

    plate: Annotated[str, Field(min_length=1, max_length=16)]
    devices: Annotated[tuple[Identifier, ...], Field(max_length=64)] = ()
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class AllowList(Message):
    """The plates that may open the doors and barriers of one box, one of `parts` messages.

    A version is in force once all its parts are there, replaces every older one, and is erased at
    `expires_at`. Versions only grow, per box. `plates` is how many entries all parts have together.
    """

    TYPE: ClassVar[str] = "gatehouse.command.allow-list.v1"
    version: Annotated[int, Field(ge=1)]
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1, le=4096)]
    expires_at: AwareDatetime
    plates: Annotated[int, Field(ge=0)]
    entries: Annotated[tuple[AllowedPlate, ...], Field(max_length=2000)] = ()

    @model_validator(mode="after")
    def _is_one_of_its_parts(self) -> Self:
        if self.part > self.parts:
            raise ValueError(f"part {self.part} of {self.parts}")
        return self


class AllowListReply(Message):
    """What became of a list: in force, erased because it expired, or refused with the reason."""

    TYPE: ClassVar[str] = "gatehouse.reply.allow-list.v1"
    version: Annotated[int, Field(ge=1)]
    state: Literal["active", "erased", "refused"]
    plates: Annotated[int, Field(ge=0)] = 0
    reason: Annotated[str, Field(max_length=400)] = ""


LiveFaces = Literal["blurred", "whole"]


class LiveCommand(Message):
    """The hub wants pictures of one camera until `until`, by the hub's clock, at most `rate_hz` a second.

    The same session with a later `until` goes on, with one that is past it ends. A box that hears nothing
    more ends it by itself.
    """

    TYPE: ClassVar[str] = "gatehouse.command.live.v1"
    session_id: MessageId
    camera: Identifier
    until: AwareDatetime
    rate_hz: Annotated[float, Field(ge=0.2, le=10)] = 3.0
    faces: LiveFaces = "blurred"


class LiveReply(Message):
    """Whether a live session is on now, was ended, or is refused, and why."""

    TYPE: ClassVar[str] = "gatehouse.reply.live.v1"
    session_id: MessageId
    camera: Identifier
    state: Literal["on", "off", "refused"]
    reason: Annotated[str, Field(max_length=400)] = ""


class LivePicture(Message):
    """One picture of a live session: a JPEG, sealed to the hub. `number` counts them, from 1, with gaps.

    Faces in it are unrecognisable where `faces` is ``blurred``. Nobody keeps it.
    """

    TYPE: ClassVar[str] = "gatehouse.live.picture.v1"
    session_id: MessageId
    number: Annotated[int, Field(ge=1)]
    captured_at: AwareDatetime
    size_px: SizePx
    faces: LiveFaces
    sealed: Sealed


Severity = Literal["blue", "yellow", "red"]
#: Who has to act: the grid cell's people, the police station, the command centre.
AlertLevel = Literal["grid", "station", "centre"]
#: A person's verdict: it was so; it was somebody or something else; it was so, and harmless.
AlertDisposition = Literal["confirmed", "false_match", "benign"]


_NO_RUNNER_UP: Final = -0.999


class FaceMatch(Message):
    """Why a face matched: `similarity` is a cosine, `margin` its lead over the next subject.

    Where there is no other subject, `margin` is the lead over -1, the least cosine there is.
    """

    kind: Literal["face"] = "face"
    subject_id: str
    label: str
    similarity: float
    threshold: float
    margin: float
    quality: Unit
    pack: str

    @property
    def is_alone(self) -> bool:
        """Whether there was no other subject that the face could have been."""
        return self.similarity - self.margin <= _NO_RUNNER_UP


class PlateMatch(Message):
    """Why a plate matched: exactly, or as 疑似 (suspected) with characters that were uncertain."""

    kind: Literal["plate"] = "plate"
    entry_id: str
    listed: str
    read: str
    how: Literal["exact", "suspected"]
    confidence: Unit
    cost: Annotated[float, Field(ge=0)] = 0.0


class ConditionMatch(Message):
    """Why a rule that asks for no listed person or plate raised: its kind, and the facts it rests on."""

    kind: Literal["condition"] = "condition"
    rule_kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    facts: dict[str, str | int | float | bool | None]
    observations: tuple[MessageId, ...] = ()


class AlertEvidence(Message):
    """A picture behind an alert, and the path of the hub's API that serves it.

    A `pending` picture has been asked for; `gone` was asked for too late.
    """

    name: EvidenceName
    media_type: Literal["image/jpeg", "video/mp4"]
    state: Literal["stored", "pending", "gone"]
    path: str
    sha256: Sha256 | None = None


class AlertEvent(Message):
    """An alert as the command centre gets it. `certainty` stays ``unverified`` until a person says.

    `captured_at` is when the frame was captured that the match rests on, by the hub's clock.
    """

    alert_id: MessageId
    site: Identifier
    gate: str
    camera: Identifier
    rule_id: Identifier
    rule_title: str
    severity: Severity
    state: str
    certainty: Literal["unverified", "confirmed"]
    reason: str
    match: Annotated[FaceMatch | PlateMatch | ConditionMatch, Field(discriminator="kind")]
    category: str = ""
    basis: str = ""
    captured_at: AwareDatetime
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    raised_at: AwareDatetime
    observation_id: MessageId
    observations: Annotated[int, Field(ge=1)]
    evidence: tuple[AlertEvidence, ...] = ()
    crop: InlinePicture | None = None
    level: AlertLevel | None = None
    cell: str | None = None
    assignee: str | None = None
    incident_id: MessageId | None = None


class AlertRaised(AlertEvent):
    """A new alert."""

    TYPE: ClassVar[str] = "gatehouse.alert.raised.v1"


class AlertChanged(AlertEvent):
    """What became of an alert since it was raised; the rest of the message is the alert as it is now.

    `number` counts the changes of one alert from 1, without a gap, in the order in which they are sent.
    `moved`: the lifecycle; `escalated`: to another level; `assigned`: to another person; `noted`: a note or a
    picture was added; `joined`: it belongs to an incident now. `actor` is who did it, ``clock`` for a timer.
    """

    TYPE: ClassVar[str] = "gatehouse.alert.changed.v1"
    change: Literal["moved", "escalated", "assigned", "noted", "joined"]
    number: Annotated[int, Field(ge=1)]
    changed_at: AwareDatetime
    actor: str
    note: str = ""
    previous_state: str
    previous_level: AlertLevel | None = None
    disposition: AlertDisposition | None = None


#: Every message of version 1 by its CloudEvents type.
BY_TYPE: dict[str, type[Message]] = {
    model.TYPE: model
    for model in (
        FaceObservation,
        PlateObservation,
        ObjectObservation,
        BehaviourObservation,
        PassageObservation,
        AccessObservation,
        MeterObservation,
        CameraObservation,
        EdgeStatus,
        HubStatus,
        Ack,
        CameraHealth,
        EvidenceCommand,
        EvidenceReply,
        LiveCommand,
        LiveReply,
        LivePicture,
        GallerySlice,
        GalleryErase,
        GalleryReply,
        AllowList,
        AllowListReply,
        AlertRaised,
        AlertChanged,
    )
}


class Event(BaseModel):
    """One message with its CloudEvents 1.0 envelope.

    `id` is the same whenever the message is sent again. `boot_id` and `sequence` are set on what an
    edge keeps in its outbox; `clock_offset_ms` is hub clock minus edge clock as the edge last measured
    it, None before it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: MessageId
    site: Identifier
    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    camera: Identifier | None = None
    time: AwareDatetime
    boot_id: BootId | None = None
    sequence: Annotated[int, Field(ge=1)] | None = None
    clock_offset_ms: int | None = None
    data: Message

    @property
    def source(self) -> str:
        """CloudEvents source: ``/site/origin`` or ``/site/origin/camera``."""
        return "/".join(("", self.site, self.origin, *((self.camera,) if self.camera else ())))


def happened_at(data: Message) -> datetime | None:
    """When what an observation tells of happened, by the edge's clock; None for other messages."""
    return data.captured_at if isinstance(data, AnyObservation) else None
