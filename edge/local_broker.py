"""A connection to the broker of the doors and barriers, or of the meters: kept, and made again when lost.

In: topics to hear, messages to publish. Out: their payloads, and whether the connection is there. It may be
another broker than the hub's. Nothing waits here for it to come back: who opens a door later opens it for
another.
"""

import logging
import threading
from collections.abc import Callable
from random import Random
from typing import Final

from edge.config import BrokerSection
from edge.link import Incoming, Link, open_link
from edge.timing import Backoff
from wire.errors import BrokerError, ConfigError

log = logging.getLogger(__name__)

_LARGEST_BYTES: Final = 8192

Hear = Callable[[bytes], None]


class LocalBroker:
    """One connection. What is to be heard is said before `start`; handlers must be quick."""

    def __init__(
        self,
        broker: BrokerSection,
        client_id: str,
        random: Random | None = None,
        *,
        whose: str = "doors and barriers",
    ) -> None:
        """`whose` it is, the log says."""
        self._broker, self._client_id, self._whose = broker, client_id, whose
        self._backoff = Backoff(random or Random(), first_s=0.5, most_s=5.0)  # noqa: S311
        self._handlers: dict[str, list[tuple[Hear, bool]]] = {}
        self._watchers: list[Callable[[bool], None]] = []
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._link: Link | None = None
        self._thread = threading.Thread(target=self._run, name="local-broker", daemon=True)

    def hear(self, topic: str, handler: Hear, *, retained: bool = False) -> None:
        """Hand what comes on `topic` to `handler`, from a thread of the connection.

        With `retained` also what the broker had kept from before we came.
        """
        self._handlers.setdefault(topic, []).append((handler, retained))

    def watch(self, watcher: Callable[[bool], None]) -> None:
        """Tell `watcher` when the connection is there, and when it is lost."""
        self._watchers.append(watcher)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Disconnect, and end."""
        self._stopping.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Hand over a message; whether the broker has taken it in time. False at once without connection."""
        link = self._link
        return (
            link is not None and not link.lost and link.publish_and_wait(topic, payload, timeout_s)
        )

    def _run(self) -> None:
        """The outermost loop of this thread: one connection after another, until stopped."""
        while not self._stopping.is_set():
            try:
                self._serve()
            except (BrokerError, ConfigError) as error:
                log.warning("%s: %s", self._whose, error)
            except Exception:
                log.exception("%s: the connection failed", self._whose)
            self._stopping.wait(self._backoff.next_wait_s())

    def _serve(self) -> None:
        link = open_link(
            self._broker, self._client_id, on_message=self._receive, on_lost=self._changed.set
        )
        try:
            self._changed.clear()
            if self._handlers:
                link.subscribe(tuple(self._handlers))
            self._link = link
            self._backoff.reset()
            log.info(
                "%s: connected to broker %s:%d", self._whose, self._broker.host, self._broker.port
            )
            self._tell(there=True)
            while not (link.lost or self._stopping.is_set()):
                self._changed.wait(1.0)
                self._changed.clear()
        finally:
            self._link = None
            self._tell(there=False)
            link.close()

    def _tell(self, *, there: bool) -> None:
        for watcher in self._watchers:
            watcher(there)

    def _receive(self, message: Incoming) -> None:
        if len(message.payload) > _LARGEST_BYTES:
            log.warning("ignored %d bytes on %s", len(message.payload), message.topic)
            return
        for handler, retained in self._handlers.get(message.topic, ()):
            if retained or not message.retained:
                handler(message.payload)
