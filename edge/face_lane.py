"""The lane of faces: aligned, embedded, fused by quality, told as face findings.

A face that this camera lost seconds ago is taken up where it was left: crops that agree with one another
and surely with it go on with what was known, though they show less, as the side of a face does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.closer import face_again
from edge.detect import select_faces
from edge.face_fusion import FaceFusion
from edge.findings import FaceFinding
from edge.frame import Image
from edge.lane import Lane, Shot, Track, TrackFinding, View, box_within, common
from edge.liveness import LivenessMode
from edge.observe import Known, Policy, Reason
from edge.quality import BestCrops
from edge.recent_faces import LostFace, RecentFaces
from edge.recognise import embed_faces
from edge.track import FACE_SCALE, ObjectTracker
from models.faces.liveness_types import LivenessJudge
from models.faces.types import FaceDetections, FacePack
from wire.messages import Liveness

KEEP: Final = 5
AGREEING: Final = 3
FLOOR: Final = 0.25
POLICY: Final = Policy(sure_quality=0.7, wait_s=1.5, better_by=0.15, still_s=60.0, stayed_s=3.0)

FaceQuality = Callable[[Image, FaceDetections, int], float]
"""Fitness of one of the detections in ``(H, W, 3)`` BGR for recognition, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Liveliness:
    """What judges whether faces are living ones, and whether a spoof may be named all the same."""

    judge: LivenessJudge
    mode: LivenessMode


class FaceLane(Lane[FaceFusion]):
    """Faces of one camera."""

    def __init__(
        self,
        pack: FacePack,
        quality: FaceQuality,
        *,
        new_id: Callable[[], str],
        rate_hz: float,
        lost_after_s: float,
        policy: Policy = POLICY,
        liveness: Liveliness | None = None,
        memory_s: float = 30.0,
    ) -> None:
        """`liveness` judges whether faces are living ones, where the camera wants it. Who was lost at most
        `memory_s` ago is taken up again; 0: nobody is remembered."""
        tracker = ObjectTracker(
            new_id, scale=FACE_SCALE, rate_hz=rate_hz, lost_after_s=lost_after_s
        )
        super().__init__(tracker, policy, lambda: BestCrops(keep=KEEP, floor=FLOOR))
        self._pack, self._score, self._liveness = pack, quality, liveness
        self._recent = RecentFaces(
            least=pack.threshold + pack.margin, lead=pack.margin, keep_s=memory_s
        )
        self._taken_up: dict[str, LostFace] = {}

    def process(
        self, boxes: NDArray[np.float32], detections: FaceDetections, at: datetime, view: View
    ) -> list[TrackFinding]:
        """Take one frame's faces through all steps, and forget who was lost too long before it."""
        self._recent.forget(at)
        return super().process(boxes, detections, at, view)

    def forget(self) -> None:
        """Another scene begins: remember nobody of the last one."""
        self._recent.clear()

    def _new_fusion(self) -> FaceFusion:
        return FaceFusion(same=self._pack.threshold, keep=KEEP)

    def _quality(self, detections: FaceDetections, index: int, view: View) -> float:
        return self._score(view.frame.image, detections, index)

    def _recognise(
        self,
        tracks: Sequence[Track[FaceFusion]],
        detections: FaceDetections,
        wanted: Sequence[tuple[int, float]],
        view: View,
    ) -> None:
        faces = select_faces(detections, [index for index, _ in wanted])
        if view.closer:
            faces = face_again(self._pack.detector, view.frame.image, faces)
        embeddings = embed_faces(self._pack.embedder, view.frame.image, faces)
        lively = self._judge(faces, view)
        rows = zip(tracks, wanted, embeddings, strict=True)
        for row, (track, (_, quality), embedding) in enumerate(rows):
            verdict = track.fusion.add(embedding, quality)
            if verdict == "another_person":
                track = self._split(track)
                track.fusion.add(embedding, quality)
            if verdict == "doubtful":
                track.doubted_at = track.doubted_at or track.last_seen_at
            else:
                if lively is not None:
                    track.fusion.liveness.add(float(lively[row]), quality)
                box = box_within(faces.boxes[row], view.frame)
                self._took(track, quality)
                self._resume(track)
                if track.shot is None or quality > track.shot.quality:
                    track.shot = Shot(view, box, quality, float(faces.score[row]))

    def _resume(self, track: Track[FaceFusion]) -> None:
        """Go on with the face that was lost a moment ago, if this one is surely it."""
        if track.resumes is not None or not track.fusion.agrees(AGREEING):
            return
        lost = self._recent.take(track.fusion.best())
        if lost is not None:
            track.resumes = lost.track_id
            self._taken_up[track.id] = lost
            track.fusion.resume(lost.fusion)

    def _lost(self, track: Track[FaceFusion]) -> None:
        """Remember for seconds who was seen well."""
        was_good = track.told is not None and track.told.known.quality >= POLICY.sure_quality
        before = self._taken_up.pop(track.id, None)
        if (was_good or before) and track.fusion.agrees(AGREEING):
            self._recent.add(LostFace(track.id, track.last_seen_at, track.fusion))
        elif before:
            # Its crops differ among themselves, as front and side do: what was known before still is.
            self._recent.add(LostFace(track.id, track.last_seen_at, before.fusion))

    def _judge(self, faces: FaceDetections, view: View) -> NDArray[np.float32] | None:
        """How live each of N faces looks, ``(N,)``; None where nobody wants to know."""
        if self._liveness is None:
            return None
        return self._liveness.judge.score(view.frame.image, faces.boxes)

    def _known(self, track: Track[FaceFusion]) -> Known | None:
        if track.first_crop_at is None or track.shot is None:
            return None
        told = track.told.known.quality if track.told else 0.0
        return Known(
            quality=max(told, track.shot.quality),
            agrees=track.fusion.agrees(AGREEING),
            first_crop_at=track.first_crop_at,
        )

    def _finding(
        self, track: Track[FaceFusion], shot: Shot, revision: int, reason: Reason
    ) -> FaceFinding:
        return FaceFinding(
            **common(track, shot, revision, reason),
            embedding=track.fusion.best(),
            seen=track.fusion.seen(),
            crops=len(track.fusion),
            pack=self._pack.embedder.pack,
            pack_sha256=self._pack.embedder.pack_sha256,
            liveness=self._verdict(track),
            resumes=track.resumes,
        )

    def _verdict(self, track: Track[FaceFusion]) -> Liveness | None:
        wanted = self._liveness
        if wanted is None:
            return None
        return track.fusion.liveness.verdict(wanted.mode, wanted.judge.pack_sha256)
