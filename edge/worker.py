"""The worker: every camera of one box in one process. The edge's one composition root.

In: the configuration. Out: a `Report` once all sources have ended or it was told to stop. A few analysis
threads serve all cameras, oldest frame first; the networks are opened once and shared. A fault in one
camera's pipeline is logged with its name and touches no other.
"""

import fcntl
import itertools
import logging
import os
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import cv2

from edge.access_desk import AccessCounts
from edge.bulk import bulk_sender
from edge.camera import Camera, Networks, Outlets
from edge.capture import Clocks
from edge.clip import ClipMaker, clip_offer, packet_taps
from edge.clock import ClockOffset
from edge.config import CameraSection, EdgeConfig
from edge.counters import Counters
from edge.devices import DeviceClocks, Devices
from edge.emit import Emitter, Origin
from edge.evidence import EvidenceRing
from edge.face_matching_box import BoxMatching, hub_time
from edge.findings import FaceStay, Finding
from edge.grants import GrantBook
from edge.live_camera import LiveCameras
from edge.mailbox import Mailboxes
from edge.meter_gateway import MeterGateway
from edge.networks import load_networks
from edge.outbox import Outbox, SqliteOutbox
from edge.publish import ClipPost, Identity, Publisher
from wire.errors import ConfigError, SourceError, StoreError
from wire.keys import load_or_create_signing_key, sealing_key, verifying_key
from wire.messages import AccessObservation, CameraObservation, MeterObservation
from wire.topics import EdgeTopics

log = logging.getLogger(__name__)

