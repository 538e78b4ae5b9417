"""Clips: the stream's own packets, from a key picture before the moment, whatever the camera sends."""

import hashlib
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from edge.annexb import NalFormat, join, split
from edge.clip import ClipMaker, clip_offer, packet_taps
from edge.config import EdgeConfig
from edge.mp4 import mux
from edge.packets import Cut, Limits, NoClip, Packet, PacketFormat, PacketRing, playing_times
from edge.sources import parse_source
from edge.tap import PacketTap
from tests.unit.edge.clips import texture
from tests.unit.edge.fakes import T0
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.messages import ClipOffer, EvidenceReply
from wire.mp4 import index_first

FORM = PacketFormat("h264", 640, 360)
HZ = Fraction(1, 25)


def packet(
    number: int, *, key: bool = False, size: int = 10, sets: tuple[bytes, ...] = ()
) -> Packet:
    return Packet(bytes(size), number, number, HZ, key, sets)


def filled(
    ring: PacketRing, seconds: range, *, form: PacketFormat = FORM, gop: int = 25, size: int = 10
) -> PacketRing:
    """25 pictures a second, a key picture every `gop`."""
    for number in range(seconds.start * 25, seconds.stop * 25):
        key = number % gop == 0
        ring.add(packet(number, key=key, size=size), form, T0 + timedelta(seconds=number / 25))
    return ring


def span(cut: Cut | NoClip) -> tuple[float, float]:
    assert isinstance(cut, Cut), cut
    assert cut.held[0].packet.is_key
    return (cut.starts_at - T0).total_seconds(), (cut.ends_at - T0).total_seconds()


def at(seconds: float) -> Any:
    return T0 + timedelta(seconds=seconds)


class TestRing:
    def test_a_cut_starts_at_a_key_picture_before_what_was_asked_for(self) -> None:
        ring = filled(PacketRing(Limits(30, 1 << 20)), range(20))
        assert span(ring.cut(at(10.3), 5, 5)) == (5.0, 15.28)
        assert span(ring.cut(at(2.3), 5, 2)) == (0.0, 4.28)

    def test_it_keeps_its_seconds_and_whole_groups(self) -> None:
        ring = filled(PacketRing(Limits(8, 1 << 20)), range(60), gop=100)
        assert span(ring.cut(at(59), 9, 1)) == (48.0, 59.96)
        assert isinstance(ring.cut(at(40), 5, 5), NoClip)

    def test_it_keeps_its_bytes(self) -> None:
        ring = filled(PacketRing(Limits(600, 100_000)), range(60), size=1000)
        assert ring.held_bytes <= 100_000
        first, last = span(ring.cut(at(59), 60, 60))
        assert (first, last) == (56.0, 59.96)

    def test_a_group_larger_than_the_ring_is_none_and_the_next_is_taken(self) -> None:
        ring = PacketRing(Limits(600, 20_000))
        filled(ring, range(10), size=1000)
        assert ring.held_bytes <= 20_000
        filled(ring, range(10, 12), size=100)
        assert span(ring.cut(at(11.5), 9, 9))[0] >= 10.0

    def test_nothing_yet_and_nothing_any_more(self) -> None:
        ring = PacketRing(Limits(5, 1 << 20))
        assert ring.cut(T0, 5, 5) == NoClip(
            "no stream has been received since the edge was started"
        )
        filled(ring, range(30))
        late = ring.cut(at(3), 5, 5)
        assert isinstance(late, NoClip)
        assert "too late" in late.reason
        assert ring.cut(at(90), 5, 5) == NoClip("the camera sent nothing at that moment")

    def test_what_stands_before_the_first_key_picture_is_left_out(self) -> None:
        ring = PacketRing(Limits(30, 1 << 20))
        for number in range(7, 60):
            ring.add(packet(number, key=number % 25 == 0), FORM, at(number / 25))
        assert span(ring.cut(at(2), 5, 5)) == (1.0, 59 / 25)

    @pytest.mark.parametrize("border", ["opened", "size", "sets", "clock"])
    def test_a_cut_never_reaches_over_a_border(self, border: str) -> None:
        ring = filled(PacketRing(Limits(60, 1 << 20)), range(10))
        form, sets, ahead = FORM, (), 0
        if border == "opened":
            ring.begin()
        if border == "size":
            form = PacketFormat("h264", 1280, 720)
        if border == "sets":
            sets = (b"another",)
        if border == "clock":
            ahead = 25 * 3600
        for number in range(250, 400):
            key = number % 25 == 0
            ring.add(packet(number + ahead, key=key, sets=sets), form, at(number / 25))
        assert span(ring.cut(at(9), 5, 5)) == (4.0, 9.96)
        assert span(ring.cut(at(12), 5, 1)) == (10.0, 13.0)


