"""Who is registered at this hub, in the way of GA/T 1400.

Pure but for its memory, which has a place for each peer. In: a registration, a request, the time. Out:
whether the sender is known. A session holds for the address from which the peer registered, and lapses after
some silence; any request renews it. A hub that was started anew knows nobody: peers register again when they
are answered 401.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Peer:
    """A command centre. `id` is our name for it, `device_id` its own."""

    id: str
    device_id: str
    username: str

    @property
    def actor(self) -> str:
        """Who it is in the audit log, and as the requester of entries."""
        return f"viid:{self.id}"


@dataclass(slots=True)
class Sessions:
    """Safe for use by several threads."""

    lasts: timedelta
    _heard: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, device_id: str, address: str, now: datetime) -> None:
        """A peer has registered."""
        with self._lock:
            self._heard[device_id] = (address, now)

    def is_live(self, device_id: str, address: str, now: datetime) -> bool:
        """Whether a request of that peer, from there, is within its session; renews it."""
        with self._lock:
            begun_at, heard_at = self._heard.get(device_id, ("", now))
            if begun_at != address or not address or now - heard_at > self.lasts:
                return False
            self._heard[device_id] = (address, now)
            return True

    def end(self, device_id: str) -> None:
        """A peer has said good-bye."""
        with self._lock:
            self._heard.pop(device_id, None)
