"""The meters of a box: their gateway's messages on the broker -> observations.

In: ``[[meters]]`` and the broker that their gateway publishes on. Out: observations of what they stand at.
It never waits for anything, and stores no message: only what is told goes on. A meter that sends what cannot
be read is said once, and once when it can be read again.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from edge.config import BrokerSection
from edge.config_meters import MeterSection
from edge.local_broker import LocalBroker
from edge.meters import MeterBook
from wire.errors import StoreError
from wire.messages import MeterObservation

log = logging.getLogger(__name__)

_STOP_S: Final = 3.0


class MeterGateway:
    """Hears the meters of one box, where there are any."""

    def __init__(
        self,
        broker: BrokerSection,
        client_id: str,
        meters: Sequence[MeterSection],
        *,
        now: Callable[[], datetime],
        tell: Callable[[str, MeterObservation], None],
    ) -> None:
        """`tell` takes the gateway's name and what one of its meters stands at."""
        self._now, self._tell = now, tell
        self._lock = threading.Lock()
        self._books = [MeterBook(meter) for meter in meters]
        self._broker = LocalBroker(broker, client_id, whose="meters") if meters else None
        for book in self._books:
            # A reading that the broker had kept has an age that only its own time tells.
            self._hear(book, retained=book.meter.time is not None)

    def _hear(self, book: MeterBook, *, retained: bool) -> None:
        assert self._broker is not None
        self._broker.hear(book.meter.topic, partial(self._take, book), retained=retained)

    def start(self) -> None:
        """Begin to connect."""
        if self._broker is not None:
            self._broker.start()

    def stop(self) -> None:
        """Disconnect, and say what has come."""
        if self._broker is not None:
            self._broker.stop(_STOP_S)
            total = self.counts
            log.info("meters: %s", ", ".join(f"{n} {what}" for what, n in sorted(total.items())))

    @property
    def counts(self) -> Counter[str]:
        """What became of the messages of all meters."""
        with self._lock:
            return sum((book.counts for book in self._books), Counter())

    def _take(self, book: MeterBook, payload: bytes) -> None:
        """From the connection's thread."""
        with self._lock:
            before = book.problem
            reading = book.take(payload, self._now())
            problem = book.problem
        if problem is not None and before is None:
            log.warning("meter %s, on %s: %s", book.meter.id, book.meter.topic, problem)
        elif problem is None and before is not None:
            log.warning("meter %s can be read again", book.meter.id)
        if reading is None:
            return
        try:
            self._tell(book.meter.gateway, reading)
        except StoreError:
            log.exception("meter %s: a reading is lost", book.meter.id)
