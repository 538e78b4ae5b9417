"""Between capture and analysis: the newest frame of each camera, served oldest first.

One slot for each live camera: a frame that comes while the last one still waits takes its place, and is
counted, so that video never queues. A `lossless` camera (a file played as fast as it can be analysed)
makes its capture wait instead. Marks that a scene ended are never dropped or overtaken. A camera is
served by one worker at a time, so its pipeline needs no lock.
"""

import threading
from collections import deque
from dataclasses import dataclass, field

from edge.frame import RawFrame, SceneEnd

Item = RawFrame | SceneEnd
_LOSSLESS_DEPTH = 2  # one is analysed while the next is decoded


@dataclass(slots=True)
class _Slot:
    lossless: bool
    waiting: deque[tuple[float, Item]] = field(default_factory=deque)
    busy: bool = False


class Mailboxes:
    """The slots of all cameras. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._count = 0

    def add(self, camera: str, *, lossless: bool) -> None:
        """Make the slot of a camera."""
        with self._changed:
            self._slots[camera] = _Slot(lossless)

    def put(self, camera: str, item: Item) -> int:
        """Hand over a frame or the end of a scene. Returns how many frames were dropped for it."""
        with self._changed:
            slot = self._slots[camera]
            while slot.lossless and len(slot.waiting) >= _LOSSLESS_DEPTH and not self._closed:
                self._changed.wait()
            last = slot.waiting[-1][1] if slot.waiting else None
            dropped = not slot.lossless and isinstance(last, type(item))
            if dropped:
                order, _ = slot.waiting.pop()  # the camera keeps its place in the line
            else:
                order = self._count
            self._count += 1
            slot.waiting.append((order, item))
            self._changed.notify_all()
            return int(dropped and isinstance(item, RawFrame))

    def take(self) -> tuple[str, Item] | None:
        """Wait for the oldest item of a camera that no worker serves; None once closed."""
        with self._changed:
            while not self._closed:
                ready = [
                    (slot.waiting[0][0], camera)
                    for camera, slot in self._slots.items()
                    if slot.waiting and not slot.busy
                ]
                if ready:
                    _, camera = min(ready)
                    slot = self._slots[camera]
                    slot.busy = True
                    item = slot.waiting.popleft()[1]
                    self._changed.notify_all()
                    return camera, item
                self._changed.wait()
            return None

    def done(self, camera: str) -> None:
        """The worker has finished with what it took of this camera."""
        with self._changed:
            self._slots[camera].busy = False
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nobody works."""
        with self._changed:
            return not any(slot.waiting or slot.busy for slot in self._slots.values())

    def close(self) -> None:
        """Let every waiting thread go; what still waits is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
