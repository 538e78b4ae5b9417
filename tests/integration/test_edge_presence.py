"""Which cameras are told as away: not one that waits for us, but one whose recording has ended."""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import edge.camera
from edge.config import EdgeConfig
from edge.counters import Counters
from edge.frame import Image
from edge.online import OnlineState
from edge.outbox import MemoryOutbox
from edge.worker import Parts, run
from models.faces.types import FaceDetections
from tests.integration.edge_hub import wait_until
from tests.unit.edge.clips import texture, write_clip
from tests.unit.edge.fakes import FakeFaceDetector, fake_networks, fake_pack
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.codec import decode
from wire.messages import CameraObservation

AWAY_S = 0.6


class SlowDetector(FakeFaceDetector):
    """Takes longer for a picture than a camera may be silent."""

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        time.sleep(2 * AWAY_S)
        return super().detect(image, min_score=min_score)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.camera, "OnlineState", partial(OnlineState, away_s=AWAY_S))


def config(folder: Path, *cameras: dict[str, Any]) -> EdgeConfig:
    common = {"plates": False, "motion_gate": False, "health": False}
    return EdgeConfig.model_validate(
        {
            "edge": {
                "site": "yard",
                "id": "box",
                "data_dir": folder / "data",
                "analysis_threads": 1,
            },
            "broker": {"host": "127.0.0.1"},
            "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
            "cameras": [{**common, **camera} for camera in cameras],
        }
    )


def clip(path: Path, seconds: float) -> str:
    view = texture()
    return str(write_clip(path, (view(n) for n in range(round(5 * seconds))), rate_hz=5))


def told_by(outbox: MemoryOutbox) -> list[tuple[str | None, str, str]]:
    events = [decode(message.payload).event for message in outbox.after(0, 999)]
    return [
        (event.camera, event.data.state, event.data.reason)
        for event in events
        if isinstance(event.data, CameraObservation)
    ]


@pytest.mark.usefixtures("impatient")
def test_a_camera_that_waits_for_a_slow_box_is_not_away(tmp_path: Path) -> None:
    """Two recordings, each frame of which is analysed, on one thread: each waits for long, often."""
    sources = [clip(tmp_path / f"{name}.mp4", 1.0) for name in "ab"]
    settings = config(
        tmp_path,
        *({"id": f"cam-{n}", "source": source, "pace": "asap"} for n, source in enumerate(sources)),
    )
    outbox, counters = MemoryOutbox("0" * 16), Counters()
    networks = fake_networks(faces=fake_pack(SlowDetector()))
    run(settings, Parts(networks=networks, outbox=outbox, publish=False, counters=counters))
    assert counters.total("analysed") == 10
    assert sorted((camera, state) for camera, state, _ in told_by(outbox)) == [
        ("cam-0", "online"),
        ("cam-1", "online"),
    ]


@pytest.mark.usefixtures("impatient")
def test_a_recording_that_has_ended_is_told_as_away_once_while_others_go_on(tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        {"id": "short", "source": clip(tmp_path / "short.mp4", 1.0)},
        {"id": "long", "source": clip(tmp_path / "long.mp4", 60.0)},
        {"id": "none", "source": str(tmp_path / "none.mp4")},
    )
    outbox, parts = MemoryOutbox("0" * 16), Parts(networks=fake_networks(), publish=False)
    parts.outbox = outbox
    thread = threading.Thread(target=run, args=(settings, parts))
    thread.start()
    try:
        wait_until(lambda: len(told_by(outbox)) == 4)
        time.sleep(3 * AWAY_S)
    finally:
        parts.stop.set()
        thread.join(20)
    told = told_by(outbox)
    assert [state for camera, state, _ in told if camera == "short"] == ["online", "offline"]
    assert [state for camera, state, _ in told if camera == "long"] == ["online"]
    (why,) = [reason for camera, _, reason in told if camera == "none"]
    assert "there is no such file" in why
