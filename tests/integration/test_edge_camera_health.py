"""Test cameras made of real video: covered, moved, defocused, frozen, too dark, unplugged, with a wrong
clock: each told once within ten seconds, and over within ten after mending; and ordinary video: nothing."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture import Clocks
from edge.config import EdgeConfig
from edge.frame import Image
from edge.outbox import MemoryOutbox
from edge.picture_health import PictureHealth
from edge.picture_signs import LOOK_WIDTH_PX
from edge.sources import Picture, parse_source
from edge.timing import FramePicker
from edge.worker import Parts, run
from tests.integration.edge_hub import wait_until
from tests.integration.test_rtsp import Box, RtspServer, has_gst
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import T0, fake_networks
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.codec import decode
from wire.messages import CameraObservation

pytestmark = pytest.mark.material

RATE_HZ = 10
USUAL_S, FAULT_S, AFTER_S = 25, 25, 25
SIZE = (640, 360)
Told = list[tuple[float, str | None]]

#: Cameras that stand still. The others of the material are a film with cuts, a camera in a moving car, and
#: one on a desk that is pushed while it films (it is told as moved).
FIXED = [
    "hamletlx_test.mp4",
    "theaiguys_test.mp4",
    "intel_one-by-one-person-detection.mp4",
    "intel_car-detection.mp4",
    "ahmetozlu_input_video.mp4",
    "intel_previews/classroom.mp4",
    "intel_previews/face-demographics-walking.mp4",
    "intel_previews/face-demographics-walking-and-pause.mp4",
    "intel_previews/person-bicycle-car-detection.mp4",
]


def there_and_back(images: list[Image]) -> Iterator[Image]:
    """The same view for as long as is wanted, without a cut."""
    return itertools.cycle(images + images[-2:0:-1])


def real_view(video: Path, *, seconds: float = 8.0) -> list[Image]:
    """The beginning of a video at 10 Hz, a quarter larger than the test camera's picture."""
    larger = (SIZE[0] * 5 // 4, SIZE[1] * 5 // 4)
    picker, images = FramePicker(RATE_HZ), []
    with parse_source(str(video)).open() as stream:
        for picture in stream:
            assert isinstance(picture, Picture)
            if picker.picks(picture.pts_s or 0.0):
                images.append(np.asarray(cv2.resize(picture.pixels.bgr(), larger), np.uint8))
            if len(images) >= seconds * RATE_HZ:
                break
    return images


def cut(image: Image, right: int = 0, down: int = 0) -> Image:
    x, y = 40 + right, 30 + down
    return np.ascontiguousarray(image[y : y + SIZE[1], x : x + SIZE[0]])


def hand(image: Image) -> Image:
    """A hand on the lens: dark, without detail, a little brighter at one side."""
    side = np.linspace(28, 44, SIZE[0], dtype=np.float32)[None, :, None]
    return np.broadcast_to(side, cut(image).shape).astype(np.uint8)


def freezer() -> Callable[[Image], Image]:
    kept: list[Image] = []

    def freeze(image: Image) -> Image:
        kept.append(cut(image))
        return kept[0]

    return freeze


FAULTS: dict[str, Callable[[], Callable[[Image], Image]]] = {
    "covered": lambda: hand,
    "moved": lambda: lambda image: cut(image, 60, 20),
    "defocused": lambda: lambda image: cv2.GaussianBlur(cut(image), (0, 0), 4.0).astype(np.uint8),
    "frozen": freezer,
    "too_dark": lambda: lambda image: (cut(image) // 8).astype(np.uint8),
}


@pytest.fixture(scope="module")
def views(material: Path) -> dict[str, list[Image]]:
    names = ("theaiguys_test", "ahmetozlu_input_video", "intel_one-by-one-person-detection")
    return {name: real_view(material / "video" / f"{name}.mp4") for name in names}


def camera_with(fault: str, images: list[Image], path: Path) -> Path:
    """A recording of a test camera: as usual, with the fault, as usual again."""
    effect, source = FAULTS[fault](), there_and_back(images)
    stretches = ((USUAL_S, cut), (FAULT_S, effect), (AFTER_S, cut))
    made = (change(next(source)) for s, change in stretches for _ in range(s * RATE_HZ))
    return write_clip(path, made, rate_hz=RATE_HZ, gop=2 * RATE_HZ)


def judge(pictures: Iterator[tuple[float, Image]] | Iterator[tuple[float, Picture]]) -> Told:
    """What camera health tells, and when, in seconds of the video."""
    health, told = PictureHealth(), []
    for at_s, picture in pictures:
        at = T0 + timedelta(seconds=at_s)
        if isinstance(picture, Picture) and health.wants(at):
            verdict = health.look(picture.pixels.grey(LOOK_WIDTH_PX), at, None)
            if verdict is not None:
                told.append((at_s, None if verdict.fault is None else str(verdict.fault)))
    return told


def pictures_of(video: Path) -> Iterator[tuple[float, Picture]]:
    with parse_source(str(video)).open() as stream:
        for picture in stream:
            if isinstance(picture, Picture):
                yield picture.pts_s or 0.0, picture


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("view", ["theaiguys_test", "ahmetozlu_input_video"])
def test_each_fault_is_told_once_within_ten_seconds_and_over_within_ten(
    fault: str, view: str, views: dict[str, list[Image]], tmp_path: Path
) -> None:
    told = judge(pictures_of(camera_with(fault, views[view], tmp_path / "camera.mp4")))
    assert [what for _, what in told] == [fault, None]
    (began_s, _), (over_s, _) = told
    assert 0 < began_s - USUAL_S <= 10, f"told after {began_s - USUAL_S} s"
    assert 0 < over_s - USUAL_S - FAULT_S <= 10, f"over after {over_s - USUAL_S - FAULT_S} s"


@pytest.mark.parametrize("name", FIXED)
def test_ordinary_video_is_no_fault(name: str, material: Path) -> None:
    """Played there and back for two minutes at least, whatever its length."""
    pictures = [picture for _, picture in pictures_of(material / "video" / name)]
    kept = pictures[:: max(1, len(pictures) // 240)]
    twice_a_second = zip(itertools.count(0.0, 0.5), kept + kept[-2:0:-1], strict=False)
    assert judge(twice_a_second) == []


@pytest.mark.parametrize("fault", ["covered", "moved"])
def test_the_hub_is_told_of_it(fault: str, views: dict[str, list[Image]], tmp_path: Path) -> None:
    video = camera_with(fault, views["intel_one-by-one-person-detection"], tmp_path / "camera.mp4")
    config = EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": tmp_path / "data"},
            "broker": {"host": "127.0.0.1"},
            "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
            "cameras": [{"id": "gate", "source": str(video), "pace": "asap", "plates": False}],
        }
    )
    outbox = MemoryOutbox("0" * 16)
    run(config, Parts(networks=fake_networks(), outbox=outbox, publish=False))
    told = [decode(message.payload).event.data for message in outbox.after(0, 999)]
    states = [data.state for data in told if isinstance(data, CameraObservation)]
    assert states == ["online", fault, "online"]


@pytest.fixture
def camera(views: dict[str, list[Image]], tmp_path: Path) -> Iterator[RtspServer]:
    """A network camera that shows two minutes of a real view."""
    if not has_gst():
        pytest.skip("no GStreamer RTSP server: run scripts/test_servers.sh")
    source = there_and_back(views["theaiguys_test"])
    images = (cut(next(source)) for _ in range(120 * RATE_HZ))
    server = RtspServer(write_clip(tmp_path / "live.mp4", images, rate_hz=RATE_HZ)).start()
    yield server
    server.kill()


def test_unplugged_and_plugged_in_again(camera: RtspServer, tmp_path: Path) -> None:
    with Box(tmp_path, camera.url, "tcp") as box:
        wait_until(lambda: box.analysed >= 5)
        camera.kill()
        wait_until(lambda: box.states == ["online", "offline"], 10.0)
        time.sleep(12.0)  # it is tried again and again meanwhile
        assert box.states == ["online", "offline"]
        camera.start()
        wait_until(lambda: box.states == ["online", "offline", "online"], 10.0)
        time.sleep(3.0)
        assert box.states == ["online", "offline", "online"]


def test_a_clock_that_goes_wrong_and_is_set_right(camera: RtspServer, tmp_path: Path) -> None:
    """Its clock against ours: here it is ours that goes wrong."""
    off = timedelta()
    box = Box(tmp_path, camera.url, "tcp")
    box.parts.clocks = Clocks(now=lambda: datetime.now(UTC) + off)
    with box:
        wait_until(lambda: box.analysed >= 5)
        time.sleep(8.0)
        assert box.states == ["online"]
        off = timedelta(hours=1)
        wait_until(lambda: box.states == ["online", "wrong_time"], 10.0)
        off = timedelta()
        wait_until(lambda: box.states == ["online", "wrong_time", "online"], 10.0)
