"""One camera in the worker: its captures, its pipeline, its state, its health.

In: the camera's section of the configuration and what all cameras share. Out: frames into the mailboxes,
findings and changes of state to the emitter. Opens nothing before `start`.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from edge.camera_state import CameraState
from edge.capture import Capture, CapturePlan, Clocks, plan_for_detail
from edge.closer import RecentFrames
from edge.config import CameraSection
from edge.counters import CameraCounters
from edge.detect import Detect, PlateNetworks
from edge.face_lane import FaceLane, FaceQuality, Liveliness
from edge.findings import FaceStay, Finding
from edge.frame import RawFrame, SceneEnd
from edge.grants import GrantBook
from edge.mailbox import Item, Mailboxes
from edge.motion import MotionGate
from edge.object_lane import ObjectLane
from edge.objects import ObjectNetwork
from edge.online import Change, OnlineState
from edge.passages import PassageWatch
from edge.picture_faults import Limits
from edge.picture_health import PictureHealth
from edge.picture_signs import LOOK_WIDTH_PX
from edge.pipeline import Pipeline, Steps
from edge.plate_lane import POLICY, PlateLane
from edge.privacy import Polygons, mask
from edge.sources import parse_source
from edge.tap import PacketTap
from models.faces.liveness_types import LivenessJudge
from models.faces.types import FacePack
from wire.errors import SourceError, StoreError
from wire.messages import CameraHealth, CameraObservation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that all cameras share. Each may be called from several threads."""

    faces: FacePack
    face_quality: FaceQuality
    plates: PlateNetworks | None
    objects: ObjectNetwork | None = None
    liveness: LivenessJudge | None = None


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a camera's findings and changes of state go. `show` is offered each frame, and is quick."""

    tell: Callable[[Finding | FaceStay], str | None]
    tell_camera: Callable[[str, CameraObservation], None]
    show: Callable[[RawFrame], None] = lambda _: None


