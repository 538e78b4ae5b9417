"""How often somebody may ask. Pure but for its memory, which is bounded; time is an argument.

In: whose turn it is and when. Out: None, or how long they have to wait. A generic cell rate: a burst of
`count` at once, and after that as many in each `period`.
"""

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

_REMEMBERED: Final = 20_000


@dataclass(slots=True)
class Throttle:
    """Safe for use by several threads."""

    count: int
    period: timedelta
    _free_at: OrderedDict[str, datetime] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hit(self, who: str, now: datetime) -> timedelta | None:
        """Count a request of `who`. None when it may pass, else for how long it may not."""
        step = self.period / self.count
        with self._lock:
            free_at = max(self._free_at.pop(who, now), now)
            wait = free_at + step - now - self.period
            if wait > timedelta():
                self._free_at[who] = free_at
                return wait
            self._free_at[who] = free_at + step
            if len(self._free_at) > _REMEMBERED:
                self._free_at.popitem(last=False)
            return None

    def is_full(self, who: str, now: datetime) -> bool:
        """Whether a request of `who` could not pass now; counts none."""
        with self._lock:
            free_at = self._free_at.get(who, now)
        return free_at + self.period / self.count - now > self.period


def network_of(address: str) -> str:
    """Whom an address counts as: itself, or with IPv6 its /64, which is one household's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(parsed)
