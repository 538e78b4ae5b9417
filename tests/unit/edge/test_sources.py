"""Sources: files sound, damaged, cut short and of changing size; folders; what cannot be opened."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.sources import Damaged, FolderSource, Picture, VideoSource, parse_source
from tests.unit.edge.clips import flip_bytes, texture, write_clip
from wire.errors import SourceError


def read(path: Path | str) -> tuple[list[Picture], list[Damaged]]:
    pictures, damaged = [], []
    with parse_source(str(path)).open() as stream:
        for item in stream:
            (pictures if isinstance(item, Picture) else damaged).append(item)  # type: ignore[arg-type]
    return pictures, damaged


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    paint = texture()
    return write_clip(tmp_path / "clip.mp4", (paint(n) for n in range(50)))


def test_a_sound_file_gives_every_frame_with_its_time(clip: Path) -> None:
    pictures, damaged = read(clip)
    assert len(pictures) == 50
    assert damaged == []
    assert pictures[25].pts_s == pytest.approx(1.0)
    with parse_source(str(clip)).open() as stream:
        info = stream.info
    assert (info.codec, info.width_px, info.height_px, info.rate_hz) == ("h264", 320, 240, 25.0)


def test_grey_and_colour_are_of_one_picture(clip: Path) -> None:
    pixels = read(clip)[0][10].pixels
    assert pixels.size_px == (320, 240)
    bgr, grey = pixels.bgr(), pixels.grey(160)
    assert (bgr.shape, bgr.dtype) == ((240, 320, 3), np.uint8)
    assert (grey.shape, grey.dtype) == ((120, 160), np.uint8)
    expected = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (160, 120), interpolation=3)
    # Video luma has 16 to 235, a converted picture 0 to 255.
    assert np.corrcoef(grey.ravel().astype(float), expected.ravel().astype(float))[0, 1] > 0.9


def test_damage_is_flagged_and_the_rest_is_read(clip: Path, tmp_path: Path) -> None:
    for seed in range(5):
        broken = flip_bytes(clip, tmp_path / "broken.mp4", count=40, seed=seed)
        pictures, damaged = read(broken)
        assert damaged, "flipped bytes went unnoticed"
        assert len(pictures) + len(damaged) >= 40
        assert pictures


def test_a_file_cut_short_gives_what_there_is(tmp_path: Path) -> None:
    paint = texture()
    whole = write_clip(tmp_path / "whole.ts", (paint(n) for n in range(50)))
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    pictures, damaged = read(cut)
    assert 20 < len(pictures) < 50
    assert len(damaged) <= 2


def test_a_change_of_size_is_followed(tmp_path: Path) -> None:
    small, large = texture((320, 240)), texture((640, 480))
    first = write_clip(tmp_path / "a.h264", (small(n) for n in range(20)))
    second = write_clip(tmp_path / "b.h264", (large(n) for n in range(20)))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    sizes = [picture.pixels.size_px for picture in read(joined)[0]]
    assert (320, 240) in sizes
    assert sizes[-1] == (640, 480)
    assert read(joined)[0][-1].pixels.bgr().shape == (480, 640, 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file or folder"),
        (b"", "cannot be opened"),
        (b"this is no video" * 99, "cannot be opened"),
    ],
)
def test_what_is_no_video_is_said_to_be_none(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_stream_that_nobody_serves_cannot_be_opened_and_its_password_stays_secret() -> None:
    source = parse_source("rtsp://viewer:secret@127.0.0.1:9/live")
    assert source.live
    assert source.name == "rtsp://127.0.0.1:9/live"
    with pytest.raises(SourceError) as caught:
        source.open()
    assert "secret" not in str(caught.value)
    assert "refused" in str(caught.value)


def test_device_numbers_and_paths_are_usb_cameras() -> None:
    for text in ("0", "/dev/video0"):
        source = parse_source(text)
        assert isinstance(source, VideoSource)
        assert (source.url, source.container_format, source.live) == ("/dev/video0", "v4l2", True)
    with pytest.raises(SourceError, match="/dev/video77 cannot be opened"):
        parse_source("77").open()


def test_a_folder_gives_its_pictures_by_name_and_flags_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for number, name in enumerate(("皖A00D82.png", "b/2.jpg", "a.jpg")):
        ok, data = cv2.imencode(Path(name).suffix, np.full((20 + number, 30, 3), 9, np.uint8))
        assert ok
        (tmp_path / name).write_bytes(data.tobytes())
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    pictures, damaged = read(tmp_path)
    assert [picture.pixels.size_px for picture in pictures] == [(30, 22), (30, 21), (30, 20)]
    assert len(damaged) == 1
    assert "c.jpg" in damaged[0].reason


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no pictures"):
        FolderSource(tmp_path).open()
    (tmp_path / "c.jpg").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="none of its 1 pictures"):
        FolderSource(tmp_path).open()