class TestTimes:
    def test_b_frames_without_decoding_times(self) -> None:
        shown = [0, 4, 2, 1, 3, 8, 6, 5, 7]  # in the order of the stream
        packets = [Packet(b"x", n, None, HZ, n == 0) for n in shown]
        times = playing_times(packets)
        assert [pts - times[0][1] for _, pts, _ in times] == shown
        self._are_sound(times)

    def test_leading_pictures_of_an_open_group_are_left_out(self) -> None:
        packets = [Packet(b"x", n, None, HZ, n == 8) for n in (8, 6, 7, 9, 10)]
        times = playing_times(packets)
        assert [p.pts for p, _, _ in times] == [8, 9, 10]
        self._are_sound(times)

    def test_no_times_at_all(self) -> None:
        times = playing_times([Packet(b"x", None, None, Fraction(1, 90000), True)] * 3)
        assert [(pts, dts) for _, pts, dts in times] == [(0, 0), (3600, 3600), (7200, 7200)]

    def test_times_that_repeat_or_only_decoding_times(self) -> None:
        self._are_sound(playing_times([Packet(b"x", n, n, HZ, True) for n in (5, 5, 5, 6)]))
        times = playing_times([Packet(b"x", None, n, HZ, True) for n in (5, 6, 8)])
        assert [pts for _, pts, _ in times] == [0, 1, 3]

    def _are_sound(self, times: list[tuple[Packet, int, int]]) -> None:
        decoding = [dts for _, _, dts in times]
        assert decoding[0] == 0
        assert decoding == sorted(set(decoding))
        assert all(pts >= dts for _, pts, dts in times)


