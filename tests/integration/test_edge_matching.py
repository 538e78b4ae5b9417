"""A worker that matches faces itself, over a real broker: slice in, candidates out, erased on command."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from edge.config import EdgeConfig
from edge.worker import Parts, run
from tests.integration.edge_hub import HubStub, wait_until
from tests.servers import Mosquitto
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import embedding_of, fake_networks, picture
from wire.keys import sealing_key
from wire.messages import EdgeMatching, FaceObservation, GalleryErase
from wire.slices import SliceTerms, Templates, slice_parts


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[HubStub]:
    stub = HubStub(mosquitto.port).start()
    yield stub
    stub.stop()


def clip(folder: Path) -> Path:
    """Ann and Eve, long enough for a slice to come while they are there."""
    people = picture(("ann", (60, 60, 170, 170)), ("eve", (400, 60, 510, 170)))
    images = [people if n % 75 < 50 else picture() for n in range(750)]
    return write_clip(folder / "gate.mp4", images)


def config(folder: Path, hub: HubStub) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": folder / "data"},
            "broker": {"host": "127.0.0.1", "port": hub.port},
            "hub": hub.keys,
            "models": {"face_matching": "edge"},
            "cameras": [
                {
                    "id": "gate",
                    "source": str(clip(folder)),
                    "plates": False,
                    "motion_gate": False,
                    "health": False,
                }
            ],
        }
    )


def reasons(hub: HubStub) -> list[str]:
    faces = [event.data for event in hub.events() if isinstance(event.data, FaceObservation)]
    assert all(face.probe is None for face in faces)
    return [face.candidates.reason for face in faces if face.candidates is not None]


def status(hub: HubStub) -> EdgeMatching | None:
    found = [event.data.matching for event in hub.events("/status") if event.origin == "box"]  # type: ignore[attr-defined]
    return found[-1] if found else None


def test_slice_in_candidates_out_erased_on_command(hub: HubStub, tmp_path: Path) -> None:
    parts = Parts(networks=fake_networks())
    worker = Thread(target=run, args=(config(tmp_path, hub), parts), daemon=True)
    worker.start()
    try:
        wait_until(lambda: "no_slice" in reasons(hub))
        matching = status(hub)
        assert matching is not None
        assert (matching.pack, matching.held.version) == ("fake", 0)
        until = datetime.now(UTC) + timedelta(hours=1)
        terms = SliceTerms("yard", "box", 1, "fake", matching.pack_sha256, 0.5, 0.1, until)
        given = Templates(("id-of-ann",), np.stack([embedding_of("ann")]))
        (part,) = slice_parts(terms, given, sealing_key(matching.sealing_key))
        hub.send(hub.topics.command("gallery"), hub.sign(part))
        wait_until(lambda: {"match", "below_threshold"} <= set(reasons(hub)))
        (reply,) = hub.events("/reply/gallery")
        assert reply.data.state == "active"  # type: ignore[attr-defined]
        wait_until(lambda: (found := status(hub)) is not None and found.held.version == 1)
        hub.send(hub.topics.command("gallery-erase"), hub.sign(GalleryErase(up_to_version=1)))
        wait_until(lambda: (found := status(hub)) is not None and found.held.version == 0)
        told = len(reasons(hub))
        wait_until(lambda: "no_slice" in reasons(hub)[told:])
        assert list((tmp_path / "data" / "gallery").glob("*.part")) == []
    finally:
        parts.stop.set()
        worker.join(20)
