"""Between the broker's thread and the ingest worker: bounded, and never waits for room.

What does not fit is dropped, unacknowledged, so the edge sends it again: that is what slows it down.
"""

import queue
import time

from hub.incoming import Incoming


class Inbox:
    """A bounded queue of messages. `dropped` counts those that found no room."""

    def __init__(self, room: int = 8192) -> None:
        self._queue: queue.Queue[Incoming] = queue.Queue(room)
        self.dropped = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return self._queue.qsize()

    def put(self, incoming: Incoming) -> bool:
        """Keep a message; False when there is no room for it."""
        try:
            self._queue.put_nowait(incoming)
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def take(self, most: int, wait_s: float, linger_s: float) -> list[Incoming]:
        """Wait for a first message, then gather more for at most `linger_s`; [] when none came."""
        try:
            batch = [self._queue.get(timeout=wait_s)]
        except queue.Empty:
            return []
        until = time.monotonic() + linger_s
        while len(batch) < most:
            try:
                left_s = until - time.monotonic()
                batch.append(
                    self._queue.get(timeout=max(left_s, 0))
                    if left_s > 0
                    else self._queue.get_nowait()
                )
            except queue.Empty:
                break
        return batch
