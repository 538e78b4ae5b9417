"""An edge box without a camera: sends `count` plate observations through the real outbox and publisher.

Run as ``python -m tests.e2e.replay_edge edge.toml count rate_hz``. It can be killed at any moment: how far
it came is appended to a file after each observation, so that a restart may store the last one again,
under the same id and another sequence, as a worker that is killed between two writes would.
"""

import contextlib
import os
import random
import secrets
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from edge.clock import ClockOffset
from edge.config import EdgeConfig, load_config
from edge.emit import Origin
from edge.evidence import EvidenceRing
from edge.outbox import SqliteOutbox
from edge.publish import Identity, Publisher
from edge.worker import new_message_id, signing_key_path
from wire.keys import load_or_create_signing_key, verifying_key
from wire.messages import AnyObservation, PlateObservation, PlateText
from wire.topics import EdgeTopics

CAMERA = "gate-in"


def plate_of(number: int) -> str:
    """The plate of observation `number`: each a car of its own."""
    return f"京A{10000 + number:05d}"


def observation_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"replayed {number}"))


def observation(number: int) -> PlateObservation:
    now, text = datetime.now(UTC), plate_of(number)
    return PlateObservation(
        track_id=f"replayed-{number}",
        first_seen_at=now,
        captured_at=now,
        last_seen_at=now,
        frames=5,
        box_px=(600.0, 400.0, 720.0, 440.0),
        frame_size_px=(1280, 720),
        quality=0.8,
        detector_score=0.9,
        plate=PlateText(
            text=text,
            plate_type="ordinary",
            colour="blue",
            confidence=0.97,
            province_confidence=0.99,
            char_confidences=(0.99,) * len(text),
        ),
        state="confirmed",
        reads=4,
    )


@contextlib.contextmanager
def run_edge(config: EdgeConfig) -> Iterator[tuple[SqliteOutbox, Origin, Publisher]]:
    """The outbox and the publisher of an edge box; on leaving, wait until all is delivered, say so in the
    file ``drained``, and go on until SIGTERM."""
    config.edge.data_dir.mkdir(parents=True, exist_ok=True)
    topics = EdgeTopics(config.edge.site, config.edge.id)
    offset = ClockOffset()
    origin = Origin(
        topics, load_or_create_signing_key(signing_key_path(config)), lambda: offset.offset_ms
    )
    outbox = SqliteOutbox(
        config.edge.data_dir / "outbox.db", secrets.token_hex(8), capacity_bytes=1 << 28
    )
    publisher = Publisher(
        config.broker,
        origin,
        Identity(version("gatehouse"), (CAMERA,)),
        outbox,
        EvidenceRing(1 << 20),
        hub_key=verifying_key(config.hub.verify_key),
        offset=offset,
        new_id=new_message_id,
        random=random.Random(1),
    )
    publisher.start()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    yield outbox, origin, publisher
    while outbox.waiting() and not stop.is_set():
        time.sleep(0.02)
    (config.edge.data_dir / "drained").write_text(str(time.time()))
    stop.wait()
    publisher.stop()


def main(config_path: str, count: int, rate_hz: float) -> None:
    config = load_config(Path(config_path))
    progress = config.edge.data_dir / "progress"
    done = progress.read_text().count("\n") if progress.exists() else 0
    with run_edge(config) as (outbox, origin, publisher), progress.open("a") as file:
        for number in range(done, count):
            append(outbox, origin, observation(number), observation_id(number), CAMERA)
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
            publisher.wake()
            time.sleep(1.0 / rate_hz)


def append(
    outbox: SqliteOutbox, origin: Origin, data: AnyObservation, message_id: str, camera: str
) -> None:
    """Put an observation into the outbox."""

    def encode(sequence: int) -> bytes:
        return origin.sign(
            data,
            message_id=message_id,
            time=datetime.now(UTC),
            camera=camera,
            boot_id=outbox.boot_id,
            sequence=sequence,
        )

    outbox.append(origin.topics.observation(camera, data.kind), encode)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
