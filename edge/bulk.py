"""Large things to the hub, over a connection of their own: clips and live pictures.

In: topic and payload. Out: the same on the broker, one after another. A clip of ten megabytes on the
connection of the observations would hold them up; here it holds up only the next clip. The connection is made
when there is something to send and ends when there is not. What cannot be sent now is dropped: who wants it
asks again.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge.config import BrokerSection
from edge.link import Link, open_link
from wire.errors import BrokerError, ConfigError

log = logging.getLogger(__name__)

_ROOM: Final = 32
_IDLE_S: Final = 20.0
_SEND_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent. One of `qos` 0 is waited for until it is on its way, and is kept by nobody."""

    topic: str
    payload: bytes
    qos: int = 1


class BulkSender:
    """Sends parcels in a thread of its own. `open` makes a connection."""

    def __init__(self, open: Callable[[], Link]) -> None:  # noqa: A002
        self._open = open
        self._parcels: queue.Queue[Parcel | None] = queue.Queue(_ROOM)
        self._unsent = 0
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._thread = threading.Thread(target=self._run, name="bulk", daemon=True)

    def start(self) -> None:
        """Begin to work; connects to nothing yet."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Send what is in hand, and end."""
        self._parcels.put(None)
        self._thread.join(timeout_s)

    @property
    def busy(self) -> bool:
        """Whether anything is still to be sent."""
        with self._lock:
            return self._unsent > 0

    def send(self, parcel: Parcel) -> bool:
        """Take a parcel; False, at once, when there is no room for it."""
        with self._lock:
            self._unsent += 1
        try:
            self._parcels.put_nowait(parcel)
        except queue.Full:
            self._done()
            return False
        return True

    def _done(self) -> None:
        with self._lock:
            self._unsent -= 1

    def _run(self) -> None:
        while True:
            try:
                parcel = self._parcels.get(timeout=_IDLE_S if self._link else None)
            except queue.Empty:
                self._hang_up()
                continue
            if parcel is None:
                self._hang_up()
                return
            try:
                self._deliver(parcel)
            except (BrokerError, ConfigError) as error:
                log.warning("%s cannot be sent: %s", parcel.topic, error)
            except Exception:
                log.exception("%s could not be sent", parcel.topic)
            finally:
                self._done()

    def _deliver(self, parcel: Parcel) -> None:
        if self._link is None or self._link.lost:
            self._hang_up()
            self._link = self._open()
        topic, payload = parcel.topic, parcel.payload
        if not self._link.publish_and_wait(topic, payload, _SEND_S, qos=parcel.qos):
            self._hang_up()
            raise BrokerError(f"the broker did not take {len(parcel.payload)} bytes in time")

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def bulk_sender(broker: BrokerSection, site: str, edge: str, what: str = "bulk") -> BulkSender:
    """A sender of one edge box, for `what` alone."""
    return BulkSender(lambda: open_link(broker, f"gatehouse-{site}-{edge}-{what}"))
