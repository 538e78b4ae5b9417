"""Whether a camera is there, decided purely, without flapping.

In: "a picture came", "it failed, because", and the time. Out: a `Change` once the camera has stayed away,
or back, for long enough; never two of one state in a row. A camera that never came counts as away.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

State = Literal["unknown", "online", "offline"]


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of the camera; `since` is when the first picture came, or the last one had come."""

    state: Literal["online", "offline"]
    since: datetime
    reason: str


@dataclass(slots=True)
class OnlineState:
    """State of one camera.

    A camera is offline when no picture came for `away_s`, and online again when pictures have come
    for `back_s` with no gap of `gap_s`. The very first picture counts at once: nothing was lost before.
    """

    started_at: datetime
    away_s: float = 10.0
    back_s: float = 3.0
    gap_s: float = 2.0
    state: State = field(default="unknown", init=False)
    _last_at: datetime | None = field(default=None, init=False)
    _run_since: datetime | None = field(default=None, init=False)
    _why: str = field(default="no picture has come yet", init=False)

    def picture(self, now: datetime) -> Change | None:
        """A sound picture came."""
        if self._run_since is None or self._gap(now) > self.gap_s:
            self._run_since = now
        self._last_at = now
        if self.state == "online":
            return None
        steady_s = (now - self._run_since).total_seconds()
        if self.state == "unknown" or steady_s >= self.back_s:
            reason = "pictures come" if self.state == "unknown" else "pictures come again"
            self.state, self._why = "online", "no data"
            return Change("online", self._run_since, reason)
        return None

    def failed(self, reason: str) -> None:
        """The source could not be opened, or broke off. Says why, if it comes to that."""
        self._why = reason

    def tick(self, now: datetime) -> Change | None:
        """Time has passed."""
        since = self._last_at or self.started_at
        if self.state == "offline" or now - since < timedelta(seconds=self.away_s):
            return None
        self.state, self._run_since = "offline", None
        return Change("offline", since, self._why)

    def _gap(self, now: datetime) -> float:
        return (now - self._last_at).total_seconds() if self._last_at else 0.0