class Camera:
    """One camera: a sink for its captures, and a pipeline that one analysis thread at a time serves."""

    def __init__(
        self,
        section: CameraSection,
        networks: Networks,
        boxes: Mailboxes,
        counters: CameraCounters,
        outlets: Outlets,
        *,
        new_track_id: Callable[[], str],
        clocks: Clocks,
        tap: PacketTap | None = None,
        grants: GrantBook,
        opens_at: tuple[float, ...] = (),
    ) -> None:
        """`tap` keeps the packets of the main stream, to cut clips from. `opens_at` are the confidences from
        which on something opens for a plate of this camera."""
        self.id, self.counters, self._privacy = section.id, counters, section.privacy
        self._liveness = section.liveness if section.faces else None
        self._boxes, self._outlets, self._clocks = boxes, outlets, clocks
        self._lock = threading.Lock()
        self._presence, self._state = OnlineState(clocks.monotonic_s()), CameraState()
        self._picture = _picture_health(section)
        self._handing_over = False
        self._health_from = (counters.copy(), clocks.monotonic_s())
        main_stream = None if section.detect_source is None else RecentFrames()
        steps = _steps(section, networks, main_stream, new_track_id, grants, opens_at)
        self._pipeline = Pipeline(steps, counters, outlets.tell)
        self._capture, self._detail = self._captures(section, main_stream, tap)
        self._lossless = section.pace == "asap" and not parse_source(section.source).live
        boxes.add(section.id, lossless=self._lossless)

    def _captures(
        self, section: CameraSection, main_stream: RecentFrames | None, tap: PacketTap | None
    ) -> tuple[Capture, Capture | None]:
        plan = CapturePlan(section.id, section.analysis_fps, section.pace, section.starts_at)
        main = parse_source(section.source, section.transport, tap)
        if section.detect_source is None or main_stream is None:
            return Capture(plan, main, self, self.counters, clocks=self._clocks), None
        sub = parse_source(section.detect_source, section.transport)
        capture = Capture(plan, sub, self, self.counters, clocks=self._clocks)
        detail = Capture(
            plan_for_detail(plan),
            main,
            _DetailSink(section.id, main_stream, section.privacy),
            CameraCounters(),
            clocks=self._clocks,
        )
        return capture, detail

    # From the worker ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start to capture."""
        for capture in self._both():
            capture.start()

    def stop(self) -> None:
        """Ask the captures to end."""
        for capture in self._both():
            capture.stop()

    def join(self, timeout_s: float) -> None:
        """Wait for the captures, a stalled one not for ever."""
        for capture in self._both():
            capture.join(timeout_s)

    @property
    def finished(self) -> bool:
        """Whether the source has ended."""
        return not self._capture.running

    @property
    def error(self) -> SourceError | None:
        """Why a finite source could not be read."""
        return self._capture.error

    def handle(self, item: Item) -> None:
        """Analyse what was captured. One thread at a time."""
        if isinstance(item, SceneEnd):
            self._pipeline.end_scene(item)
            if self._picture is not None:
                self._picture.interrupt()
            return
        started_s = self._clocks.monotonic_s()
        self._judge(item)
        self._pipeline.process(item)
        ended_s = self._clocks.monotonic_s()
        self.counters.busy_s += ended_s - started_s
        self.counters.lag_s = ended_s - item.arrived_s

    def _judge(self, frame: RawFrame) -> None:
        """Does the camera still show its scene?"""
        at = frame.captured_at
        if self._picture is None or not self._picture.wants(at):
            return
        verdict = self._picture.look(frame.pixels.grey(LOOK_WIDTH_PX), at, frame.camera_clock)
        if verdict is not None:
            with self._lock:
                self._tell_state(self._state.picture(verdict))

    def tick(self) -> None:
        """Time has passed: has the camera stayed away? A recording played as live has, once it has ended."""
        if self.finished and self._lossless:
            return
        now_s = self._clocks.monotonic_s()
        with self._lock:
            if self._handing_over:
                self._presence.held_up(now_s)
            self._follow_presence(self._presence.tick(now_s))

    def health(self, outbox_pending: int) -> CameraHealth:
        """How the camera did since this was last asked."""
        before, since_s = self._health_from
        now, now_s = self.counters.copy(), self._clocks.monotonic_s()
        self._health_from = (now, now_s)
        return CameraHealth(
            window_s=max(now_s - since_s, 1e-3),
            online=self._presence.state == "online" and not self.finished,
            decoded_frames=now.decoded - before.decoded,
            analysed_frames=now.analysed - before.analysed,
            dropped_frames=now.dropped - before.dropped,
            corrupt_frames=now.corrupt - before.corrupt,
            reconnects=now.reconnects - before.reconnects,
            lag_ms=1000.0 * now.lag_s,
            outbox_pending=outbox_pending,
            liveness=self._liveness,
        )

    def _both(self) -> tuple[Capture, ...]:
        return (self._capture,) if self._detail is None else (self._detail, self._capture)

    # From the capture thread: FrameSink ---------------------------------------------------------

    def frame(self, frame: RawFrame) -> None:
        """A frame to analyse."""
        seen = replace(frame, pixels=mask(frame.pixels, self._privacy))
        self._outlets.show(seen)
        self.counters.dropped += self._hand_over(seen)

    def picture_came(self, at_s: float) -> None:
        """A sound picture came."""
        with self._lock:
            self._follow_presence(self._presence.picture(at_s))

    def scene_ended(self, end: SceneEnd) -> None:
        """The continuous view ended."""
        if end.final:
            self.failed(end.reason)
        self._hand_over(end)

    def _hand_over(self, item: Item) -> int:
        """Put it into the mailbox. A lossless one waits for room: then the camera is not silent."""
        if not self._lossless:
            return self._boxes.put(self.id, item)
        self._handing_over = True
        try:
            return self._boxes.put(self.id, item)
        finally:
            with self._lock:
                self._handing_over = False
                self._presence.held_up(self._clocks.monotonic_s())

    def failed(self, reason: str) -> None:
        """The source cannot be read just now."""
        with self._lock:
            self._presence.failed(reason)

    def _follow_presence(self, change: Change | None) -> None:
        if change is not None:
            ago = timedelta(seconds=self._clocks.monotonic_s() - change.since_s)
            since, online = self._clocks.now() - ago, change.state == "online"
            self._tell_state(self._state.presence(online=online, since=since, reason=change.reason))

    def _tell_state(self, observation: CameraObservation | None) -> None:
        """Under the lock, so that states are told in their order."""
        if observation is None:
            return
        level = logging.INFO if observation.state == "online" else logging.WARNING
        log.log(level, "camera %s is %s: %s", self.id, observation.state, observation.reason)
        try:
            self._outlets.tell_camera(self.id, observation)
        except StoreError:
            log.exception("camera %s: that it is %s is lost", self.id, observation.state)


