"""Capture with sources that fail, stall and come back: no network, no waiting."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from edge.capture import Capture, CapturePlan, Clocks
from edge.counters import CameraCounters
from edge.frame import ArrayPixels, RawFrame, SceneEnd
from edge.sources import Damaged, Picture, StreamInfo
from edge.timing import Backoff
from tests.unit.edge.fakes import T0
from wire.errors import SourceError


def shown(pts_s: float | None, size: tuple[int, int] = (32, 24)) -> Picture:
    return Picture(ArrayPixels(np.zeros((size[1], size[0], 3), np.uint8)), pts_s)


class FakeStream:
    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.info = StreamInfo("fake", 32, 24, 25.0)

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item


@dataclass
class FakeSource:
    """Opens one script after another; an exception instead of a script is raised by `open`."""

    scripts: list[Any]
    live: bool = True
    continuous: bool = True
    name: str = "fake"
    when_done: Callable[[], None] = lambda: None

    def open(self) -> FakeStream:
        if not self.scripts:
            self.when_done()
            raise SourceError("fake: no more")
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        return FakeStream(script)


@dataclass
class Sink:
    log: list[Any] = field(default_factory=list)
    frames: list[RawFrame] = field(default_factory=list)

    def frame(self, frame: RawFrame) -> None:
        self.frames.append(frame)
        self.log.append(frame.pts_s)

    def picture_came(self, at_s: float) -> None:
        pass

    def scene_ended(self, end: SceneEnd) -> None:
        self.log.append("final" if end.final else "end")

    def failed(self, reason: str) -> None:
        self.log.append(reason)


def play(
    source: FakeSource, *, rate_hz: float = 25.0, monkeypatch: pytest.MonkeyPatch, **plan: Any
) -> tuple[Sink, CameraCounters, Capture]:
    monkeypatch.setattr(Backoff, "next_wait_s", lambda self: 0.001)
    sink, counters = Sink(), CameraCounters()
    capture = Capture(
        CapturePlan("gate", rate_hz, **plan), source, sink, counters, random=Random(1)
    )
    source.when_done = capture.stop
    capture.start()
    assert capture.join(10)
    return sink, counters, capture


def test_a_live_source_is_opened_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource(
        [
            SourceError("fake: Connection refused"),
            [shown(0.0), shown(0.04)],
            [shown(0.0), SourceError("fake broke off: no data for 5 s")],
            [shown(0.0)],
        ]
    )
    sink, counters, capture = play(source, monkeypatch=monkeypatch)
    assert sink.log[:9] == [
        "end",
        "fake: Connection refused",
        0.0,
        0.04,
        "end",
        "the stream ended",
        0.0,
        "end",
        "fake broke off: no data for 5 s",
    ]
    assert counters.reconnects == 2
    assert capture.error is None
    times = [frame.captured_at for frame in sink.frames]
    assert times == sorted(set(times))
    assert [frame.sequence for frame in sink.frames] == [0, 1, 2, 3]


def test_a_fault_of_ours_costs_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[shown(0.0), RuntimeError("bug")], [shown(0.0)]])
    sink, counters, _ = play(source, monkeypatch=monkeypatch)
    assert counters.faults == 1
    assert len(sink.frames) == 2


def test_damaged_frames_are_counted_and_go_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[Damaged("x"), shown(0.0), Damaged("y"), shown(0.04)]])
    sink, counters, _ = play(source, monkeypatch=monkeypatch)
    assert (counters.corrupt, counters.decoded) == (2, 2)
    assert len(sink.frames) == 2


def test_only_frames_of_the_analysis_rate_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[shown(n / 25) for n in range(100)]], live=False)
    sink, counters, _ = play(source, rate_hz=5.0, pace="asap", monkeypatch=monkeypatch)
    assert counters.decoded == 100
    assert counters.picked == len(sink.frames) == 20
    assert sink.log[-1] == "final"


def test_a_files_times_are_its_start_and_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[shown(7.0), shown(7.5), shown(9.0)]], live=False)
    sink, _, _ = play(source, pace="asap", starts_at=T0, monkeypatch=monkeypatch)
    assert [(f.captured_at - T0).total_seconds() for f in sink.frames] == [0.0, 0.5, 2.0]


def test_a_file_in_real_time_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[shown(0.0), shown(0.3)]], live=False)
    sink, _, _ = play(source, monkeypatch=monkeypatch)
    assert 0.28 < sink.frames[1].arrived_s - sink.frames[0].arrived_s < 1.0


def test_a_clock_that_is_set_back_ends_the_scene_and_does_not_stop_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([T0 + timedelta(hours=1)] * 3 + [T0 + timedelta(seconds=n) for n in range(9)])
    monkeypatch.setattr(Backoff, "next_wait_s", lambda self: 0.001)
    sink = Sink()
    source = FakeSource([[shown(0.0), shown(0.2), shown(0.4), shown(0.6)]])
    clocks = Clocks(now=lambda: next(times))
    plan = CapturePlan("gate", 25.0)
    capture = Capture(plan, source, sink, CameraCounters(), clocks=clocks)
    source.when_done = capture.stop
    capture.start()
    assert capture.join(10)
    assert sink.log[:5] == [0.0, 0.2, "end", 0.4, 0.6]
    assert sink.frames[2].captured_at < T0 + timedelta(seconds=1)
    assert sink.frames[3].captured_at > sink.frames[2].captured_at


def test_another_size_ends_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([[shown(0.0), shown(0.04, (64, 48)), shown(0.08, (64, 48))]], live=False)
    sink, _, _ = play(source, pace="asap", monkeypatch=monkeypatch)
    assert sink.log == [0.0, "end", 0.04, 0.08, "final"]


def test_every_picture_of_a_folder_is_a_scene_and_none_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = FakeSource([[shown(None)] * 4], live=False, continuous=False)
    sink, counters, _ = play(source, rate_hz=5.0, pace="asap", monkeypatch=monkeypatch)
    assert counters.picked == 4
    assert [entry for entry in sink.log if isinstance(entry, str)] == ["end"] * 3 + ["final"]
    steps = np.diff([frame.captured_at.timestamp() for frame in sink.frames])
    assert steps == pytest.approx([0.2] * 3)


def test_a_finite_source_that_cannot_be_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    error = SourceError("fake: there is no such file")
    sink, _, capture = play(FakeSource([error], live=False), monkeypatch=monkeypatch)
    assert capture.error is error
    assert sink.log == ["final"]


def test_it_stops_when_told_even_while_it_waits() -> None:
    waiting = threading.Event()

    class Patient(Sink):
        def failed(self, reason: str) -> None:
            waiting.set()

    capture = Capture(
        CapturePlan("gate", 5.0), FakeSource([SourceError("x")] * 99), Patient(), CameraCounters()
    )
    capture.start()
    assert waiting.wait(5)
    started = datetime.now()
    capture.stop()
    assert capture.join(5)
    assert datetime.now() - started < timedelta(seconds=2)
