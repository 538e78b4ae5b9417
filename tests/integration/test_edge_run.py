"""The whole edge on files: real networks for faces, a real broker, the command line's exit codes."""

import base64
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import insightface
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app
from edge.config import EdgeConfig, load_config
from edge.outbox import MemoryOutbox
from edge.worker import Parts, Report, run
from models.faces import load_face_pack
from tests.integration.edge_hub import HubStub, wait_until
from tests.servers import Mosquitto, free_port
from tests.unit.edge.clips import flip_bytes, write_clip
from tests.unit.edge.fakes import FakePlates, fake_networks, picture
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.codec import decode
from wire.errors import BrokerError, ConfigError, ExitCode, ModelError, SourceError, StoreError
from wire.messages import CameraObservation, EvidenceCommand, FaceObservation, PlateObservation
from wire.sealing import FaceProbe, unseal

GROUP = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"


@pytest.fixture(scope="module")
def group_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people who drift past: two seconds, with an empty yard before and after."""
    photo = cv2.resize(cv2.imread(str(GROUP)), (1340, 900))
    empty = np.full((720, 1280, 3), 110, np.uint8)

    def scene(n: int) -> np.ndarray:
        return photo[90:810, n : n + 1280] if 8 <= n < 42 else empty

    path = tmp_path_factory.mktemp("group") / "group.mp4"
    return write_clip(path, (np.ascontiguousarray(scene(n)) for n in range(50)))


@pytest.fixture(scope="module")
def painted_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted person and a painted plate, for the fake networks."""

    def scene(n: int) -> np.ndarray:
        return picture(
            ("ann", (50 + 3 * n, 60, 140 + 3 * n, 150)), ("京A88731", (400, 250, 480, 276))
        )

    path = tmp_path_factory.mktemp("painted") / "painted.mp4"
    return write_clip(path, (scene(n) for n in range(75)))


def write_config(folder: Path, *sources: str | Path, **changes: Any) -> Path:
    options = {"verify_key": VERIFY, "sealing_key": SEAL, "port": 1, "camera": "", **changes}
    cameras = "\n".join(
        f'[[cameras]]\nid = "cam-{n}"\nsource = "{source}"\npace = "asap"\nplates = false\n'
        f"{options['camera']}"
        for n, source in enumerate(sources)
    )
    path = folder / "edge.toml"
    path.write_text(
        f"""
[edge]
site = "yard"
id = "box"
data_dir = "data"
[broker]
host = "127.0.0.1"
port = {options["port"]}
[hub]
verify_key = "{options["verify_key"]}"
sealing_key = "{options["sealing_key"]}"
[models]
face_pack = "{options.get("pack", "dlib-resnet")}"
plates = false
{cameras}
""",
        encoding="utf-8",
    )
    return path


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_faces_of_a_video_reach_the_hub_and_no_disk(
    tmp_path: Path, group_clip: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = HubStub(mosquitto.port)  # not started: everything must wait on the disk
    path = write_config(tmp_path, group_clip, port=mosquitto.port, **hub.keys)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    report = run(load_config(path), drain_timeout_s=0.0)
    assert report.waiting >= 6 + 1  # six people, and that the camera is online

    disk = everything_in(tmp_path / "data")
    assert list(temporary.iterdir()) == []
    for magic in (b"\xff\xd8\xff", b"/9j/4", b"JFIF", b"\x89PNG"):
        assert magic not in disk, "a picture is on the edge's disk"

    hub.start()
    config = load_config(path)
    idle = config.model_copy(update={"cameras": (_ended(config, tmp_path),)})
    assert run(idle, drain_timeout_s=20.0).waiting == 0
    faces = [event for event in hub.events() if isinstance(event.data, FaceObservation)]
    hub.stop()
    probes = [_opened(event, hub) for event in faces]
    assert len({event.data.track_id for event in faces}) == 6  # type: ignore[union-attr]
    for probe in probes:
        assert cv2.imdecode(np.frombuffer(probe.crop_jpeg, np.uint8), 1) is not None
        for needle in (probe.embedding.tobytes(), probe.crop_jpeg[:64]):
            assert needle not in disk
            assert base64.b64encode(needle)[4:-8] not in disk
    assert _same_people(probes)


def _ended(config: EdgeConfig, folder: Path) -> Any:
    """A camera whose file has but one grey picture: only the outbox is of interest."""
    source = folder / "grey"
    source.mkdir()
    cv2.imwrite(str(source / "1.png"), np.full((64, 64, 3), 90, np.uint8))
    return config.cameras[0].model_copy(update={"source": str(source)})


def _opened(event: Any, hub: HubStub) -> FaceProbe:
    return unseal(event.data.probe, event.id, hub.opening_key)


def _same_people(probes: list[FaceProbe]) -> bool:
    """Whether each probe finds its own face, and no other, in the photo itself."""
    pack = load_face_pack("dlib-resnet", threads=1)
    photo = cv2.imread(str(GROUP))
    faces = pack.detector.detect(photo)
    truth = pack.embedder.embed([pack.embedder.crop(photo, points) for points in faces.landmarks])
    similar = np.stack([probe.embedding for probe in probes]) @ truth.T
    return len(set(similar.argmax(axis=1).tolist())) == 6 and bool(
        (similar.max(axis=1) > pack.threshold).all()
    )


def painted(folder: Path, *sources: Path | str, **camera: Any) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": folder / "data"},
            "broker": {"host": "127.0.0.1"},
            "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
            "cameras": [
                {"id": f"cam-{n}", "source": str(source), "pace": "asap", **camera}
                for n, source in enumerate(sources)
            ],
        }
    )


