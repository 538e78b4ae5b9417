"""What a pipeline tells of one track: a face, a plate, an object; with the frame that shows it. Values.

All but `FaceStay`, which says again what was told of a face and has no picture.
"""

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

    @property
    def camera(self) -> str:
        """The id of the camera."""
        return self.frame.camera

    @property
    def captured_at(self) -> datetime:
        """When the frame was captured."""
        return self.frame.captured_at

    @property
    def frame_size_px(self) -> tuple[int, int]:
        """Width and height of the frame."""
        return self.frame.size_px


@dataclass(frozen=True, slots=True, eq=False)
class FaceFinding(Finding):
    """A face, with the embedding fused of `crops` and the networks that made it.

    `resumes` is an earlier track of this camera that is of the same person, whose crops are among them;
    `seen` is then what this track's own crops say by themselves.
    """

    embedding: Embedding
    seen: Embedding | None
    crops: int
    pack: str
    pack_sha256: str
    liveness: Liveness | None = None
    resumes: str | None = None

    def without_picture(self) -> "FaceStay":
        """What may be said again of this face once its frame is let go."""
        return FaceStay(
            **{
                name: getattr(self, name)
                for name in FaceStay.__dataclass_fields__  # the two have these in common
            }
        )


@dataclass(frozen=True, slots=True, eq=False)
class FaceStay:
    """That a face was seen for longer than was told: what was told last, `captured_at` included, with another
    `last_seen_at`, and more `frames`. It has the embedding that was told, so that whoever was found for it is
    found again, and nobody else; it has no picture, for none was kept."""

    track_id: str
    revision: int
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime
    frames: int
    camera: str
    captured_at: datetime
    frame_size_px: tuple[int, int]
    box: Box
    quality: float
    detector_score: float
    embedding: Embedding
    seen: Embedding | None
    crops: int
    pack: str
    pack_sha256: str
    liveness: Liveness | None
    resumes: str | None


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
