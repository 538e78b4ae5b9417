"""What the API takes and gives, as JSON."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.alerts import Disposition, Level, State
from hub.consent import ReasonKind
from hub.passes import PassKind, PassState
from hub.viid.dispositions import DispositionState
from hub.watchlist import Category, EntryState, ListKind
from wire.messages import AlertEvidence, ConditionMatch, FaceMatch, PlateMatch, Severity

T = TypeVar("T")
Text = Annotated[str, Field(min_length=1, max_length=400)]
Label = Annotated[str, Field(min_length=1, max_length=120)]


class Request(BaseModel):
    """Base of all that is sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PageOf(BaseModel, Generic[T]):
    """A page, newest first. Ask again with `cursor` = `next_cursor` for the next one; null on the last."""

    items: list[T]
    next_cursor: str | None


class ChangeOut(BaseModel):
    """What was done to an alert; `moved` ones are its way. `actor` is ``clock`` for a timer."""

    number: int
    kind: Literal["moved", "escalated", "assigned", "noted", "joined"]
    from_state: State
    to_state: State
    level: Level
    actor: str
    at: AwareDatetime
    note: str


class ResponseTimes(BaseModel):
    """How long the steps of an alert took, in seconds; null for what is still to come."""

    seen_to_raised_s: float | None
    raised_to_told_s: float | None
    raised_to_acknowledged_s: float | None
    acknowledged_to_on_scene_s: float | None
    raised_to_on_scene_s: float | None
    raised_to_closed_s: float | None


class SpreadOut(BaseModel):
    """One response time over many alerts, in seconds; null when none of them has it yet."""

    model_config = ConfigDict(from_attributes=True)

    count: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None


class ResponseTimesOut(BaseModel):
    """The response times of the alerts of one group, by the names of `ResponseTimes`."""

    group: str
    alerts: int
    times: dict[str, SpreadOut]


class AlertOut(BaseModel):
    """An alert. `certainty` is ``unverified`` until a person has verified it.

    `cell` and `assignee` are of the register, "" for nobody's. `level_due_at` is when it goes to the next
    level unless somebody does something. Of one that is muted nobody is told until a person takes it up.
    """

    id: str
    site: str
    gate: str
    camera: str
    rule_id: str
    rule_title: str
    severity: Severity
    state: State
    certainty: Literal["unverified", "confirmed"]
    disposition: Disposition | None
    level: Level
    level_due_at: AwareDatetime | None
    cell: str
    assignee: str
    incident_id: str | None
    muted_by: str | None
    muted_why: Literal["", "silence", "inhibition"]
    reason: str
    match: Annotated[FaceMatch | PlateMatch | ConditionMatch, Field(discriminator="kind")]
    category: str
    basis: str
    captured_at: AwareDatetime
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    raised_at: AwareDatetime
    told_at: AwareDatetime | None
    acknowledged_at: AwareDatetime | None
    dispatched_at: AwareDatetime | None
    on_scene_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    observation_id: str
    observations: int
    evidence: list[AlertEvidence]


class AlertDetail(AlertOut):
    """An alert with what was done to it, and the first hundred observations behind it."""

    changes: list[ChangeOut]
    response_times: ResponseTimes
    observation_ids: list[str]


class Note(Request):
    """What a person has to say about a step."""

    note: Annotated[str, Field(max_length=2000)] = ""


class Transition(Note):
    """A step on an alert's way; the lifecycle says which are possible.

    A verdict comes with `verified`, `false_alarm` or `closed`; without one, `verified` means ``confirmed``
    and `false_alarm` means ``false_match``.
    """

    to: State
    disposition: Disposition | None = None


class NoteText(Request):
    """What a person adds to an alert."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class Assignment(Note):
    """To whom an alert is given: the id of one of the register's people."""

    person: Annotated[str, Field(min_length=1, max_length=63)]


class SilenceRequest(Request):
    """What to mute, until when, and why. What is left out is any; something must be named."""

    site: Annotated[str, Field(max_length=63)] = ""
    gate: Annotated[str, Field(max_length=63)] = ""
    camera: Annotated[str, Field(max_length=63)] = ""
    rule_id: Annotated[str, Field(max_length=63)] = ""
    reason: Annotated[str, Field(min_length=3, max_length=400)]
    ends_at: AwareDatetime


class SilenceOut(BaseModel):
    """A silence; "" is any."""

    id: str
    site: str
    gate: str
    camera: str
    rule_id: str
    author: str
    reason: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class IncidentOut(BaseModel):
    """Alerts that are handled together."""

    id: str
    site: str
    opened_at: AwareDatetime


class IncidentDetail(IncidentOut):
    """An incident with its first hundred alerts, in the order in which they were raised."""

    alerts: list[AlertOut]