def play(config: EdgeConfig) -> tuple[Report, list[Any], Parts]:
    outbox = MemoryOutbox("0" * 16)
    parts = Parts(networks=fake_networks(FakePlates()), outbox=outbox, publish=False)
    report = run(config, parts)
    return report, [decode(m.payload).event for m in outbox.after(0, 9999)], parts


def test_a_file_is_played_whole_and_the_same_each_time(tmp_path: Path, painted_clip: Path) -> None:
    seen = []
    for _ in range(2):
        report, events, parts = play(painted(tmp_path, painted_clip))
        counts = parts.counters.of("cam-0")
        assert (counts.decoded, counts.picked, counts.dropped) == (75, 15, 0)
        assert counts.analysed + counts.still == 15
        assert not report.unreadable
        seen.append([(e.data.kind, getattr(e.data, "frames", 0)) for e in events])
    assert seen[0] == seen[1]
    kinds = [kind for kind, _ in seen[0]]
    assert set(kinds) == {"camera", "face", "plate"}


def test_many_cameras_are_all_served(tmp_path: Path, painted_clip: Path) -> None:
    _, events, parts = play(painted(tmp_path, *[painted_clip] * 5))
    for number in range(5):
        assert parts.counters.of(f"cam-{number}").picked == 15
        mine = {type(e.data) for e in events if e.camera == f"cam-{number}"}
        assert mine == {CameraObservation, FaceObservation, PlateObservation}
    tracks = [e.data.track_id for e in events if isinstance(e.data, FaceObservation)]
    assert len(set(tracks)) == 5


