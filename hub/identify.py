"""Third step: what an observation showed -> who or what of the watchlists that may be.

In: a verified observation, the opened probe of a face, the gallery, the listed plates. Out: `Sighting`,
which is what rules look at. Pure: probes are opened by the caller, and are in no value that leaves here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.gallery import FaceFinding, FaceReason, Gallery
from hub.places import Spot
from hub.plate_match import PlateIndex
from hub.plate_match import PlateMatch as ListedPlate
from hub.watchlist import Entry
from models.faces.decision import Evidence, wanted_similarity
from wire.messages import (
    AccessObservation,
    BehaviourObservation,
    CameraObservation,
    FaceCandidates,
    MeterObservation,
    ObjectObservation,
    PassageObservation,
    PlateText,
)
from wire.sealing import Embedding, FaceProbe


@dataclass(frozen=True, slots=True)
class FaceSighting:
    """A face, and the watched subject that it is, if any. `entries` are that subject's active ones."""

    finding: FaceFinding
    entries: tuple[Entry, ...]
    pack: str
    threshold: float


@dataclass(frozen=True, slots=True)
class PlateSighting:
    """A plate reading, and the listed plates that it may be, likeliest first, with their entries.

    `reads` is how many crops were read and fused.
    """

    reading: PlateText
    candidates: tuple[tuple[ListedPlate, tuple[Entry, ...]], ...]
    reads: int = 1


Shown = (
    FaceSighting
    | PlateSighting
    | ObjectObservation
    | BehaviourObservation
    | PassageObservation
    | AccessObservation
    | MeterObservation
    | CameraObservation
)
"""What an observation can show. A face and a plate have been looked for; all else is as its edge says."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One observation as rules see it. Times are by the hub's clock.

    `quality` is 1 for what is no picture. `what` is None for what only a timer has noticed. `spot` is
    where it was seen.
    """

    observation_id: str
    site: str
    gate: str
    edge: str
    camera: str
    first_seen_at: datetime
    captured_at: datetime
    last_seen_at: datetime
    quality: float
    what: Shown | None
    clock_offset_ms: int | None = None
    spot: Spot = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every rule asks for it, most of them more than once.
        spot = Spot(self.site, self.gate, self.camera, zone_of(self.what))
        object.__setattr__(self, "spot", spot)


def zone_of(what: Shown | None) -> str:
    """The zone or line of its camera that this was seen at, "" where none is told."""
    match what:
        case ObjectObservation() | BehaviourObservation():
            return what.zone or what.line or ""
        case PassageObservation():
            return what.line
    return ""


@dataclass(frozen=True, slots=True)
class Watched:
    """All that is watched for at one moment.

    `entries` are the active ones by target: a normalised plate, or the id of a subject. `residents` are the
    subjects who are enrolled as residents; they are on no list, but the register's rules know them.
    """

    gallery: Gallery | None
    plates: PlateIndex
    entries: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    residents: frozenset[str] = frozenset()

    def active(self, target: str, now: datetime) -> tuple[Entry, ...]:
        """The entries of `target` that may match at `now`."""
        return tuple(entry for entry in self.entries.get(target, ()) if entry.is_active(now))


def identify_face(
    probe: FaceProbe, evidence: Evidence, watched: Watched, now: datetime
) -> FaceSighting:
    """Look for the face in the gallery. What rests on weak evidence must be more alike than its threshold.

    Where the camera has taken up somebody whom it saw before, what it sees now counts first. What it saw
    before gives a name only to whom the face is most like now.
    """
    gallery = watched.gallery
    if gallery is None:
        return FaceSighting(FaceFinding(FaceReason.EMPTY_GALLERY), (), probe.pack, 0.0)
    wanted = wanted_similarity(gallery.acceptance, gallery.people - 1, evidence)
    finding = _found(gallery, probe.embedding, probe.pack_sha256, wanted)
    if probe.seen is not None:
        seen = _found(gallery, probe.seen, probe.pack_sha256, wanted)
        before = finding.subject_id if seen.subject_id is None else None
        nearest = None if before is None else gallery.rank(probe.seen)
        if nearest is None or nearest.subject_id != before:
            finding = seen
    entries = watched.active(finding.subject_id, now) if finding.subject_id else ()
    return FaceSighting(finding, entries, gallery.pack, wanted)


def _found(gallery: Gallery, embedding: Embedding, pack_sha256: str, wanted: float) -> FaceFinding:
    finding = gallery.search(embedding, pack_sha256)
    if finding.reason is FaceReason.MATCH and finding.similarity < wanted:
        return replace(finding, reason=FaceReason.WEAK_EVIDENCE, subject_id=None)
    return finding


def face_of_box(
    found: FaceCandidates,
    subject_of: Callable[[str], str | None],
    watched: Watched,
    now: datetime,
) -> FaceSighting:
    """Take over what a box found that matches faces itself, if the subject is still watched for.

    `subject_of` turns the box's pseudonym of a subject back; None for one that it was never given.
    """
    reason, threshold = FaceReason(found.reason), found.threshold or 0.0
    if not found.candidates:
        return FaceSighting(FaceFinding(reason), (), found.pack, threshold)
    best = found.candidates[0]
    subject = subject_of(best.subject_id)
    if subject is None:
        return FaceSighting(FaceFinding(FaceReason.UNKNOWN_SUBJECT), (), found.pack, threshold)
    finding = FaceFinding(reason, subject, best.similarity, found.margin or 0.0)
    return FaceSighting(finding, watched.active(subject, now), found.pack, threshold)


def identify_plate(
    reading: PlateText, watched: Watched, now: datetime, reads: int = 1
) -> PlateSighting:
    """Look for the reading among the listed plates."""
    matches = watched.plates.match(reading.text, reading.char_confidences)
    candidates = ((match, watched.active(match.plate, now)) for match in matches)
    return PlateSighting(
        reading, tuple((match, entries) for match, entries in candidates if entries), reads
    )
