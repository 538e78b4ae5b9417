"""What to send next, and when to send it again: the decision under the publisher.

In: what happened (connected, sent, acknowledged, the hub came or went) with its time. Out: from which
place in the outbox to send how many messages, and when to look again. Pure; knows no MQTT, no disk.

States of the link, and what each event does to the cursor (the place behind which to send on):

    event                           cursor      time limit
    the connection is there         to 0        first again
    the hub has a new session       to 0        first again
    something was acknowledged      stays       first again
    nothing was, for the limit      to 0        doubles, up to the most
    the hub says that it is off     stays       only one message is tried, until it is back
    the connection is lost          stays       nothing is sent until it is back

A hub that is said to be off still gets that one message: what says so may be a stale will, left by
a connection that broke after the hub had made the next one.
"""

from dataclasses import dataclass, field

FIRST_TIMEOUT_S = 5.0
MOST_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Send up to `limit` messages that lie behind `position`."""

    position: int
    limit: int


@dataclass(slots=True)
class Delivery:
    """Sends in order, at most `window` messages ahead of the hub's acknowledgement."""

    window: int = 256
    first_timeout_s: float = FIRST_TIMEOUT_S
    most_timeout_s: float = MOST_TIMEOUT_S
    _connected: bool = field(default=False, init=False)
    _hub_session: str | None = field(default=None, init=False)
    _hub_online: bool = field(default=True, init=False)  # until it is heard to be off
    _cursor: int = field(default=0, init=False)
    _timeout_s: float = field(default=FIRST_TIMEOUT_S, init=False)
    _deadline_s: float | None = field(default=None, init=False)

    @property
    def cursor(self) -> int:
        """Up to where messages have been sent in this round."""
        return self._cursor

    @property
    def hub_online(self) -> bool:
        """False once the hub has said that it is off."""
        return self._hub_online

    def connected(self) -> None:
        """The broker has taken our connection. What the hub's state is will be heard anew."""
        self._connected, self._hub_online = True, True
        self._start_over()

    def disconnected(self) -> None:
        """The connection is lost."""
        self._connected = False

    def hub_said(self, session_id: str, *, online: bool, retained: bool = False) -> None:
        """The hub's status was heard. One that is off in a session we do not know is stale news.

        A `retained` one is what the broker had kept when we connected, and all has just been sent.
        """
        if online:
            is_new = session_id != self._hub_session or not self._hub_online
            self._hub_session, self._hub_online = session_id, True
            if is_new and not retained:
                self._start_over()
        elif self._hub_session in (session_id, None):
            self._hub_online = False

    def next_batch(self, unacknowledged: int, now_s: float) -> Batch | None:
        """What to send now; None to wait. `unacknowledged` counts messages up to the cursor."""
        if not self._connected:
            return None
        if unacknowledged == 0:
            self._deadline_s = None
        elif self._deadline_s is None:
            self._deadline_s = now_s + self._timeout_s
        elif now_s >= self._deadline_s:
            self._cursor, self._deadline_s = 0, None
            self._timeout_s = min(self.most_timeout_s, 2.0 * self._timeout_s)
            unacknowledged = 0
        room = (self.window if self._hub_online else 1) - unacknowledged
        return Batch(self._cursor, room) if room > 0 else None

    def sent(self, position: int, now_s: float) -> None:
        """The message at `position` was handed to the broker."""
        self._cursor = position
        if self._deadline_s is None:
            self._deadline_s = now_s + self._timeout_s

    def acknowledged(self, now_s: float) -> None:
        """The hub has committed something that was waiting: so it is there."""
        self._hub_online = True
        self._timeout_s = self.first_timeout_s
        self._deadline_s = now_s + self._timeout_s

    def wait_s(self, now_s: float) -> float | None:
        """How long nothing will be due by time alone; None for ever."""
        if self._deadline_s is None or not self._connected:
            return None
        return max(0.0, self._deadline_s - now_s)

    def _start_over(self) -> None:
        self._cursor, self._deadline_s = 0, None
        self._timeout_s = self.first_timeout_s