def test_a_fault_in_one_camera_touches_no_other(
    tmp_path: Path, painted_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge.pipeline import Pipeline

    original = Pipeline.process

    def faulty(self: Pipeline, raw: Any) -> None:
        if raw.camera == "cam-0":
            raise RuntimeError("a bug")
        original(self, raw)

    monkeypatch.setattr(Pipeline, "process", faulty)
    _, events, parts = play(painted(tmp_path, painted_clip, painted_clip))
    assert parts.counters.of("cam-0").faults == 15
    assert parts.counters.of("cam-1").faults == 0
    assert {e.camera for e in events if isinstance(e.data, FaceObservation)} == {"cam-1"}


def test_a_damaged_video_is_played_and_raises_nothing_of_its_damage(
    tmp_path: Path, painted_clip: Path
) -> None:
    broken = flip_bytes(painted_clip, tmp_path / "broken.mp4", count=12, seed=4)
    report, events, parts = play(painted(tmp_path, broken))
    counts = parts.counters.of("cam-0")
    assert counts.corrupt > 0
    assert counts.faults == 0
    assert not report.unreadable
    assert {e.data.plate.text for e in events if isinstance(e.data, PlateObservation)} <= {
        "京A88731"
    }


def test_every_picture_of_a_folder_is_looked_at_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, name in enumerate(("ann", "bob", "ann", "eve")):
        image = picture((name, (50, 60, 150, 160)), size=(400 + 40 * number, 300))
        cv2.imwrite(str(folder / f"{number}.png"), image)
    _, events, _ = play(painted(tmp_path, folder, motion_gate=False))
    faces = [e.data for e in events if isinstance(e.data, FaceObservation)]
    assert [face.frame_size_px for face in faces] == [(400 + 40 * n, 300) for n in range(4)]
    assert len({face.track_id for face in faces}) == 4


def test_detection_on_a_sub_stream_and_crops_from_the_main_one(
    tmp_path: Path, painted_clip: Path
) -> None:
    def large(n: int) -> np.ndarray:
        x = 3 * (50 + 3 * n)
        return picture(("ann", (x, 180, x + 270, 450)), size=(1920, 1080))

    main = write_clip(tmp_path / "main.mp4", (large(n) for n in range(75)))
    config = painted(tmp_path, main, detect_source=str(painted_clip), pace="realtime", plates=False)
    _, events, _ = play(config)
    faces = [e.data for e in events if isinstance(e.data, FaceObservation)]
    assert faces
    assert (1920, 1080) in {face.frame_size_px for face in faces}
    for face in faces:
        x1, _, x2, _ = face.box_px
        assert x2 - x1 == pytest.approx(face.frame_size_px[0] / 640 * 90, rel=0.1)


def test_two_edges_do_not_share_a_folder(tmp_path: Path, painted_clip: Path) -> None:
    first = painted(tmp_path, painted_clip, pace="realtime")
    stop = threading.Event()
    parts = Parts(networks=fake_networks(), outbox=MemoryOutbox("0" * 16), publish=False, stop=stop)
    thread = threading.Thread(target=run, args=(first, parts))
    thread.start()
    wait_until(lambda: parts.counters.of("cam-0").decoded)
    with pytest.raises(ConfigError, match="another edge is running on data_dir"):
        play(first)
    stop.set()
    thread.join(10)
    play(first)


class FullOutbox(MemoryOutbox):
    """An outbox on a disk that takes nothing."""

    def append(self, topic: str, encode: Any) -> int:
        raise StoreError("the disk is full")


def test_a_full_disk_is_said_and_stops_no_camera(
    tmp_path: Path, painted_clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts(networks=fake_networks(), outbox=FullOutbox("0" * 16), publish=False)
    report = run(painted(tmp_path, painted_clip), parts)
    counts = parts.counters.of("cam-0")
    assert counts.decoded == 75
    assert counts.faults > 0
    assert not report.unreadable
    assert "the disk is full" in caplog.text


def test_evidence_can_be_asked_for_after_the_last_file(
    tmp_path: Path, painted_clip: Path, mosquitto: Mosquitto
) -> None:
    hub = HubStub(mosquitto.port).start()
    config = painted(tmp_path, painted_clip)
    config = config.model_copy(
        update={
            "broker": config.broker.model_copy(update={"port": mosquitto.port}),
            "hub": config.hub.model_copy(update=hub.keys),
        }
    )
    parts = Parts(networks=fake_networks())
    thread = threading.Thread(target=run, args=(config, parts))
    thread.start()
    wait_until(lambda: any(isinstance(e.data, FaceObservation) for e in hub.events()))
    time.sleep(1.0)  # a slow hub
    face = next(e for e in hub.events() if isinstance(e.data, FaceObservation))
    hub.send(
        hub.topics.command("evidence"),
        hub.sign(EvidenceCommand(observation_id=face.id, names=("scene", "close"))),
    )
    thread.join(20)
    pictures = dict(hub.payloads("/evidence/"))
    for item in face.data.evidence:  # type: ignore[union-attr]
        picture_bytes = pictures[hub.topics.evidence(face.id, item.name)]
        assert hashlib.sha256(picture_bytes).hexdigest() == item.sha256
    hub.stop()


# The command line ------------------------------------------------------------------------------


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(edge_app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", ["run", "check"])
def test_an_unknown_key_ends_with_3(tmp_path: Path, command: str) -> None:
    path = write_config(tmp_path, "x.mp4", camera="fps = 3")
    result = invoke(command, "--config", path)
    assert isinstance(result.exception, ConfigError)
    assert result.exception.exit_code == ExitCode.CONFIG == 3
    assert "cameras[0].fps" in str(result.exception)
    assert str(path) in str(result.exception)


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_missing_pack_ends_with_4(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_HOME", str(tmp_path / "home"))
    result = invoke(command, "--config", write_config(tmp_path, "x.mp4", pack="buffalo_l"))
    assert isinstance(result.exception, ModelError)
    assert result.exception.exit_code == 4
    assert "gatehouse models" in str(result.exception)


def test_sources_that_cannot_be_read_end_with_5(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video" * 100)
    result = invoke("run", "--config", write_config(tmp_path, "bad.mp4", "none.mp4"))
    assert isinstance(result.exception, SourceError)
    assert result.exception.exit_code == 5
    assert re.search(r"cam-0: .*bad\.mp4 cannot be opened", str(result.exception))
    assert re.search(r"cam-1: .*none\.mp4: there is no such file", str(result.exception))


def test_without_a_broker_it_works_says_so_and_ends_with_6(
    tmp_path: Path, group_clip: Path
) -> None:
    path = write_config(tmp_path, group_clip, port=free_port(), camera="analysis_fps = 2")
    result = invoke("run", "--config", path, "--drain-timeout", "0.5")
    assert isinstance(result.exception, BrokerError)
    assert result.exception.exit_code == 6
    assert re.search(r"\d+ observations wait in the outbox", str(result.exception))


def test_with_a_hub_it_drains_and_ends_with_0(
    tmp_path: Path, group_clip: Path, mosquitto: Mosquitto
) -> None:
    hub = HubStub(mosquitto.port).start()
    path = write_config(
        tmp_path, group_clip, port=mosquitto.port, **hub.keys, camera="analysis_fps = 2"
    )
    result = invoke("run", "--config", path)
    assert result.exception is None
    assert result.exit_code == 0
    assert re.search(
        r"\d+ frames analysed in \d+ s, 0 dropped, 0 damaged; \d+ observations", result.output
    )
    assert len([e for e in hub.events() if isinstance(e.data, FaceObservation)]) >= 6
    hub.stop()


def test_check_tells_all_and_what_the_hub_needs(
    tmp_path: Path, painted_clip: Path, mosquitto: Mosquitto
) -> None:
    path = write_config(tmp_path, painted_clip, port=mosquitto.port)
    result = invoke("check", "--config", path)
    assert result.exception is None
    for part in ("640x360 25 fps h264", "dlib-resnet", "takes our connection", "[[edges]]"):
        assert part in result.output
    key = re.search(r'public_key = "([^"]+)"', result.output)
    assert key
    assert len(base64.b64decode(key[1])) == 32
    assert key[1] in invoke("check", "--config", path).output  # the same the second time


def test_check_tries_everything_and_ends_with_the_first_failure(
    tmp_path: Path, painted_clip: Path
) -> None:
    path = write_config(tmp_path, painted_clip, "none.mp4", port=free_port())
    result = invoke("check", "--config", path)
    assert isinstance(result.exception, SourceError)
    assert "640x360" in result.output
    assert "there is no such file" in " ".join(result.output.split())
    assert "Connection refused" in " ".join(result.output.split())


def test_it_ends_in_order_on_sigterm(
    tmp_path: Path, painted_clip: Path, mosquitto: Mosquitto
) -> None:
    hub = HubStub(mosquitto.port).start()
    path = write_config(
        tmp_path, painted_clip, port=mosquitto.port, **hub.keys, camera="analysis_fps = 1"
    )
    path.write_text(path.read_text().replace('pace = "asap"', 'pace = "realtime"'))
    code = "from edge.cli import edge_app; edge_app()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", "--config", str(path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    wait_until(lambda: hub.payloads("/status"), 30.0)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    wait_until(lambda: len(hub.payloads("/status")) >= 2)
    last = decode(hub.payloads("/status")[-1][1]).event.data
    assert last.online is False  # type: ignore[attr-defined]
    hub.stop()