def encoded(
    target: Any, codec: str, form: str, *, b_frames: int = 0, size: tuple[int, int] = (320, 240),
    count: int = 250, header: bool = False,
) -> None:  # fmt: skip
    paint = texture(size)
    with av.open(target, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec != "mjpeg":
            stream.options = {"g": "25", "bf": str(b_frames), "preset": "ultrafast"}
        if codec == "libx265":
            stream.options |= {"x265-params": f"log-level=error:bframes={b_frames}:keyint=25"}
        if header:
            stream.codec_context.flags |= av.codec.context.Flags.global_header
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(paint(number), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def played(path: Path, **limits: Any) -> PacketTap:
    tap = PacketTap(
        Limits(limits.get("seconds", 60), 1 << 24), live=False, now=lambda: T0, starts_at=T0
    )
    with parse_source(str(path), tap=tap).open() as stream:
        for _ in stream:
            pass
    return tap


@pytest.mark.parametrize(
    ("codec", "suffix", "b_frames", "header"),
    [
        ("libx264", "mp4", 0, True),  # length-prefixed, parameter sets in the header only
        ("libx264", "mp4", 3, True),
        ("libx264", "ts", 0, False),  # start codes, parameter sets in the stream
        ("libx264", "ts", 3, False),
        ("libx265", "mp4", 3, True),
        ("libx265", "ts", 0, False),
        ("mjpeg", "avi", 0, False),
    ],
)
def test_the_clip_of_any_stream_plays_and_shows_the_same_pictures(
    tmp_path: Path, codec: str, suffix: str, b_frames: int, header: bool
) -> None:
    path = tmp_path / f"camera.{suffix}"
    form = {"ts": "mpegts"}.get(suffix, suffix)
    encoded(str(path), codec, form, b_frames=b_frames, header=header)
    cut = played(path).cut(at(5), 2.5, 2)
    first, last = span(cut)
    assert first <= 2.5 < first + 1.01
    assert last == pytest.approx(7, abs=0.2)
    assert isinstance(cut, Cut)
    file = mux(cut)
    assert file.index(b"moov") < file.index(b"mdat")
    clip = pictures(io.BytesIO(file))
    whole = pictures(str(path))
    assert len(clip) >= len(cut.held) - 4  # B-frames at the end may lack what they rest on
    offset = round(first * 25)
    for number in (0, 1, 30, 60):
        assert np.array_equal(clip[number], whole[offset + number])


def pictures(source: Any) -> list[np.ndarray]:
    with av.open(source) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_a_stream_that_changes_its_resolution_gives_one_clip_of_each(tmp_path: Path) -> None:
    path = tmp_path / "camera.h264"
    with path.open("wb") as file:
        for size in ((320, 240), (640, 480)):
            part = io.BytesIO()
            encoded(part, "libx264", "h264", size=size, count=75)
            file.write(part.getvalue())
    tap = PacketTap(Limits(60, 1 << 24), live=True, now=Clock(1 / 25))
    with parse_source(str(path), tap=tap).open() as stream:
        for _ in stream:
            pass
    for moment, size in ((2.0, (320, 240)), (5.0, (640, 480))):
        cut = tap.cut(at(moment), 10, 10)
        assert isinstance(cut, Cut)
        with av.open(io.BytesIO(mux(cut))) as clip:
            sizes = {(frame.width, frame.height) for frame in clip.decode(video=0)}
        assert sizes == {size}
        assert len(cut.held) == 75


class Clock:
    """A clock that goes on by the same step whenever it is read."""

    def __init__(self, step_s: float) -> None:
        self._step_s, self._reads = step_s, 0

    def __call__(self) -> Any:
        self._reads += 1
        return at(self._reads * self._step_s)


def test_a_codec_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    path = tmp_path / "old.avi"
    encoded(str(path), "mpeg4", "avi", count=30)
    assert played(path).cut(T0, 5, 5) == NoClip(
        "the camera sends mpeg4, which a clip cannot hold as it is"
    )


def test_an_index_in_front_is_left_there(tmp_path: Path) -> None:
    path = tmp_path / "camera.ts"
    encoded(str(path), "libx264", "mpegts", count=50)
    cut = played(path).cut(at(1), 1, 1)
    assert isinstance(cut, Cut)
    file = mux(cut)
    assert index_first(file) == file


class TestNals:
    def test_start_codes_of_either_length(self) -> None:
        assert list(split(b"\x00\x00\x01ab\x00\x00\x00\x01cd\x00")) == [b"ab", b"cd"]
        assert list(split(b"no start code")) == []
        assert join([b"ab"]) == b"\x00\x00\x00\x01ab"

    def test_a_damaged_packet_gives_what_stands_before_the_damage(self) -> None:
        nal = NalFormat("h264", 4, ())
        good = b"\x00\x00\x00\x02ab"
        assert nal.units(good + b"\x00\x00\xff\xffcd") == [b"ab"]
        assert nal.annexb(good) == b"\x00\x00\x00\x01ab"

    @pytest.mark.parametrize("codec", ["h264", "hevc"])
    def test_a_header_that_is_cut_short_is_refused(self, codec: str) -> None:
        with pytest.raises(ValueError, match="cut short"):
            NalFormat.of_header(codec, b"\x01" + b"\xff" * 23)

    def test_sets_of_the_packet_win_over_those_of_the_header(self) -> None:
        nal = NalFormat.of_header("h264", join([b"\x67old", b"\x68old"]))
        assert nal.sets == (b"\x67old", b"\x68old")
        data, sets = nal.key_picture(join([b"\x67new", b"\x68new", b"\x65picture"]))
        assert sets == (b"\x67new", b"\x68new")
        assert b"old" not in data
        data, sets = nal.key_picture(join([b"\x65picture"]))
        assert data == join([b"\x67old", b"\x68old", b"\x65picture"])


class FakePackets:
    """A camera whose ring has what `there` says, up to `latest`."""

    def __init__(self, there: Cut | NoClip, latest: float) -> None:
        self.there, self.latest = there, latest
        self.asked: list[tuple[float, float]] = []

    def reaches(self, moment: Any) -> bool:
        return self.latest >= (moment - T0).total_seconds()

    def cut(self, moment: Any, before_s: float, after_s: float) -> Cut | NoClip:
        self.asked.append((before_s, after_s))
        return self.there


class Sent:
    def __init__(self) -> None:
        self.replies: list[tuple[EvidenceReply, bytes | None]] = []
        self._came = threading.Condition()

    def __call__(self, reply: EvidenceReply, data: bytes | None) -> None:
        with self._came:
            self.replies.append((reply, data))
            self._came.notify()

    def wait(self, count: int) -> list[tuple[EvidenceReply, bytes | None]]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.replies) >= count, 20)
        return self.replies


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    path = tmp_path_factory.mktemp("clips") / "camera.ts"
    encoded(str(path), "libx264", "mpegts", count=100)
    found = played(path).cut(at(2), 1, 1)
    assert isinstance(found, Cut)
    return found