@dataclass(frozen=True, slots=True)
class _DetailSink:
    """Takes the main stream's frames, when detection runs on the sub-stream."""

    camera: str
    frames: RecentFrames
    privacy: Polygons

    def frame(self, frame: RawFrame) -> None:
        self.frames.add(replace(frame, pixels=mask(frame.pixels, self.privacy)))

    def picture_came(self, at_s: float) -> None:
        del at_s  # the sub-stream says whether the camera is there

    def scene_ended(self, end: SceneEnd) -> None:
        del end
        self.frames.clear()

    def failed(self, reason: str) -> None:
        log.warning(
            "camera %s: main stream: %s; crops come from the sub-stream", self.camera, reason
        )


def _picture_health(section: CameraSection) -> PictureHealth | None:
    """What judges the pictures; None where they are of no one view, or nobody wants it."""
    if not section.health or not parse_source(section.detect_source or section.source).continuous:
        return None
    return PictureHealth(Limits(frozen_after_s=section.frozen_after_s))


def _steps(
    section: CameraSection,
    networks: Networks,
    main_stream: RecentFrames | None,
    new_track_id: Callable[[], str],
    grants: GrantBook,
    opens_at: tuple[float, ...] = (),
) -> Steps:
    plates = networks.plates if section.plates else None
    rate_hz, lost_after_s = section.analysis_fps, max(1.0, 2.5 / section.analysis_fps)
    objects = networks.objects if section.objects else None
    faces_lane = plates_lane = objects_lane = None
    if section.faces:
        faces_lane = FaceLane(
            networks.faces,
            networks.face_quality,
            new_id=new_track_id,
            rate_hz=rate_hz,
            lost_after_s=lost_after_s,
            liveness=_liveness(section, networks),
            memory_s=section.face_memory_s,
        )
    if plates is not None:
        plates_lane = PlateLane(
            plates,
            new_id=new_track_id,
            rate_hz=rate_hz,
            lost_after_s=lost_after_s,
            policy=replace(POLICY, levels=opens_at),
        )
    if objects is not None:
        objects_lane = _object_lane(section, new_track_id, grants)
    return Steps(
        detect=Detect(networks.faces.detector if section.faces else None, plates, objects),
        motion=MotionGate() if section.motion_gate else None,
        faces=faces_lane,
        plates=plates_lane,
        main_stream=main_stream,
        min_face_px=section.min_face_px,
        objects=objects_lane,
    )


def _liveness(section: CameraSection, networks: Networks) -> Liveliness | None:
    """What judges whether faces are living ones, where the camera wants it."""
    if section.liveness == "off" or networks.liveness is None:
        return None
    return Liveliness(networks.liveness, section.liveness)


def _object_lane(
    section: CameraSection, new_track_id: Callable[[], str], grants: GrantBook
) -> ObjectLane:
    return ObjectLane(
        section.places,
        [behaviour.watch(section.places, grants) for behaviour in section.behaviours],
        [PassageWatch(passage, grants) for passage in section.passages],
        new_id=new_track_id,
        rate_hz=section.analysis_fps,
    )
