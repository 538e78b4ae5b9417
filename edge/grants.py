"""Grants: when a door or barrier was released, as whoever controls it says.

In: grants of devices, and whether word of them can come at all, from the relay adapter or a door system.
Out: which grants a device gave in a stretch of time; None where nobody could have told. Safe for several
threads.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

KEPT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Grant:
    """One release of `device` at `at`.

    `method` is what was shown, as `wire.messages.AccessObservation` names it; `reference` the plate, or the
    door system's number of the credential.
    """

    device: str
    at: datetime
    method: str
    reference: str = ""


@dataclass(slots=True)
class _Device:
    """`heard_since`: from when on no grant can have been missed; None while its signal is away."""

    heard_since: datetime | None = None
    grants: deque[Grant] = field(default_factory=deque)


class GrantBook:
    """The latest grants of all devices of one box."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: dict[str, _Device] = {}

    def connected(self, device: str, at: datetime) -> None:
        """From `at` on every grant of this device is told."""
        with self._lock:
            known = self._devices.setdefault(device, _Device())
            known.heard_since = known.heard_since or at

    def lost(self, device: str) -> None:
        """Grants of this device may be missed from now on: its signal is away."""
        with self._lock:
            self._devices.setdefault(device, _Device()).heard_since = None

    def add(self, grant: Grant) -> None:
        """The device was released. A device that is heard is connected."""
        with self._lock:
            known = self._devices.setdefault(grant.device, _Device())
            known.heard_since = known.heard_since or grant.at
            known.grants.append(grant)
            while known.grants[0].at < grant.at - KEPT:
                known.grants.popleft()

    def since(self, device: str, since: datetime, until: datetime) -> tuple[Grant, ...] | None:
        """Its grants from `since` to `until`, in time; None where it was not heard all that while."""
        with self._lock:
            known = self._devices.get(device)
            if known is None or known.heard_since is None or known.heard_since > since:
                return None
            found = [grant for grant in known.grants if since <= grant.at <= until]
        return tuple(sorted(found, key=lambda grant: grant.at))
