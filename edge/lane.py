"""Follow, choose, recognise, fuse, tell: what happens to the detections of one class in one camera.

In: the detections of successive frames. Out: findings. The steps are functions of their own (`edge.track`,
`edge.quality`, `edge.recognise`, the fusions, `edge.observe`); a lane holds the tracks and passes them
from one to the next. `edge.face_lane` and `edge.plate_lane` fill in what differs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.evidence import Box
from edge.findings import FaceFinding, FaceStay, PlateFinding
from edge.frame import Frame
from edge.observe import (
    Known,
    Policy,
    Reason,
    Told,
    reason_at_end,
    reason_to_tell,
    worth_keeping,
)
from edge.quality import BestCrops
from edge.track import ObjectTracker

F = TypeVar("F")
"""What fuses the crops of one track."""

TrackFinding = FaceFinding | PlateFinding | FaceStay
"""What is told of a face or a plate."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frame to cut crops from, with the boxes ``(N, 4)`` of all faces in it.

    `faces` is None where nobody has looked for faces. `closer` says that detection ran on another,
    smaller frame, so that a detection must be found again here before it is cut.
    """

    frame: Frame
    faces: NDArray[np.float32] | None
    closer: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The best crop of a track since it was last told of, and the frame it is in."""

    view: View
    box: Box
    quality: float
    score: float


@dataclass(slots=True, eq=False)
class Track(Generic[F]):
    """One object followed in one camera, and what is known of it so far.

    `stay` is what was told of it last, to be said again should it stay; `doubted_at` when a crop first looked
    like somebody else's, `sure_at` when the last one before that did not.
    """

    id: str
    first_seen_at: datetime
    last_seen_at: datetime
    crops: BestCrops
    fusion: F
    frames: int = 0
    first_crop_at: datetime | None = None
    shot: Shot | None = None
    told: Told | None = None
    stay: FaceStay | None = None
    sure_at: datetime | None = None
    doubted_at: datetime | None = None
    resumes: str | None = None

    @property
    def seen_until(self) -> datetime:
        """Until when it was surely this object that was seen."""
        return self.sure_at if self.doubted_at and self.sure_at else self.last_seen_at