class ObservationOut(BaseModel):
    """What one track showed. `data` is the message without what only the hub could open, and without
    pictures; `sha256` and `signature` are the edge's, over the whole message."""

    id: str
    edge: str
    site: str
    gate: str
    camera: str
    kind: str
    captured_at: AwareDatetime
    received_at: AwareDatetime
    plate: str | None
    matched: bool
    data: dict[str, Any]
    evidence: list[AlertEvidence] = []
    boot_id: str
    sequence: int
    time: AwareDatetime
    clock_offset_ms: int | None
    sha256: str
    signature: str


class EntryRequest(Request):
    """A request to watch for something: why, by which right, on whose word, until when."""

    label: Label
    category: Category
    basis: Text
    reference: Text
    expires_at: AwareDatetime


class PlateEntryRequest(EntryRequest):
    """A request to watch for a plate."""

    plate: Annotated[str, Field(min_length=1, max_length=32)]


class FaceEntryRequest(EntryRequest):
    """A request to watch for an enrolled subject."""

    subject_id: str


class EntryOut(BaseModel):
    """An entry. `target` is the plate, or the id of the subject."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: ListKind
    target: str
    label: str
    category: Category
    basis: str
    reference: str
    state: EntryState
    requester: str
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    approver: str | None
    approved_at: AwareDatetime | None


class DispositionOut(BaseModel):
    """A command centre's disposition. `target` is the plate, "" for a person; `entries` are the ids of the
    watchlist entries that were requested for it. One that was withdrawn keeps its id alone."""

    id: str
    peer: str
    kind: ListKind
    target: str
    title: str
    priority: str
    organisation: str
    reason: str
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    state: DispositionState
    received_at: AwareDatetime
    entries: list[str]


class DispositionSubject(Request):
    """The subject who was enrolled for a disposition."""

    subject_id: Annotated[str, Field(min_length=1, max_length=36)]


class TemplateOut(BaseModel):
    """What there is to say of a template. `advice` is what would make a better photo."""

    id: str
    pack: str
    quality: float
    advice: list[str] = []


class SubjectOut(BaseModel):
    """An enrolled subject. `external_id` is the site's own number of the person."""

    id: str
    external_id: str | None = None
    label: str
    purpose: str
    basis: str
    reference: str
    enrolled_by: str
    enrolled_at: AwareDatetime
    expires_at: AwareDatetime


class SubjectDetail(SubjectOut):
    """A subject with what there is of its templates."""

    templates: list[TemplateOut]


class PackOut(BaseModel):
    """What there is of one face pack: how many subjects have templates of it, and how many templates."""

    model_config = ConfigDict(from_attributes=True)

    pack: str
    pack_sha256: str
    subjects: int
    templates: int


class EnrolmentStatus(BaseModel):
    """Who is enrolled, with which packs. `outdated` have templates of other packs than the hub's alone: they
    are found by nobody until they are enrolled anew. `pack` is "" on a hub without faces."""

    pack: str
    pack_sha256: str
    subjects: int
    outdated: int
    packs: list[PackOut]


class ConsentOut(BaseModel):
    """Why a subject was enrolled: consent to a version of a text, or a basis in law."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: ReasonKind
    purpose: str
    basis: str
    reference: str
    text_version: str
    given_at: AwareDatetime
    guardian: str
    recorded_by: str
    recorded_at: AwareDatetime
    withdrawn_at: AwareDatetime | None
    withdrawn_by: str | None
    erased_at: AwareDatetime | None


class Erased(BaseModel):
    """What was erased."""

    id: str
    templates: int


class DeadMessage(BaseModel):
    """A message that can never be processed. `payload` is what may be kept of it: no picture, no face."""

    id: int
    topic: str
    edge: str | None
    reason: str
    detail: str
    size_bytes: int
    payload: Any
    count: int
    first_at: AwareDatetime
    last_at: AwareDatetime


class DeadDelivery(BaseModel):
    """A delivery that was given up."""

    sink: str
    position: int
    event_id: str
    type: str
    alert_id: str
    attempts: int
    last_error: str
    since: AwareDatetime


class Replay(Request):
    """Which dead delivery to try anew; without `position`, all of the sink."""

    position: Annotated[int, Field(ge=1, lt=1 << 62)] | None = None


class Replayed(BaseModel):
    """How many deliveries will be tried anew."""

    count: int


class RowProblem(BaseModel):
    """What is wrong with one row of a file; `row` is its line, `column` "" for the row as a whole."""

    row: int
    column: str
    message: str


class Imported(BaseModel):
    """What became of a file: how many rows were stored (or, in a dry run, could be), and the others."""

    kind: str
    stored: int
    problems: list[RowProblem]


class Removed(BaseModel):
    """What was erased from the register."""

    kind: str
    key: str


class UnitCodeOut(BaseModel):
    """Where the QR code of a unit leads. Whoever has it can ask for a pass for the unit, and no more."""

    site: str
    unit: str
    url: str


class PassRequest(Request):
    """A visit, or a tenant's car, for a while. `consent` names the text that the visitor agreed to."""

    site: Annotated[str, Field(min_length=1, max_length=63)]
    unit: Annotated[str, Field(min_length=1, max_length=63)]
    kind: PassKind
    name: Label
    plate: Annotated[str, Field(max_length=32)] | None = None
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    consent: Annotated[str, Field(min_length=1, max_length=16)]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9 -]{3,20}$")] | None = None


