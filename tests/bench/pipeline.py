"""The pipeline with 1, 2, 4 and 8 cameras, beside bare decoding plus bare calls of the same networks.

The bare side decodes the same files, converts the same frames, detects on them, and embeds and reads as
often and in the same batches as the pipeline just did, on as many threads; it tracks nothing, chooses
nothing, keeps no evidence and sends nothing. Both sides run in turn, and the ratio is of their medians.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from demo.clip import FPS
from edge.camera import Networks
from edge.config import EdgeConfig
from edge.counters import Counters
from edge.frame import Image
from edge.networks import load_networks
from edge.worker import Parts
from edge.worker import run as run_worker
from models.faces.types import FaceDetections, FacePack
from models.plates.types import PlateDetections, PlateReading
from tests.bench.clips import decode, gate_clip, picture_at
from tests.bench.report import Row
from wire.keys import public_text

_ANALYSIS_FPS = 5
_CAMERA_ROUNDS = 8
"""How many cameras are played in all for one figure: fewer rounds where many play at once."""


@dataclass
class Calls:
    """How often each network was called, and with how many crops."""

    embeds: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)


class _CountingEmbedder:
    def __init__(self, inner, calls: Calls) -> None:
        self._inner, self._calls = inner, calls

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def embed(self, crops: Sequence[Image]):
        self._calls.embeds.append(len(crops))
        return self._inner.embed(crops)


class _CountingPlates:
    def __init__(self, inner, calls: Calls) -> None:
        self._inner, self._calls = inner, calls

    def detect(self, frames: Sequence[Image]) -> list[PlateDetections]:
        return self._inner.detect(frames)

    def read(self, frame: Image, detections: PlateDetections) -> list[PlateReading]:
        self._calls.reads.append(len(detections))
        return self._inner.read(frame, detections)


def run(pack: str = "dlib-resnet", cameras: Sequence[int] = (1, 2, 4, 8)) -> list[Row]:
    """One row per number of cameras."""
    cv2.setNumThreads(1)
    threads = os.cpu_count() or 1
    rows = []
    for count in cameras:
        configuration = _configuration(pack, count, threads)
        networks = load_networks(configuration.models)
        pipeline_s, bare_s, analysed = [], [], 0
        for _ in range(min(3, max(1, _CAMERA_ROUNDS // count))):
            calls = Calls()
            counters = Counters()
            parts = Parts(networks=_counting(networks, calls), publish=False, counters=counters)
            started = time.perf_counter()
            run_worker(configuration, parts)
            pipeline_s.append(time.perf_counter() - started)
            analysed = int(counters.total("analysed"))
            bare_s.append(_bare(networks, count, calls, threads))
        rows.append(
            Row(
                f"Pipeline, faces ({pack}) and plates, 1280x720, {threads} threads",
                f"{count} camera{'s' if count > 1 else ''}",
                analysed / statistics.median(pipeline_s),
                "analysed frames/s",
                f"bare decode and networks: {analysed / statistics.median(bare_s):.3g} frames/s",
                statistics.median(bare_s) / statistics.median(pipeline_s),
            )
        )
    return rows


def _configuration(pack: str, cameras: int, threads: int) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {
            "edge": {
                "site": "bench",
                "id": "box",
                "data_dir": Path(tempfile.mkdtemp(prefix="gatehouse-bench-")),
                "analysis_threads": threads,
            },
            "broker": {"host": "127.0.0.1"},
            "hub": {
                "verify_key": public_text(Ed25519PrivateKey.generate().public_key()),
                "sealing_key": public_text(X25519PrivateKey.generate().public_key()),
            },
            "models": {"face_pack": pack},
            "cameras": [
                {
                    "id": f"camera-{number}",
                    "source": str(gate_clip()),
                    "analysis_fps": _ANALYSIS_FPS,
                    "pace": "asap",
                    "motion_gate": False,
                }
                for number in range(cameras)
            ],
        }
    )


def _counting(networks: Networks, calls: Calls) -> Networks:
    faces = networks.faces
    counted = FacePack(
        name=faces.name,
        detector=faces.detector,
        embedder=_CountingEmbedder(faces.embedder, calls),  # type: ignore[arg-type]
        threshold=faces.threshold,
        margin=faces.margin,
        licence=faces.licence,
        commercial=faces.commercial,
    )
    plates = None if networks.plates is None else _CountingPlates(networks.plates, calls)
    return Networks(counted, networks.face_quality, plates)


def _bare(networks: Networks, cameras: int, calls: Calls, threads: int) -> float:
    """Seconds for the same work without a pipeline."""
    people, car = picture_at(gate_clip(), 2.0), picture_at(gate_clip(), 13.0)
    faces = networks.faces.detector.detect(people)
    crops = [networks.faces.embedder.crop(people, mark) for mark in faces.landmarks]
    plates = networks.plates.detect([car])[0] if networks.plates else PlateDetections.empty()
    waiting = list(range(cameras))
    recognise = [("embed", n) for n in calls.embeds] + [("read", n) for n in calls.reads]
    lock = threading.Lock()

    def serve() -> None:
        while True:
            with lock:
                job: object = waiting.pop() if waiting else None
                if job is None:
                    job = recognise.pop() if recognise else None
            if job is None:
                return
            if isinstance(job, int):
                _bare_camera(networks)
            else:
                _bare_recognition(networks, job, people, faces, crops, car, plates)

    workers = [threading.Thread(target=serve) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


def _bare_camera(networks: Networks) -> None:
    for number, frame in enumerate(decode(gate_clip())):
        if number % (FPS // _ANALYSIS_FPS) == 0:
            image = frame.to_ndarray(format="bgr24")
            networks.faces.detector.detect(image)
            if networks.plates is not None:
                networks.plates.detect([image])


def _bare_recognition(
    networks: Networks,
    job: tuple[str, int],
    people: Image,
    faces: FaceDetections,
    crops: list[Image],
    car: Image,
    plates: PlateDetections,
) -> None:
    what, count = job
    if what == "embed":
        some = [networks.faces.embedder.crop(people, mark) for mark in faces.landmarks[:count]]
        networks.faces.embedder.embed((some * count)[:count] if some else crops[:count])
    elif networks.plates is not None:
        for _ in range(count):
            networks.plates.read(car, plates)
