"""How far this box's clock is from the hub's, from the times in what the hub sends. Pure."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class ClockOffset:
    """Hub clock minus ours.

    A message arrives after it was sent, so each gives a value that is too low by its delay: the highest
    of the latest few is nearest to the truth. One that is `jump_s` away from that says that one of the
    clocks was set, and the count starts anew.
    """

    jump_s: float = 10.0

    _seen_ms: deque[float] = field(default_factory=lambda: deque(maxlen=32), init=False)

    def heard(self, sent_at: datetime, received_at: datetime) -> None:
        """The hub sent something at `sent_at` by its clock, and it came at `received_at` by ours."""
        offset_ms = (sent_at - received_at).total_seconds() * 1000.0
        if self._seen_ms and abs(offset_ms - max(self._seen_ms)) > 1000.0 * self.jump_s:
            self._seen_ms.clear()
        self._seen_ms.append(offset_ms)

    @property
    def offset_ms(self) -> int | None:
        """Milliseconds to add to our clock to get the hub's; None before anything was heard."""
        return round(max(self._seen_ms)) if self._seen_ms else None
