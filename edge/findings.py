"""What a pipeline tells of one track: a face, a plate, an object; with the frame that shows it. Values."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from edge.behaviours import BehaviourEvent
from edge.evidence import Box
from edge.face_fusion import Embedding
from edge.frame import Frame
from edge.observe import PlateState
from edge.passages import Passage
from edge.zones import PlaceEvent
from wire.messages import Liveness, PassageMember, PlateText


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What a pipeline tells of one track.

    `reason` says to a person why it is told now. `faces` are the boxes ``(N, 4)`` of all faces in `frame`,
    None where nobody has looked for them.
    """

    track_id: str
    revision: int
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime
    frames: int
    frame: Frame
    box: Box
    quality: float
    detector_score: float
    faces: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class FaceFinding(Finding):
    """A face, with the embedding fused of `crops` and the networks that made it."""

    embedding: Embedding
    crops: int
    pack: str
    pack_sha256: str
    liveness: Liveness | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlateFinding(Finding):
    """A plate, with its fused reading over `reads` crops."""

    plate: PlateText
    state: PlateState
    reads: int


@dataclass(frozen=True, slots=True, eq=False)
class ObjectFinding(Finding):
    """A person or vehicle that did something at a zone or a line."""

    event: PlaceEvent


@dataclass(frozen=True, slots=True, eq=False)
class BehaviourFinding(Finding):
    """What one object, or several together, did over a while."""

    event: BehaviourEvent


@dataclass(frozen=True, slots=True, eq=False)
class PassageFinding(Finding):
    """Those who came through one gate together, with what was told of their faces and plates."""

    passage: Passage
    members: tuple[PassageMember, ...]
