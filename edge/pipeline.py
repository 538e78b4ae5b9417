"""The pipeline of one camera: from a captured frame to what is told of it.

    frame -> is anything moving? -> detect -> look closer -> follow, choose, recognise, fuse, tell
                                                             (one lane for faces, one for plates)
                                              follow, place, watch, tell
                                                             (the lane of people and vehicles)

In: frames of one camera, in order. Out: findings. It does no I/O and knows no clock but the frames' own;
the worker sees to it that one thread at a time is in here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.closer import RecentFrames, scaled
from edge.counters import CameraCounters
from edge.cut import ViewCut
from edge.detect import Detect, Detections, large_enough, select_faces
from edge.face_lane import FaceLane
from edge.findings import FaceStay, Finding
from edge.frame import Frame, Grey, RawFrame, SceneEnd
from edge.lane import View
from edge.motion import GREY_WIDTH_PX, MotionGate
from edge.object_lane import ObjectLane
from edge.plate_lane import PlateLane


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What a camera's pipeline is made of; None where the camera does without."""

    detect: Detect
    motion: MotionGate | None
    faces: FaceLane | None
    plates: PlateLane | None
    main_stream: RecentFrames | None
    min_face_px: int
    objects: ObjectLane | None = None


class Pipeline:
    """One camera's steps and what they remember."""

    def __init__(
        self,
        steps: Steps,
        counters: CameraCounters,
        tell: Callable[[Finding | FaceStay], str | None],
    ) -> None:
        """`tell` is called with each finding, in order; it returns the observation's id, None when lost."""
        self._steps, self._counters, self._tell = steps, counters, tell
        self._cut = ViewCut()

    def process(self, raw: RawFrame) -> None:
        """Take one frame through."""
        grey = raw.pixels.grey(GREY_WIDTH_PX)
        if not self._worth_looking(grey, raw.captured_at.timestamp()):
            self._counters.still += 1
            return
        self._part_faces(grey)
        frame = raw.to_frame()
        seen = self._steps.detect(frame)
        view, detections = self._look_closer(frame, seen)
        self._tell_all(self._follow(frame, seen, view, detections))
        self._count(seen)

    def end_scene(self, end: SceneEnd) -> None:
        """The view ends: tell what the tracks have shown, and forget it."""
        del end
        for lane in self._lanes():
            self._tell_all(lane.end_all())
        if self._steps.faces is not None:
            self._steps.faces.forget()
        if self._steps.motion is not None:
            self._steps.motion.reset()
        self._cut.reset()

    def _part_faces(self, grey: Grey) -> None:
        """A face in another view is not the one that was in its place a moment ago: end its track.

        A plate's vote notices by itself when it reads another; objects are of zones, and those of one view.
        """
        if self._steps.faces is not None and self._cut.step(grey):
            self._tell_all(self._steps.faces.end_all())

    def _tell_all(self, findings: Iterable[Finding | FaceStay]) -> None:
        for finding in findings:
            self._counters.observations += 1
            observation_id = self._tell(finding)
            if isinstance(finding, FaceStay) or observation_id is None:
                continue
            if self._steps.objects is not None:
                self._steps.objects.told(finding, observation_id)

    def _lanes(self) -> tuple[FaceLane | PlateLane | ObjectLane, ...]:
        lanes = (self._steps.faces, self._steps.plates, self._steps.objects)
        return tuple(lane for lane in lanes if lane is not None)

    def _worth_looking(self, grey: Grey, now_s: float) -> bool:
        """Motion, or a track that may go on without any: a person who stands still."""
        if self._steps.motion is None:
            return True
        moving = self._steps.motion.is_open(grey, now_s)
        return moving or any(lane.alive for lane in self._lanes())

    def _look_closer(self, frame: Frame, seen: Detections) -> tuple[View, Detections]:
        """Where crops are cut: this frame, or the main stream's nearest where there is one."""
        faces = seen.faces.boxes if seen.faces_looked_for else None
        found = len(seen.faces) or len(seen.plates)
        closer = self._closer(frame) if found else None
        if closer is None:
            return View(frame, faces), seen
        return View(closer, None, closer=True), scaled(seen, frame, closer)

    def _closer(self, frame: Frame) -> Frame | None:
        """The main stream's frame nearest in time; None where there is none."""
        if self._steps.main_stream is None:
            return None
        main = self._steps.main_stream.nearest(frame.captured_at)
        return None if main is None else main.to_frame()

    def _follow(
        self, frame: Frame, seen: Detections, view: View, detections: Detections
    ) -> list[Finding | FaceStay]:
        findings: list[Finding | FaceStay] = []
        if self._steps.faces is not None:
            index = large_enough(detections.faces, self._steps.min_face_px)
            boxes, chosen = seen.faces.boxes[index], select_faces(detections.faces, index)
            findings += self._steps.faces.process(boxes, chosen, frame.captured_at, view)
        if self._steps.plates is not None:
            findings += self._steps.plates.process(
                seen.plates.boxes, detections.plates, frame.captured_at, view
            )
        if self._steps.objects is not None:
            findings += self._steps.objects.process(
                seen.objects, frame, lambda: self._shown(frame, view)
            )
        return findings

    def _shown(self, frame: Frame, view: View) -> View:
        """What shows best what is told of this frame."""
        closer = None if view.closer else self._closer(frame)
        return view if closer is None else View(closer, None, closer=True)

    def _count(self, seen: Detections) -> None:
        self._counters.analysed += 1
        self._counters.faces += len(seen.faces)
        self._counters.plates += len(seen.plates)
        self._counters.objects += len(seen.objects)
        recognising = (self._steps.faces, self._steps.plates)
        self._counters.recognised = sum(lane.recognised for lane in recognising if lane)
