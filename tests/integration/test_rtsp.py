"""Capture from a real RTSP server: TCP, UDP, a stall, an end, a return."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge.camera
import edge.sources
from edge.capture import Clocks
from edge.config import EdgeConfig
from edge.counters import Counters
from edge.online import OnlineState
from edge.outbox import MemoryOutbox
from edge.worker import Parts, Report, run
from tests.integration.edge_hub import wait_until
from tests.servers import free_port
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import fake_networks, picture
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.codec import decode
from wire.messages import CameraObservation, FaceObservation

SERVER = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"


def has_gst() -> bool:
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not has_gst(), reason="no GStreamer RTSP server: run scripts/test_servers.sh"
)


class RtspServer:
    """A server that can be stalled, killed and started again on the same port."""

    def __init__(self, clip: Path) -> None:
        self.clip, self.port = clip, free_port()
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def start(self) -> "RtspServer":
        command = [SYSTEM_PYTHON, str(SERVER), str(self.clip), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a person who walks to and fro before a fence."""
    fence = np.where(np.arange(640) // 40 % 2 == 0, 70, 120).astype(np.uint8)[None, :, None]

    def scene(n: int) -> Any:
        x = 50 + 4 * (n % 50)
        image = picture(("ann", (x, 80, x + 90, 170)))
        return np.where(image == 100, fence, image)

    path = tmp_path_factory.mktemp("rtsp") / "clip.mp4"
    return write_clip(path, (scene(n) for n in range(25 * 60)))


@pytest.fixture
def server(clip: Path) -> Iterator[RtspServer]:
    running = RtspServer(clip).start()
    yield running
    running.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter limits than a real camera gets, so that the test is."""
    monkeypatch.setattr(edge.sources, "READ_TIMEOUT_S", 1.0)
    monkeypatch.setattr(edge.sources, "OPEN_TIMEOUT_S", 2.0)
    shorter = partial(OnlineState, away_s=2.0, back_s=0.5)
    monkeypatch.setattr(edge.camera, "OnlineState", shorter)


class Box:
    """An edge with fake networks on one RTSP camera."""

    def __init__(self, tmp_path: Path, url: str, transport: str) -> None:
        self.config = EdgeConfig.model_validate(
            {
                "edge": {"site": "yard", "id": "box", "data_dir": tmp_path / "data"},
                "broker": {"host": "127.0.0.1"},
                "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
                "cameras": [{"id": "gate", "source": url, "transport": transport, "plates": False}],
            }
        )
        self.outbox, self.counters = MemoryOutbox("0" * 16), Counters()
        self.parts = Parts(
            networks=fake_networks(), outbox=self.outbox, publish=False, counters=self.counters
        )
        self.reports: list[Report] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.reports.append(run(self.config, self.parts))

    def __enter__(self) -> "Box":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _told(self) -> list[Any]:
        return [decode(message.payload).event.data for message in self.outbox.after(0, 999)]

    @property
    def faces(self) -> list[FaceObservation]:
        return [data for data in self._told() if isinstance(data, FaceObservation)]

    @property
    def states(self) -> list[str]:
        return [data.state for data in self._told() if isinstance(data, CameraObservation)]

    @property
    def analysed(self) -> int:
        return self.counters.of("gate").analysed


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_face_on_the_stream_becomes_an_observation(
    tmp_path: Path, server: RtspServer, transport: str
) -> None:
    with Box(tmp_path, server.url, transport) as box:
        wait_until(lambda: box.faces)
        wait_until(lambda: box.analysed >= 10)
    assert box.states == ["online"]
    first = box.faces[0]
    assert first.frame_size_px == (640, 360)
    assert abs(first.captured_at.timestamp() - time.time()) < 15
    counts = box.counters.of("gate")
    assert counts.picked < counts.decoded / 3  # 5 of 25 Hz
    assert counts.reconnects == 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_stalled_stream_is_given_up_told_and_taken_up_again(
    tmp_path: Path, server: RtspServer, transport: str
) -> None:
    with Box(tmp_path, server.url, transport) as box:
        wait_until(lambda: box.analysed >= 5)
        server.send(signal.SIGSTOP)
        wait_until(lambda: box.states == ["online", "offline"])
        before = box.analysed
        server.send(signal.SIGCONT)
        wait_until(lambda: box.states == ["online", "offline", "online"], 30.0)
        wait_until(lambda: box.analysed >= before + 5)
    assert box.counters.of("gate").reconnects >= 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_server_that_dies_and_comes_back_is_found_on_its_port(
    tmp_path: Path, server: RtspServer, transport: str
) -> None:
    with Box(tmp_path, server.url, transport) as box:
        wait_until(lambda: box.analysed >= 5)
        server.kill()
        wait_until(lambda: box.states == ["online", "offline"])
        server.start()
        wait_until(lambda: box.states == ["online", "offline", "online"], 30.0)
    assert box.reports[0].stopped


@pytest.mark.usefixtures("impatient")
def test_a_short_interruption_is_mended_and_not_told(tmp_path: Path, server: RtspServer) -> None:
    with Box(tmp_path, server.url, "tcp") as box:
        wait_until(lambda: box.analysed >= 5)
        server.kill()
        server.start()
        before = box.analysed
        wait_until(lambda: box.analysed >= before + 5)
        assert box.states == ["online"]
        assert box.counters.of("gate").reconnects >= 1


@pytest.mark.usefixtures("impatient")
def test_a_server_that_takes_the_connection_and_says_nothing(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        with Box(tmp_path, url, "tcp") as box:
            wait_until(lambda: box.states == ["offline"])
    assert box.faces == []


@pytest.mark.usefixtures("impatient")
def test_one_cameras_trouble_does_not_touch_another(tmp_path: Path, server: RtspServer) -> None:
    box = Box(tmp_path, server.url, "tcp")
    good = box.config.cameras[0]
    bad = good.model_copy(update={"id": "bad", "source": f"rtsp://127.0.0.1:{free_port()}/none"})
    box.config = box.config.model_copy(update={"cameras": (bad, good)})
    with box:
        wait_until(lambda: box.faces)
        wait_until(lambda: "offline" in box.states)
    assert sorted(box.states) == ["offline", "online"]


def test_unplugged_and_plugged_in_are_each_told_within_ten_seconds(
    tmp_path: Path, server: RtspServer
) -> None:
    """With the limits that a real camera gets."""
    with Box(tmp_path, server.url, "tcp") as box:
        wait_until(lambda: box.analysed >= 5)
        server.kill()
        wait_until(lambda: box.states == ["online", "offline"], 10.0)
        server.start()
        wait_until(lambda: box.states == ["online", "offline", "online"], 10.0)


def test_a_camera_whose_clock_is_an_hour_behind_is_told(tmp_path: Path, server: RtspServer) -> None:
    box = Box(tmp_path, server.url, "tcp")
    box.parts.clocks = Clocks(now=lambda: datetime.now(UTC) + timedelta(hours=1))
    with box:
        wait_until(lambda: box.states == ["online", "wrong_time"], 30.0)
