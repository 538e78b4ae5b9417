"""One thread per stream: opens the source, picks frames, and opens it again when it goes away.

In: a `Source`. Out: each picked frame to a `FrameSink`, with the time it was captured; damaged frames
are counted and go nowhere. Never converts a picture, never raises out of its thread for a fault of the
source, never queues live video.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Literal, Protocol

from edge.counters import CameraCounters
from edge.frame import RawFrame, SceneEnd
from edge.sources import Damaged, Picture, Source, Stream
from edge.timing import Backoff, FramePicker, Increasing, LiveClock
from wire.errors import SourceError

log = logging.getLogger(__name__)

_MOST_BETWEEN_S: Final = 4.0  # a camera that is back is to be seen, and said to be, within 10 s


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall clock (aware UTC), monotonic seconds, as the process has them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic_s: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """How to play one source.

    `rate_hz` is the analysis rate. `starts_at` is the capture time of a file's first frame, None for
    the moment it is opened. `pace` is for finite sources.
    """

    camera: str
    rate_hz: float
    pace: Literal["realtime", "asap"] = "realtime"
    starts_at: datetime | None = None


class FrameSink(Protocol):
    """Where captured frames go. Called from the capture thread; must return at once for live video."""

    def frame(self, frame: RawFrame) -> None:
        """A frame to analyse."""
        ...

    def picture_came(self, at_s: float) -> None:
        """A sound picture came, at this monotonic time, whether it is picked or not."""
        ...

    def scene_ended(self, end: SceneEnd) -> None:
        """The continuous view ended."""
        ...

    def failed(self, reason: str) -> None:
        """The source cannot be read just now."""
        ...


class Capture:
    """Reads one source in a thread of its own until told to stop, or until a finite source ends.

    After the thread has ended, `error` says why a finite source could not be read, None otherwise.
    """

    def __init__(
        self,
        plan: CapturePlan,
        source: Source,
        sink: FrameSink,
        counters: CameraCounters,
        *,
        clocks: Clocks | None = None,
        random: Random | None = None,
    ) -> None:
        self.error: SourceError | None = None
        self._plan, self._source, self._sink, self._counters = plan, source, sink, counters
        self._clocks = clocks or Clocks()
        retries = random or Random()  # noqa: S311 - spreads them, no secret
        self._backoff = Backoff(retries, most_s=_MOST_BETWEEN_S)
        self._increasing = Increasing()
        self._sequence = 0
        self._opened_once = False
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"capture-{plan.camera}", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; a read that is stalled ends by its own time limit."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False when it still runs."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        """Whether the thread still reads."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            reason = self._play_once()
            final = self._stop.is_set() or not self._source.live
            self._sink.scene_ended(SceneEnd(reason, final=final))
            if final:
                return
            self._sink.failed(reason)
            wait_s = self._backoff.next_wait_s()
            log.info("camera %s: %s; again in %.1f s", self._plan.camera, reason, wait_s)
            self._stop.wait(wait_s)

    def _play_once(self) -> str:
        """Open and play; returns why it ended."""
        try:
            with self._source.open() as stream:
                if self._opened_once:
                    self._counters.reconnects += 1
                self._opened_once = True
                self._play(stream)
                return "the stream ended"
        except SourceError as error:
            if not self._source.live:
                self.error = error
                log.warning("camera %s: %s", self._plan.camera, error)
            return str(error)
        except Exception as error:  # a fault of ours costs this camera one connection, no more
            log.exception("camera %s: capture failed", self._plan.camera)
            self._counters.faults += 1
            return f"capture failed: {error!r}"

    def _play(self, stream: Stream) -> None:
        timeline = _Timeline(self._plan, self._source, self._clocks, stream.info.rate_hz)
        picker = FramePicker(self._plan.rate_hz)
        size: tuple[int, int] | None = None
        for picture in stream:
            if self._stop.is_set():
                return
            if isinstance(picture, Damaged):
                self._damaged(picture)
                continue
            self._counters.decoded += 1
            self._backoff.reset()
            pts_s = timeline.pts_s(picture)
            self._wait_until_due(timeline.due_s(pts_s))
            frame = self._stamp(picture, pts_s, timeline)
            self._sink.picture_came(frame.arrived_s)
            if size is not None and (size != picture.pixels.size_px or not self._source.continuous):
                self._sink.scene_ended(SceneEnd("another picture size, or another picture"))
            size = picture.pixels.size_px
            if picker.picks(pts_s):
                self._counters.picked += 1
                self._sink.frame(frame)

    def _damaged(self, damaged: Damaged) -> None:
        self._counters.corrupt += 1
        if self._counters.corrupt.bit_count() == 1:  # the 1st, 2nd, 4th, 8th …
            log.warning(
                "camera %s: damaged frame (%d so far): %s",
                self._plan.camera,
                self._counters.corrupt,
                damaged.reason,
            )

    def _wait_until_due(self, due_s: float | None) -> None:
        if due_s is not None and (wait_s := due_s - self._clocks.monotonic_s()) > 0:
            self._stop.wait(wait_s)

    def _stamp(self, picture: Picture, pts_s: float, timeline: "_Timeline") -> RawFrame:
        arrived_s = self._clocks.monotonic_s()
        captured_at = timeline.captured_at(pts_s, arrived_s)
        if self._increasing.was_set_back(captured_at):
            self._sink.scene_ended(SceneEnd("the clock was set back"))
            self._increasing = Increasing()
        frame = RawFrame(
            pixels=picture.pixels,
            camera=self._plan.camera,
            captured_at=self._increasing.after_last(captured_at),
            sequence=self._sequence,
            pts_s=pts_s,
            arrived_s=arrived_s,
            camera_clock=picture.camera_clock,
        )
        self._sequence += 1
        return frame


class _Timeline:
    """Times of one opened stream: a live one by its arrival, a finite one by its start and pts."""

    def __init__(
        self, plan: CapturePlan, source: Source, clocks: Clocks, rate_hz: float | None
    ) -> None:
        self._plan, self._live, self._clocks = plan, source.live, clocks
        # A source without times: still pictures come at the analysis rate, so that each is picked.
        self._step_s = 1.0 / (rate_hz if rate_hz and source.continuous else plan.rate_hz)
        self._smooth = LiveClock()
        self._first_pts_s: float | None = None
        self._index = 0
        self._opened_at, self._opened_s = clocks.now(), clocks.monotonic_s()

    def pts_s(self, picture: Picture) -> float:
        """The picture's time in the stream, made up by its number where it has none."""
        pts_s = picture.pts_s
        if pts_s is None:
            pts_s = self._clocks.monotonic_s() if self._live else self._index * self._step_s
        self._index += 1
        if self._first_pts_s is None:
            self._first_pts_s = pts_s
        return pts_s

    def due_s(self, pts_s: float) -> float | None:
        """When to show it, monotonic; None for at once."""
        if self._live or self._plan.pace == "asap" or self._first_pts_s is None:
            return None
        return self._opened_s + (pts_s - self._first_pts_s)

    def captured_at(self, pts_s: float, arrived_s: float) -> datetime:
        """When it was captured."""
        if not self._live:
            start = self._plan.starts_at or self._opened_at
            return start + timedelta(seconds=pts_s - (self._first_pts_s or 0.0))
        late_s = arrived_s - self._smooth.captured_s(pts_s, arrived_s)
        return self._clocks.now() - timedelta(seconds=late_s)


def plan_for_detail(plan: CapturePlan) -> CapturePlan:
    """The plan of a main stream beside a sub-stream: more frames, to find one near in time."""
    return replace(plan, rate_hz=min(60.0, 2.0 * plan.rate_hz))
