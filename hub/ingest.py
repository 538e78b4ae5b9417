"""The ingest worker: batches of messages through the pipeline, then the acknowledgements.

In: the inbox. Out: what the pipeline commits, and, only after that, acknowledgements to the edges. One
thread. A store that does not answer is waited for, with the batch in hand; a message that breaks the pipeline
becomes a dead letter by itself and holds up nobody.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.downlink import Downlink
from hub.edges import EdgeBook
from hub.inbox import Inbox
from hub.incoming import Incoming
from hub.pipeline import Outcome, Pipeline
from hub.store import Store, watchlists
from wire.errors import StoreError

log = logging.getLogger(__name__)

_MOST = 256
_LINGER_S = 0.02
_IDLE_S = 0.25
_PAUSE_S = 1.0


@dataclass(slots=True)
class Counters:
    """What the worker has done since the start."""

    committed: int = 0
    repeated: int = 0
    rejected: int = 0
    raised: int = 0
    joined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one batch."""
        self.committed += outcome.committed
        self.repeated += outcome.repeated
        self.rejected += outcome.rejected
        self.raised += outcome.raised
        self.joined += outcome.joined
        self.reasons.update(outcome.reasons)


@dataclass(slots=True)
class IngestWorker:
    """Takes what is in `inbox`. `on_alerts` is called after a batch that raised any."""

    inbox: Inbox
    pipeline: Pipeline
    store: Store
    downlink: Downlink
    book: EdgeBook
    now: Callable[[], datetime]
    on_alerts: Callable[[], None]
    counters: Counters = field(default_factory=Counters)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="ingest")
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand, and end. What still waits is sent again by its edges."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if batch := self.inbox.take(_MOST, _IDLE_S, _LINGER_S):
                self._commit(batch)

    def _commit(self, batch: Sequence[Incoming]) -> None:
        while not self._stopping.is_set():
            try:
                self._report(self.pipeline.run(batch, self.book, self.now()))
                return
            except Exception:
                log.exception("a batch of %d messages could not be committed", len(batch))
            if self._store_answers():
                self._one_by_one(batch)
                return
            self._stopping.wait(_PAUSE_S)

    def _one_by_one(self, batch: Sequence[Incoming]) -> None:
        """Commit each message by itself, so that the one which breaks the batch is found."""
        for incoming in batch:
            try:
                outcome = self.pipeline.run([incoming], self.book, self.now())
            except Exception as error:
                if not self._store_answers():
                    return  # not acknowledged: the edges send the rest again
                log.exception("a message on %s broke the pipeline", incoming.topic)
                outcome = self.pipeline.give_up(incoming, error, self.book, self.now())
            self._report(outcome)

    def _store_answers(self) -> bool:
        """Whether the store takes anything at all."""
        try:
            with self.store.write() as tx:
                watchlists.touch(tx)
        except StoreError:
            return False
        return True

    def _report(self, outcome: Outcome) -> None:
        self.counters.add(outcome)
        self.book = outcome.book
        for edge, committed in outcome.acks.items():
            self.downlink.ack(edge, committed)
        if outcome.raised:
            self.on_alerts()