class Lane(ABC, Generic[F]):
    """One class of objects in one camera. Not for use by two threads at once."""

    def __init__(
        self, tracker: ObjectTracker, policy: Policy, new_crops: Callable[[], BestCrops]
    ) -> None:
        self._tracker, self._policy, self._new_crops = tracker, policy, new_crops
        self._tracks: dict[str, Track[F]] = {}
        self._handed_over: list[str] = []
        self.recognised = 0

    @property
    def alive(self) -> bool:
        """Whether any track may still go on."""
        return self._tracker.alive

    def process(
        self, boxes: NDArray[np.float32], detections: Any, at: datetime, view: View
    ) -> list[TrackFinding]:
        """Take one frame's detections through all steps.

        Args:
            boxes: ``(N, 4)`` float32 px, what is associated; N may be 0.
            detections: N detections of this lane's class, in pixels of `view`.
            at: when the frame that was looked at was captured.
            view: where crops are cut.
        """
        update = self._tracker.update(boxes, at.timestamp())
        tracks = [self._seen(track_id, at) for track_id in update.ids]
        findings = self._end(update.ended)
        wanted = self._choose(tracks, detections, at, view)
        if wanted:
            chosen = [index for index, _ in wanted]
            self._recognise([tracks[i] for i in chosen], detections, wanted, view)
            self.recognised += len(chosen)
            findings += self._end(self._handed_over)
            self._handed_over.clear()
        for track_id in update.ids:
            if track := self._tracks.get(track_id):
                findings += self._tell(track, at, ended=False)
        return findings

    def end_all(self) -> list[TrackFinding]:
        """Another scene begins: end every track."""
        return self._end(self._tracker.end_all())

    def _seen(self, track_id: str, at: datetime) -> Track[F]:
        track = self._tracks.get(track_id)
        if track is None:
            track = Track(track_id, at, at, self._new_crops(), self._new_fusion())
            self._tracks[track_id] = track
        track.last_seen_at = at
        track.frames += 1
        return track

    def _choose(
        self, tracks: Sequence[Track[F]], detections: Any, at: datetime, view: View
    ) -> list[tuple[int, float]]:
        """Index and quality of each detection that is worth recognising."""
        wanted = []
        for index, track in enumerate(tracks):
            quality = self._quality(detections, index, view)
            if track.crops.wants(quality, at.timestamp()):
                wanted.append((index, quality))
        return wanted

    def _took(self, track: Track[F], quality: float) -> None:
        """One crop of this track was recognised and fused."""
        track.crops.took(quality, track.last_seen_at.timestamp())
        track.first_crop_at = track.first_crop_at or track.last_seen_at
        track.sure_at, track.doubted_at = track.last_seen_at, None

    def _split(self, track: Track[F]) -> Track[F]:
        """Another object has taken the track over: what follows is a track of its own."""
        self._handed_over.append(track.id)
        other = self._seen(self._tracker.split(track.id), track.last_seen_at)
        other.first_seen_at = track.doubted_at or track.last_seen_at
        return other

    def _drop_shot(self, track: Track[F]) -> None:
        """Let the track's best crop and its frame go."""
        track.shot = None

    def _tell(self, track: Track[F], now: datetime, *, ended: bool) -> list[TrackFinding]:
        known = self._known(track)
        if known is None or track.shot is None:
            return []
        reason = reason_to_tell(known, track.told, self._policy, now, ended=ended)
        if reason is None:
            if not worth_keeping(known, track.told, self._policy):
                self._drop_shot(track)
            return []
        revision = 0 if track.told is None else track.told.revision + 1
        finding = self._finding(track, track.shot, revision, reason)
        track.told = Told(revision, known, now)
        if isinstance(finding, FaceFinding):
            track.stay = finding.without_picture()
        self._drop_shot(track)
        return [finding]

    def _end(self, track_ids: Sequence[str]) -> list[TrackFinding]:
        findings: list[TrackFinding] = []
        for track_id in track_ids:
            if track := self._tracks.pop(track_id, None):
                track.last_seen_at = track.seen_until
                told = self._tell(track, track.last_seen_at, ended=True)
                findings += told or self._tell_stay(track)
                self._lost(track)
        return findings

    def _lost(self, track: Track[F]) -> None:
        """The track ended. A lane that remembers nobody does nothing."""

    def _tell_stay(self, track: Track[F]) -> list[TrackFinding]:
        """A track ended with nothing new to show: until when it was seen may be news all the same."""
        reason = reason_at_end(track.told, track.last_seen_at, self._policy)
        if reason is None or track.stay is None:
            return []
        stay = replace(
            track.stay,
            revision=track.stay.revision + 1,
            reason=reason,
            last_seen_at=track.last_seen_at,
            frames=track.frames,
        )
        return [stay]

    @abstractmethod
    def _new_fusion(self) -> F:
        """What fuses the crops of a new track."""

    @abstractmethod
    def _quality(self, detections: Any, index: int, view: View) -> float:
        """Fitness of one detection for recognition, 0 to 1."""

    @abstractmethod
    def _recognise(
        self,
        tracks: Sequence[Track[F]],
        detections: Any,
        wanted: Sequence[tuple[int, float]],
        view: View,
    ) -> None:
        """Recognise the wanted detections, `tracks` in their order, and fuse them."""

    @abstractmethod
    def _known(self, track: Track[F]) -> Known | None:
        """What is known of the track; None before anything is."""

    @abstractmethod
    def _finding(
        self, track: Track[F], shot: Shot, revision: int, reason: Reason
    ) -> FaceFinding | PlateFinding:
        """What is told of the track."""


def box_within(box: NDArray[np.float32], frame: Frame) -> Box:
    """The part of `box` that is inside the frame, at least a pixel wide and high."""
    width, height = frame.size_px
    x1, y1 = min(max(float(box[0]), 0.0), width - 1.0), min(max(float(box[1]), 0.0), height - 1.0)
    x2, y2 = min(float(box[2]), float(width)), min(float(box[3]), float(height))
    return round(x1, 1), round(y1, 1), round(max(x2, x1 + 1.0), 1), round(max(y2, y1 + 1.0), 1)


def common(track: Track[Any], shot: Shot, revision: int, reason: Reason) -> dict[str, Any]:
    """The fields that every finding has."""
    captured_at = shot.view.frame.captured_at
    return {
        "track_id": track.id,
        "revision": revision,
        "reason": reason,
        "first_seen_at": min(track.first_seen_at, captured_at),
        "last_seen_at": max(track.last_seen_at, captured_at),
        "frames": track.frames,
        "frame": shot.view.frame,
        "box": shot.box,
        "quality": shot.quality,
        "detector_score": min(1.0, max(0.0, shot.score)),
        "faces": shot.view.faces,
    }
