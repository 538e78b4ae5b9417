"""One thread for one device: releases it, and says how that went, without anybody waiting for it.

In: orders. Out: for each, in their order, None or why it failed. Orders that find no room, or wait beyond
their deadline behind a slow controller, fail: they are never carried out late.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from edge.relays import Order, Relay, RelayFailed

log = logging.getLogger(__name__)

_ROOM: Final = 8


class Releaser:
    """Carries orders out. `done` is called from its thread."""

    def __init__(
        self,
        name: str,
        relay: Relay,
        done: Callable[[Order, str | None], None],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._relay, self._done, self._monotonic_s = relay, done, monotonic_s
        self._orders: queue.Queue[Order | None] = queue.Queue(_ROOM)
        self._thread = threading.Thread(target=self._run, name=f"release-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Carry out what is in hand, and end."""
        if self._thread.is_alive():
            self._orders.put(None)
            self._thread.join(timeout_s)
        self._relay.close()

    def release(self, order: Order) -> None:
        """Take an order. Returns at once."""
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            self._done(order, "too many orders wait for its controller")

    def _run(self) -> None:
        """The outermost loop of this thread, which no order may end."""
        while (order := self._orders.get()) is not None:
            try:
                self._done(order, self._carry_out(order))
            except Exception:
                log.exception("device %s: the outcome of a release is lost", order.device)

    def _carry_out(self, order: Order) -> str | None:
        if self._monotonic_s() >= order.deadline_s:
            return "given up: its controller was busy for too long"
        try:
            self._relay.release(order)
        except RelayFailed as failed:
            return str(failed)
        except Exception as error:
            log.exception("device %s: its relay failed", order.device)
            return f"a fault of the relay: {type(error).__name__}"
        return None