HEALTH_EVERY_S: Final = 10.0
ASK_FOR_EVIDENCE_S: Final = 2.0  # what a hub takes from committing an observation to asking
_TICK_S: Final = 0.1
_STOP_S: Final = 6.0
_MEGABYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended.

    `waiting` messages are still in the outbox. `unreadable` maps a camera to why its source could not
    be read; `stopped` says that the run was told to end. `access` is what became of plates at doors and
    barriers, None where nothing opens by plate.
    """

    waiting: int
    unreadable: dict[str, SourceError]
    stopped: bool
    wall_s: float
    access: AccessCounts | None = None


@dataclass(slots=True)
class Parts:
    """What a run is made of, for those who replace a part: a benchmark, a test.

    None of `networks` loads those of the configuration, None of `outbox` opens the one in `data_dir`.
    Without `publish` nothing is sent.
    """

    networks: Networks | None = None
    outbox: Outbox | None = None
    publish: bool = True
    counters: Counters = field(default_factory=Counters)
    grants: GrantBook = field(default_factory=GrantBook)
    clocks: Clocks = field(default_factory=Clocks)
    stop: threading.Event = field(default_factory=threading.Event)


def run(config: EdgeConfig, parts: Parts | None = None, *, drain_timeout_s: float = 30.0) -> Report:
    """Run the edge until every source has ended or `parts.stop` is set.

    When the sources have ended it waits up to `drain_timeout_s` for the hub to take what it has not.

    Raises:
        ModelError: a network cannot be opened.
        StoreError: the outbox cannot be used.
        ConfigError: a key file is damaged, or another edge runs on the same `data_dir`.
    """
    parts = parts or Parts()
    cv2.setNumThreads(1)  # the cameras are the parallelism
    with _claim(config.edge.data_dir):
        return _play(_Worker(config, parts), parts, drain_timeout_s)


def _play(worker: "_Worker", parts: Parts, drain_timeout_s: float) -> Report:
    started_s = parts.clocks.monotonic_s()
    try:
        worker.start()
        worker.supervise()
        worker.finish()
        if not parts.stop.is_set():
            worker.drain(drain_timeout_s)
    finally:
        worker.close()
    return worker.report(parts.clocks.monotonic_s() - started_s)


class _Worker:
    """All that runs, and the order in which it starts and ends."""

    def __init__(self, config: EdgeConfig, parts: Parts) -> None:
        self._parts = parts
        self._boxes = Mailboxes()
        self._boot_id = secrets.token_hex(8)
        networks = parts.networks or load_networks(config.models)
        key = load_or_create_signing_key(signing_key_path(config))
        self._outbox = parts.outbox or SqliteOutbox(
            config.edge.data_dir / "outbox.db",
            self._boot_id,
            capacity_bytes=config.edge.outbox_mb * _MEGABYTE,
        )
        offset = ClockOffset()
        topics = EdgeTopics(config.edge.site, config.edge.id)
        origin = Origin(topics, key, lambda: offset.offset_ms)
        ring = EvidenceRing(config.evidence.ring_mb * _MEGABYTE)
        matching = _matching(config, networks, topics, lambda: hub_time(parts.clocks.now, offset))
        self._bulk = bulk_sender(config.broker, topics.site, topics.edge)
        self._live = LiveCameras(
            {camera.id: camera.live for camera in config.cameras},
            networks.faces.detector,
            origin,
            bulk_sender(config.broker, topics.site, topics.edge, "live"),
            hub_key=sealing_key(config.hub.sealing_key),
            new_id=new_message_id,
            now=parts.clocks.now,
            hub_now=lambda: hub_time(parts.clocks.now, offset),
            monotonic_s=parts.clocks.monotonic_s,
        )
        self._taps = packet_taps(config, parts.clocks.now)
        self._clips = ClipMaker(
            self._taps,
            clip_offer(config.evidence),
            ClipPost(origin, self._bulk, new_message_id, parts.clocks.now),
            monotonic_s=parts.clocks.monotonic_s,
        )
        self._emitter = Emitter(
            origin,
            self._outbox,
            ring,
            hub_key=sealing_key(config.hub.sealing_key),
            face_detector=networks.faces.detector,
            new_id=new_message_id,
            now=parts.clocks.now,
            offer_clip=self._clips.note,
            matching=matching,
        )
        self._devices = Devices(
            config,
            DeviceClocks(
                parts.clocks.now,
                lambda: hub_time(parts.clocks.now, offset),
                parts.clocks.monotonic_s,
            ),
            hub_key=verifying_key(config.hub.verify_key),
            new_id=new_message_id,
            tell=self._tell_access,
            grants=parts.grants,
        )
        self._meters = MeterGateway(
            config.local_broker or config.broker,
            f"gatehouse-{topics.site}-{topics.edge}-meters",
            config.meters,
            now=parts.clocks.now,
            tell=self._tell_meter,
        )
        self._publisher = Publisher(
            config.broker,
            origin,
            Identity(version("gatehouse"), tuple(camera.id for camera in config.cameras)),
            self._outbox,
            ring,
            hub_key=verifying_key(config.hub.verify_key),
            offset=offset,
            new_id=new_message_id,
            clocks=parts.clocks,
            clips=self._clips,
            matching=matching,
            allowed=self._devices.plates,
            live=self._live,
        )
        self._cameras = {
            section.id: self._camera(section, networks, opening_levels(config, section.id))
            for section in config.cameras
        }
        count = config.edge.analysis_threads or os.cpu_count() or 1
        self._threads = [
            threading.Thread(target=self._analyse, name=f"analyse-{n}", daemon=True)
            for n in range(count)
        ]

    def _camera(
        self, section: CameraSection, networks: Networks, opens_at: tuple[float, ...]
    ) -> Camera:
        numbers = itertools.count(1)
        return Camera(
            section,
            networks,
            self._boxes,
            self._parts.counters.of(section.id),
            Outlets(self._tell, self._tell_camera, self._live.offer),
            new_track_id=lambda: f"{self._boot_id}-{section.id}-{next(numbers)}",
            clocks=self._parts.clocks,
            tap=self._taps.get(section.id),
            grants=self._parts.grants,
            opens_at=opens_at,
        )

    def start(self) -> None:
        """Start to send, to analyse, and last to capture."""
        if self._parts.publish:
            self._publisher.start()
            self._bulk.start()
            self._clips.start()
            self._live.start()
        self._devices.start()
        self._meters.start()
        for thread in self._threads:
            thread.start()
        for camera in self._cameras.values():
            camera.start()

    def supervise(self) -> None:
        """Look after the cameras until all have ended or we are told to stop."""
        cameras, clocks = self._cameras.values(), self._parts.clocks
        health_due_s = clocks.monotonic_s() + HEALTH_EVERY_S
        while not self._parts.stop.wait(_TICK_S):
            for camera in cameras:
                camera.tick()
            self._devices.tick()
            if clocks.monotonic_s() >= health_due_s:
                health_due_s += HEALTH_EVERY_S
                self._publish_health()
            if all(camera.finished for camera in cameras):
                return

    def finish(self) -> None:
        """End the captures, and analyse what they had handed over."""
        for camera in self._cameras.values():
            camera.stop()
        for camera in self._cameras.values():
            camera.join(_STOP_S)
        limit_s = self._parts.clocks.monotonic_s() + _STOP_S
        stopping = self._parts.stop
        while not self._boxes.idle:
            if stopping.is_set() and self._parts.clocks.monotonic_s() > limit_s:
                log.warning("stopped before every frame was analysed")
                break
            threading.Event().wait(0.01)
        self._devices.stop(_STOP_S)
        self._meters.stop()

    def drain(self, timeout_s: float) -> None:
        """Wait until the hub has taken everything and asks for no more pictures, or the time is up."""
        limit_s = self._parts.clocks.monotonic_s() + timeout_s
        while self._parts.publish and (
            self._outbox.waiting()
            or self._publisher.quiet_s < ASK_FOR_EVIDENCE_S
            or self._clips.busy
            or self._bulk.busy
        ):
            if self._parts.clocks.monotonic_s() > limit_s or self._parts.stop.wait(0.05):
                return

    def close(self) -> None:
        """Stop the threads, say goodbye, close the outbox."""
        for camera in self._cameras.values():
            camera.stop()
        self._devices.stop(_STOP_S)  # where it did not come to `finish`
        self._boxes.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_STOP_S)
        if self._parts.publish:
            self._live.stop(_STOP_S)
            self._clips.stop(_STOP_S)
            self._bulk.stop(_STOP_S)
            self._publisher.stop()
        self._waiting = self._outbox.waiting()
        self._outbox.close()

    def report(self, wall_s: float) -> Report:
        """How it ended."""
        unreadable = {
            name: error
            for name, camera in self._cameras.items()
            if (error := camera.error) is not None
        }
        stopped, access = self._parts.stop.is_set(), self._devices.counts
        return Report(self._waiting, unreadable, stopped, wall_s, access)

    def _analyse(self) -> None:
        """One analysis thread: the outermost loop, which no camera's fault may end."""
        while (taken := self._boxes.take()) is not None:
            name, item = taken
            camera = self._cameras[name]
            try:
                camera.handle(item)
            except Exception:
                camera.counters.faults += 1
                log.exception("camera %s: the analysis of a frame failed", name)
            finally:
                self._boxes.done(name)

    def _publish_health(self) -> None:
        waiting = self._outbox.waiting()
        for name, camera in self._cameras.items():
            self._publisher.publish_health(name, camera.health(waiting))

    def _tell(self, finding: Finding | FaceStay) -> str | None:
        """A barrier first: whoever stands before it waits, the hub does not mind."""
        observation_id = new_message_id()
        self._devices.read(finding, observation_id, self._parts.clocks.monotonic_s())
        try:
            self._emitter.tell(finding, observation_id)
        except StoreError:
            self._parts.counters.of(finding.camera).faults += 1
            log.exception("camera %s: an observation is lost", finding.camera)
            return None
        log.info(
            "camera %s: observation %s, track %s revision %d: %s",
            finding.camera,
            observation_id,
            finding.track_id,
            finding.revision,
            finding.reason,
        )
        self._publisher.wake()
        return observation_id

    def _tell_access(self, camera: str, observation: AccessObservation) -> None:
        log.info(
            "camera %s: %s %s: %s",
            camera,
            observation.device,
            observation.decision,
            observation.reason,
        )
        try:
            self._emitter.tell_access(camera, observation)
        except StoreError:
            log.exception(
                "device %s: that it was %s is lost", observation.device, observation.decision
            )
        self._publisher.wake()

    def _tell_meter(self, gateway: str, observation: MeterObservation) -> None:
        self._emitter.tell_meter(gateway, observation)
        self._publisher.wake()

    def _tell_camera(self, camera: str, observation: CameraObservation) -> None:
        self._emitter.tell_camera(camera, observation)
        self._publisher.wake()


def opening_levels(config: EdgeConfig, camera: str) -> tuple[float, ...]:
    """The confidences from which on something opens for a plate of this camera."""
    return tuple(d.min_confidence for d in config.devices if d.open_for and d.camera == camera)


def _matching(
    config: EdgeConfig, networks: Networks, topics: EdgeTopics, now: Callable[[], datetime]
) -> BoxMatching | None:
    """What matches faces in this box, where it is to."""
    if config.models.face_matching == "hub":
        return None
    return BoxMatching(
        config.edge.data_dir / "gallery",
        topics,
        networks.faces.embedder,
        hub_key=verifying_key(config.hub.verify_key),
        now=now,
    )


def _claim(data_dir: Path) -> IO[bytes]:
    """Make the folder ours until the file is closed, or we die. ConfigError where another has it."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("wb")
    except OSError as error:
        raise ConfigError(f"data_dir {data_dir} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ConfigError(f"another edge is running on data_dir {data_dir}") from None
    return lock


def signing_key_path(config: EdgeConfig) -> Path:
    """Where this box keeps the key that it signs with."""
    return config.edge.data_dir / "signing.key"


def new_message_id() -> str:
    """A random UUID, version 4."""
    return str(uuid.uuid4())
