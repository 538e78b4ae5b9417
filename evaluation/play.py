"""A clip played through the edge as it is: worker, capture, pipeline, sealing, outbox.

In: a video file and the networks. Out: every face that the edge would have told the hub of, opened again
with a key made for this run. Sends nothing; what the run keeps on disk is gone when it returns. The same clip
gives the same faces: it is analysed as fast as possible, frame by frame, and its time is the stream's.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.camera import Networks
from edge.config import EdgeConfig
from edge.counters import Counters
from edge.outbox import MemoryOutbox
from edge.worker import Parts
from edge.worker import run as run_worker
from wire.codec import decode
from wire.keys import public_text
from wire.messages import FaceObservation
from wire.sealing import FaceProbe, unseal

_CAMERA: Final = "clip"
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class ToldFace:
    """A face that the edge told of. Times are seconds of the clip, from its first frame."""

    observation: FaceObservation
    probe: FaceProbe

    @property
    def at_s(self) -> float:
        """When the frame was captured that shows it best."""
        return (self.observation.captured_at - _START).total_seconds()

    @property
    def first_s(self) -> float:
        """When its track began."""
        return (self.observation.first_seen_at - _START).total_seconds()

    @property
    def last_s(self) -> float:
        """When its track was last seen, so far."""
        return (self.observation.last_seen_at - _START).total_seconds()


@dataclass(frozen=True, slots=True, eq=False)
class Playback:
    """What a clip gave: `frames` were analysed, in `wall_s` seconds."""

    faces: tuple[ToldFace, ...]
    frames: int
    wall_s: float


def play(clip: Path, networks: Networks, camera: dict[str, Any]) -> Playback:
    """Play `clip`; `camera` are keys of a camera's section that differ from its defaults.

    Raises:
        SourceError: the clip cannot be read.
    """
    opening = X25519PrivateKey.generate()
    outbox, counters = MemoryOutbox("0" * 16), Counters()
    with tempfile.TemporaryDirectory(prefix="gatehouse-eval-") as folder:
        config = _config(clip, Path(folder), opening, camera)
        parts = Parts(networks=networks, outbox=outbox, publish=False, counters=counters)
        report = run_worker(config, parts)
    for error in report.unreadable.values():
        raise error
    faces = []
    for stored in outbox.after(0, outbox.waiting()):
        event = decode(stored.payload).event
        if isinstance(event.data, FaceObservation) and event.data.probe is not None:
            faces.append(ToldFace(event.data, unseal(event.data.probe, event.id, opening)))
    return Playback(tuple(faces), int(counters.total("analysed")), report.wall_s)


def _config(
    clip: Path, folder: Path, opening: X25519PrivateKey, camera: dict[str, Any]
) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {
            "edge": {
                "site": "evaluation",
                "id": "box",
                "data_dir": folder,
                "analysis_threads": min(2, os.cpu_count() or 1),
            },
            "broker": {"host": "127.0.0.1"},
            "hub": {
                "verify_key": public_text(Ed25519PrivateKey.generate().public_key()),
                "sealing_key": public_text(opening.public_key()),
            },
            "cameras": [
                {
                    "id": _CAMERA,
                    "source": str(clip),
                    "plates": False,
                    "pace": "asap",
                    "health": False,
                    "starts_at": _START,
                    **camera,
                }
            ],
        }
    )
