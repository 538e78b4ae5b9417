"""Time in a stream, decided purely: which frames to analyse, when they were captured, when to retry.

Every class takes the time as an argument and does no I/O.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

_LEAST_STEP = timedelta(milliseconds=1)
_SET_BACK = timedelta(seconds=2)


@dataclass(slots=True)
class FramePicker:
    """Picks frames at `rate_hz` by their place in the stream, however many the stream has.

    A jump of the stream's clock in either direction starts the count anew.
    """

    rate_hz: float
    _next_s: float | None = field(default=None, init=False)

    def picks(self, pts_s: float) -> bool:
        """Whether the frame at `pts_s` is to be analysed."""
        period_s = 1.0 / self.rate_hz
        due_s = self._next_s
        if due_s is None or not due_s - period_s - 1.0 < pts_s < due_s + period_s + 1.0:
            self._next_s = pts_s + period_s
            return True
        if pts_s < due_s - 1e-3:  # time bases round: 0.199999 is due at 0.2
            return False
        behind = pts_s - due_s >= period_s
        self._next_s = pts_s + period_s if behind else due_s + period_s
        return True


@dataclass(slots=True)
class LiveClock:
    """When a frame of a live stream was captured, from its arrival, smoothed by its stream time.

    Frames arrive early never, late often: so the least delay seen so far is nearest to the truth. It
    is let go at `drift` seconds a second, for the camera's clock and ours drift apart.
    """

    drift: float = 1e-3
    _offset_s: float | None = field(default=None, init=False)
    _last_pts_s: float = field(default=0.0, init=False)

    def captured_s(self, pts_s: float, arrived_s: float) -> float:
        """Capture time in the clock of `arrived_s`, never later than it."""
        offset_s = arrived_s - pts_s
        step_s = pts_s - self._last_pts_s
        if self._offset_s is None or not 0.0 <= step_s < 5.0 or offset_s > self._offset_s + 5.0:
            self._offset_s = offset_s
        else:
            self._offset_s = min(self._offset_s + self.drift * step_s, offset_s)
        self._last_pts_s = pts_s
        return pts_s + self._offset_s


@dataclass(slots=True)
class Increasing:
    """Makes times of one camera strictly increase, by a millisecond at least."""

    _last: datetime | None = field(default=None, init=False)

    def was_set_back(self, moment: datetime) -> bool:
        """Whether `moment` is so far before the last one that the clock must have been set."""
        return self._last is not None and moment < self._last - _SET_BACK

    def after_last(self, moment: datetime) -> datetime:
        """Return `moment` in UTC, or a little after the last one if it is not later."""
        moment = moment.astimezone(UTC)
        if self._last is not None:
            moment = max(moment, self._last + _LEAST_STEP)
        self._last = moment
        return moment


@dataclass(slots=True)
class Backoff:
    """Waits that double from `first_s` to `most_s`, each drawn from its upper half at random."""

    random: Random
    first_s: float = 0.5
    most_s: float = 30.0
    _attempt: int = field(default=0, init=False)

    def next_wait_s(self) -> float:
        """How long to wait before the next attempt."""
        whole_s = min(self.most_s, self.first_s * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return whole_s * (0.5 + 0.5 * self.random.random())

    def reset(self) -> None:
        """An attempt has succeeded."""
        self._attempt = 0
