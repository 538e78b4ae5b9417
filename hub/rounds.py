"""A worker's outermost loop: does a round again and again, in a thread of its own, until it is told to stop.

In: what one round does, and how long to wait between two. Out: nothing; a round that fails is logged, and the
next one comes all the same: a store that does not answer is waited for in a line, everything else is logged
whole. Decides nothing.
"""

import logging
import threading
from collections.abc import Callable

from wire.errors import StoreError

log = logging.getLogger(__name__)


class Rounds:
    """One worker. `name` is its thread's, and what the log says has failed."""

    def __init__(self, name: str, every_s: float, do: Callable[[], object]) -> None:
        self._name, self._every_s, self._do = name, every_s, do
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with the first round."""
        self._thread = threading.Thread(target=self._run, name=self._name)
        self._thread.start()

    def stop(self) -> None:
        """Finish the round in hand, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._do()
            except StoreError as error:
                log.warning("%s: waits: %s", self._name, error)
            except Exception:
                log.exception("%s: a round failed", self._name)
            self._stopping.wait(self._every_s)
