"""Whether a camera is there, decided purely, without flapping.

In: "a picture came", "it failed, because", "we are too slow to take one", and the monotonic time (a wall
clock that is set would take every camera away). Out: a `Change` once the camera has stayed away, or back,
for long enough; never two of one state in a row. A camera that never came counts as away.
"""

from dataclasses import dataclass, field
from typing import Literal

State = Literal["unknown", "online", "offline"]


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of the camera; `since_s` is when the first picture came, or the last one had come."""

    state: Literal["online", "offline"]
    since_s: float
    reason: str


@dataclass(slots=True)
class OnlineState:
    """State of one camera.

    A camera is offline when no picture came for `away_s`, and online again when pictures have come
    for `back_s` with no gap of `gap_s`. The very first picture counts at once: nothing was lost before.
    """

    started_s: float
    away_s: float = 8.0
    back_s: float = 3.0
    gap_s: float = 2.0
    state: State = field(default="unknown", init=False)
    _last_s: float | None = field(default=None, init=False)
    _run_since_s: float | None = field(default=None, init=False)
    _why: str = field(default="no picture has come yet", init=False)

    def picture(self, now_s: float) -> Change | None:
        """A sound picture came."""
        if self._run_since_s is None or now_s - (self._last_s or now_s) > self.gap_s:
            self._run_since_s = now_s
        self._last_s = now_s
        if self.state == "online":
            return None
        if self.state == "unknown" or now_s - self._run_since_s >= self.back_s:
            reason = "pictures come" if self.state == "unknown" else "pictures come again"
            self.state, self._why = "online", "no data"
            return Change("online", self._run_since_s, reason)
        return None

    def failed(self, reason: str) -> None:
        """The source could not be opened, or broke off. Says why, if it comes to that."""
        self._why = reason

    def held_up(self, now_s: float) -> None:
        """Up to now no picture could come, for nobody took the last one: the silence is ours."""
        if self._last_s is None:
            self.started_s = now_s
        else:
            self._last_s = now_s

    def tick(self, now_s: float) -> Change | None:
        """Time has passed."""
        since_s = self.started_s if self._last_s is None else self._last_s
        if self.state == "offline" or now_s - since_s < self.away_s:
            return None
        self.state, self._run_since_s = "offline", None
        return Change("offline", since_s, self._why)