class PassOut(BaseModel):
    """A pass. It counts while it is ``approved`` and in its time, and is erased some days after its end."""

    id: str
    site: str
    unit: str
    kind: PassKind
    state: PassState
    name: str
    plate: str | None
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    requested_at: AwareDatetime
    consent: str
    phone: str | None
    decided_by: str
    decided_at: AwareDatetime | None


class AuditOut(BaseModel):
    """One record of the audit log."""

    position: int
    at: AwareDatetime
    actor: str
    action: str
    target: str
    purpose: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


class ChainOut(BaseModel):
    """Whether the audit log is whole: `first_break` is the first record that does not fit, or null."""

    records: int
    first_break: int | None


class AllowListHealth(BaseModel):
    """The list of allowed plates of a box: what it was given, what became of it, what the box holds.

    `held_version` 0 is no list: then the box opens for nobody.
    """

    version: int
    state: Literal["none", "sent", "active", "refused"]
    reason: str
    plates: int
    sent_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    held_version: int
    held_plates: int
    held_expires_at: AwareDatetime | None


class SliceHealth(BaseModel):
    """The slice of the gallery of a box: what it was given, what became of it, what the box holds.

    `held_version` 0 is no slice: then the box names nobody. `age_s` is how long ago the slice that it holds
    was made; None for one that is not the last. `pack` is the box's own.
    """

    pack: str
    version: int
    state: Literal["none", "sent", "active", "refused"]
    reason: str
    people: int
    templates: int
    sent_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    held_version: int
    held_templates: int
    held_expires_at: AwareDatetime | None
    age_s: float | None


class EdgeHealth(BaseModel):
    """One edge box. `allow_list` is there where it opens doors or barriers by plate, `gallery_slice` where it
    matches faces itself."""

    edge: str
    site: str
    online: bool
    version: str
    last_seen_at: AwareDatetime | None
    allow_list: AllowListHealth | None = None
    gallery_slice: SliceHealth | None = None


class CameraOut(BaseModel):
    """One camera, as its edge last reported it."""

    edge: str
    camera: str
    gate: str
    state: str
    reason: str
    health: dict[str, Any] | None
    last_seen_at: AwareDatetime


class SinkHealth(BaseModel):
    """One sink: how many deliveries wait and since when, how many were given up, when it last took one (since
    the hub was started), and what is wrong with it ("" when nothing is known)."""

    sink: str
    kind: str
    waiting: int
    dead: int
    oldest_waiting_at: AwareDatetime | None
    last_delivered_at: AwareDatetime | None
    problem: str


class BrokerHealth(BaseModel):
    """The connection to the broker, by site."""

    connected: bool
    sites: dict[str, bool]
    problem: str


class IngestHealth(BaseModel):
    """The ingest worker since the start: what waits, and what became of what came.

    `reasons` counts what identification said, such as ``face.below_threshold`` or ``face.other_pack``.
    """

    waiting: int
    dropped: int
    committed: int
    repeated: int
    rejected: int
    alerts_raised: int
    alerts_joined: int
    reasons: dict[str, int]


class FacesHealth(BaseModel):
    """Face matching: which pack, how many templates of how many people are searched.

    `calibrated_for` is the largest gallery that the threshold was measured for, None for a fixed one;
    `notes` are worth knowing of the pack, and no fault.
    """

    pack: str
    templates: int
    people: int
    calibrated_for: int | None
    notes: list[str]


class Health(BaseModel):
    """How the hub is. `problems` says in words why it is degraded."""

    status: Literal["ok", "degraded"]
    problems: list[str]
    version: str
    broker: BrokerHealth
    ingest: IngestHealth
    faces: FacesHealth | None
    edges: list[EdgeHealth]
    cameras: list[CameraOut]
    sinks: list[SinkHealth]
    dead_letters: dict[str, int]
    broken_rules: list[str]
