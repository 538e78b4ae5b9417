"""Forwards alerts to one sink: from its outbox, in order per alert, until it is taken or given up.

In: the outbox rows that the pipeline left in its transaction. Out: deliveries. At least once:
what was taken just before a crash goes out again under the same id. What the sink's filter does not let pass
is skipped, with the reason. Failures are tried again with growing pauses and jitter; what is hopeless, or has
been tried for too long, becomes a dead letter that a person can replay.
"""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.sinks.base import Attempt
from hub.sinks.filter import Verdict
from hub.sinks.make import Route
from hub.sinks.notice import Due, read_notice
from hub.store import Store, deliveries
from wire.errors import InvalidMessage, StoreError

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


@dataclass(slots=True)
class Forwarder:
    """Delivers to one sink, in a thread of its own."""

    route: Route
    store: Store
    now: Callable[[], datetime]
    chance: Callable[[], float] = random.random
    last_delivered_at: datetime | None = None
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopping: bool = False
    _thread: threading.Thread | None = None

    @property
    def id(self) -> str:
        """The sink's name."""
        return self.route.sink.id

    def start(self) -> None:
        """Begin to work; what waited through a stop is tried at once. StoreError if it cannot be told so."""
        with self.store.write() as tx:
            deliveries.hurry(tx, self.id, self.now())
        self.route.sink.start()
        self._thread = threading.Thread(target=self._run, name=f"sink-{self.id}")
        self._thread.start()

    def stop(self) -> None:
        """Finish the attempts in hand, and end."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.route.sink.stop()

    def wake(self) -> None:
        """There may be something to deliver: look now."""
        self._wake.set()

    def _run(self) -> None:
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"sink-{self.id}") as workers:
            while not self._stopping:
                self._wake.clear()
                try:
                    busy = self.deliver_due(workers)
                    idle_s = 0.0 if busy else self._idle_s()
                except StoreError as error:
                    log.warning("sink %s waits: %s", self.id, error)
                    idle_s = _IDLE_S
                except Exception:
                    log.exception("sink %s failed", self.id)
                    idle_s = _IDLE_S
                self._wake.wait(idle_s)

    def deliver_due(self, workers: ThreadPoolExecutor) -> bool:
        """Deliver what is due now; whether there was anything."""
        with self.store.read() as tx:
            items = deliveries.due(tx, self.id, self.now(), _AT_ONCE)
        if not items:
            return False
        attempts = list(workers.map(self._attempt, items))
        now = self.now()
        with self.store.write() as tx:
            for item, attempt in zip(items, attempts, strict=True):
                self._settle(tx, item, attempt, now)
        return True

    def _attempt(self, item: Due) -> Attempt:
        try:
            notice = read_notice(item)
            verdict = self.route.filter.judge(notice)
            if verdict is not Verdict.PASSES:
                return Attempt("skipped", verdict)
            return self.route.sink.deliver(notice)
        except InvalidMessage as error:
            return Attempt("refused", str(error))
        except Exception:  # one event that breaks a sink holds up no other
            log.exception("sink %s failed on %s", item.sink, item.event_id)
            return Attempt("retry", "a fault of the hub's; its log says more")

    def _settle(self, tx: Connection, item: Due, attempt: Attempt, now: datetime) -> None:
        if attempt.result in ("delivered", "skipped"):
            deliveries.settle(tx, item, attempt.result, now, attempt.detail)
            if attempt.result == "delivered":
                self.last_delivered_at = now
        elif attempt.result == "refused" or now - item.since >= self.route.give_up_after:
            log.error("sink %s: gave %s up: %s", item.sink, item.event_id, attempt.detail)
            deliveries.settle(tx, item, "dead", now, attempt.detail)
        else:
            wait_s = attempt.after_s or pause_s(item.attempts + 1, self.chance())
            deliveries.postpone(tx, item, now + timedelta(seconds=wait_s), attempt.detail)

    def _idle_s(self) -> float:
        with self.store.read() as tx:
            due_at = deliveries.next_due_at(tx, self.id)
        if due_at is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.01, (due_at - self.now()).total_seconds()))
