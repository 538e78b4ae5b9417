"""Forwards alerts to one sink: from its outbox, in order per alert, until it is taken or given up.

In: the outbox rows that the pipeline left in its transaction. Out: deliveries. At least once: what was taken
just before a crash goes out again under the same id. Failures are tried again with growing pauses and jitter;
what is hopeless, or has been tried for too long, becomes a dead letter that a person can replay.
"""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.broker import Broker
from hub.config import MQTT_SINK
from hub.store import Store, deliveries
from hub.store.deliveries import Due
from hub.webhook import Attempt, Sink
from wire.errors import StoreError
from wire.topics import alert as alert_topic

log = logging.getLogger(__name__)

_AT_ONCE: Final = 64
_WORKERS: Final = 8
_IDLE_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 300.0


def pause_s(attempts: int, chance: float) -> float:
    """How long to wait after so many failed attempts (1, 2 …); `chance` in 0 to 1 is the jitter.

    Doubles from half a second up to five minutes, and takes half of that at least, so that sinks which
    failed together do not come back together.
    """
    whole = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 20))
    return whole * (0.5 + 0.5 * chance)


class MqttSink:
    """The broker as a sink: each alert on ``gatehouse/v1/<site>/alert/<id>``."""

    id = MQTT_SINK

    def __init__(self, broker: Broker, timeout_s: float = 5.0) -> None:
        self._broker, self._timeout_s = broker, timeout_s

    def deliver(self, item: Due) -> Attempt:
        """See `hub.webhook.Sink`."""
        topic = alert_topic(item.site, item.alert_id)
        if self._broker.publish_and_wait(item.site, topic, item.body, self._timeout_s):
            return Attempt("delivered")
        return Attempt("retry", "the broker is not connected")


@dataclass(slots=True)
class Forwarder:
    """Delivers to one sink, in a thread of its own."""

    sink: Sink
    store: Store
    give_up_after: timedelta
    now: Callable[[], datetime]
    chance: Callable[[], float] = random.random
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopping: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work; what waited through a stop is tried at once. StoreError if it cannot be told so."""
        with self.store.write() as tx:
            deliveries.hurry(tx, self.sink.id, self.now())
        self._thread = threading.Thread(target=self._run, name=f"sink-{self.sink.id}")
        self._thread.start()

    def stop(self) -> None:
        """Finish the attempts in hand, and end."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """There may be something to deliver: look now."""
        self._wake.set()

    def _run(self) -> None:
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"sink-{self.sink.id}") as workers:
            while not self._stopping:
                self._wake.clear()
                try:
                    busy = self.deliver_due(workers)
                    idle_s = 0.0 if busy else self._idle_s()
                except StoreError as error:
                    log.warning("sink %s waits: %s", self.sink.id, error)
                    idle_s = _IDLE_S
                except Exception:
                    log.exception("sink %s failed", self.sink.id)
                    idle_s = _IDLE_S
                self._wake.wait(idle_s)

    def deliver_due(self, workers: ThreadPoolExecutor) -> bool:
        """Deliver what is due now; whether there was anything."""
        with self.store.read() as tx:
            items = deliveries.due(tx, self.sink.id, self.now(), _AT_ONCE)
        if not items:
            return False
        attempts = list(workers.map(self.sink.deliver, items))
        now = self.now()
        with self.store.write() as tx:
            for item, attempt in zip(items, attempts, strict=True):
                if attempt.result == "delivered":
                    deliveries.settle(tx, item, "delivered", now)
                elif attempt.result == "refused" or now - item.since >= self.give_up_after:
                    log.error("sink %s: gave %s up: %s", item.sink, item.event_id, attempt.detail)
                    deliveries.settle(tx, item, "dead", now, attempt.detail)
                else:
                    wait_s = attempt.after_s or pause_s(item.attempts + 1, self.chance())
                    until = now + timedelta(seconds=wait_s)
                    deliveries.postpone(tx, item, until, attempt.detail)
        return True

    def _idle_s(self) -> float:
        with self.store.read() as tx:
            due_at = deliveries.next_due_at(tx, self.sink.id)
        if due_at is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.01, (due_at - self.now()).total_seconds()))