MakeMaker = Callable[[FakePackets, float], tuple[ClipMaker, Sent]]


@pytest.fixture
def maker() -> Any:
    made: list[ClipMaker] = []

    def make(packets: FakePackets, now_s: float = 0.0) -> tuple[ClipMaker, Sent]:
        sent = Sent()
        offer = ClipOffer(before_s=4, after_s=3)
        clips = ClipMaker({"gate": packets}, offer, sent, monotonic_s=lambda: now_s)
        clips.start()
        made.append(clips)
        return clips, sent

    yield make
    for clips in made:
        clips.stop(5)


ID = "00000000-0000-4000-8000-000000000001"


class TestMaker:
    def test_a_clip_is_hashed_and_sent(self, maker: MakeMaker, cut: Cut) -> None:
        packets = FakePackets(cut, latest=99)
        clips, sent = maker(packets, 0.0)
        assert clips.note(ID, "gate", at(2)) == ClipOffer(before_s=4, after_s=3)
        clips.ask(ID)
        ((reply, data),) = sent.wait(1)
        assert data is not None
        assert (reply.state, reply.name, reply.size_bytes) == ("sent", "clip", len(data))
        assert reply.sha256 == hashlib.sha256(data).hexdigest()
        assert (reply.starts_at, reply.ends_at) == (cut.starts_at, cut.ends_at)
        assert packets.asked == [(4, 3)]

    def test_a_wish_before_the_end_waits_for_it_and_counts_once(
        self, maker: MakeMaker, cut: Cut
    ) -> None:
        packets = FakePackets(cut, latest=3)
        clips, sent = maker(packets, 0.0)
        clips.note(ID, "gate", at(2))
        clips.ask(ID)
        clips.ask(ID)
        threading.Event().wait(0.5)
        assert sent.replies == []
        assert clips.busy
        packets.latest = 5
        assert len(sent.wait(1)) == 1
        assert len(packets.asked) == 1

    def test_what_is_gone_is_said_to_be(self, maker: MakeMaker) -> None:
        clips, sent = maker(FakePackets(NoClip("newer pictures"), latest=99), 0.0)
        clips.note(ID, "gate", at(2))
        clips.ask(ID)
        clips.ask(ID[:-1] + "2")
        replies = {reply.observation_id: reply for reply, data in sent.wait(2) if data is None}
        assert {reply.state for reply in replies.values()} == {"gone"}
        assert replies[ID].reason == "newer pictures"
        assert "remembers no such" in str(replies[ID[:-1] + "2"].reason)

    def test_a_camera_without_packets_offers_none(self, maker: MakeMaker, cut: Cut) -> None:
        clips, _ = maker(FakePackets(cut, latest=99), 0.0)
        assert clips.note(ID, "folder", T0) is None


def test_which_cameras_have_clips(tmp_path: Path) -> None:
    file = {
        "edge": {"site": "yard", "id": "box", "data_dir": tmp_path},
        "broker": {"host": "127.0.0.1"},
        "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
        "cameras": [
            {"id": "live", "source": "rtsp://127.0.0.1/x"},
            {"id": "pictures", "source": str(tmp_path)},
            {"id": "hidden", "source": "0", "privacy": [[[0, 0], [1, 0], [1, 1]]]},
        ],
    }
    config = EdgeConfig.model_validate(file)
    assert list(packet_taps(config, lambda: T0)) == ["live"]
    assert clip_offer(config.evidence) == ClipOffer(before_s=6, after_s=6)
    none = EdgeConfig.model_validate({**file, "evidence": {"clip_ring_mb": 0}})
    assert packet_taps(none, lambda: T0) == {}
