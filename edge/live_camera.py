"""Live pictures on demand: while the hub watches a camera, a few of its frames a second go to the hub.

In: the hub's commands, and every frame that is captured for analysis. Out: sealed, signed pictures. It works
in a thread of its own and sends over a connection of its own, takes the newest frame only, and waits for
the last picture to be on its way before it makes the next: no pipeline and no observation ever waits for it.
Nothing is kept, nothing touches a disk, and while nobody watches a frame costs one look into an empty set.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from edge.bulk import BulkSender, Parcel
from edge.emit import Origin
from edge.frame import RawFrame
from edge.live import Allowed, LiveBook, LiveSession
from edge.live_picture import LivePainter
from models.faces.types import FaceDetector
from wire.messages import LiveCommand, LivePicture, LiveReply
from wire.sealing import seal_live

log = logging.getLogger(__name__)

_SENDING_S: Final = 0.05
_LOOK_AGAIN_S: Final = 1.0


class LiveCameras:
    """The live pictures of one box. `offer` may be called from any thread, and returns at once."""

    def __init__(
        self,
        allowed: Mapping[str, Allowed],
        detector: FaceDetector,
        origin: Origin,
        sender: BulkSender,
        *,
        hub_key: X25519PublicKey,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        hub_now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        """`sender` is for live pictures alone."""
        self._book, self._origin, self._sender = LiveBook(allowed), origin, sender
        self._painters = {camera: LivePainter(detector) for camera in allowed}
        self._hub_key, self._new_id = hub_key, new_id
        self._now, self._hub_now, self._monotonic_s = now, hub_now, monotonic_s
        self._watched: frozenset[str] = frozenset()
        self._latest: dict[str, RawFrame] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to work; connects to nothing yet."""
        self._sender.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End every session."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        self._sender.stop(timeout_s)

    def command(self, command: LiveCommand) -> LiveReply:
        """What the hub wants to see; returns what to answer."""
        with self._changed:
            reply = self._book.command(command, self._monotonic_s(), self._hub_now())
            self._watched = self._book.cameras(self._monotonic_s())
            self._changed.notify()
        log.info("camera %s: live picture %s %s", command.camera, reply.state, reply.reason)
        return reply

    def offer(self, frame: RawFrame) -> None:
        """A frame was captured; of each camera that is watched the newest one waits."""
        if frame.camera not in self._watched:
            return
        with self._changed:
            self._latest[frame.camera] = frame
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S if self._watched else None)
                if self._stopping:
                    return
                frames = list(self._latest.values())
                self._latest.clear()
                self._watched = self._book.cameras(self._monotonic_s())
            for frame in frames:
                self._show(frame)

    def _show(self, frame: RawFrame) -> None:
        """The outermost step of this thread: a picture that cannot be made costs only itself."""
        with self._changed:
            sessions = self._book.due(frame.camera, self._monotonic_s())
        try:
            for session in sessions:
                self._wait_for_room()
                self._send(session, frame)
        except Exception:
            log.exception("camera %s: no live picture", frame.camera)

    def _wait_for_room(self) -> None:
        while self._sender.busy and not self._stopping:
            threading.Event().wait(_SENDING_S)

    def _send(self, session: LiveSession, frame: RawFrame) -> None:
        painted = self._painters[frame.camera].paint(frame.pixels.bgr(), session.faces)
        if painted is None:
            return
        jpeg, size_px = painted
        picture = LivePicture(
            session_id=session.id,
            number=session.number,
            captured_at=frame.captured_at,
            size_px=size_px,
            faces=session.faces,
            sealed=seal_live(jpeg, session.id, session.number, self._hub_key),
        )
        message = self._origin.sign(
            picture, message_id=self._new_id(), time=self._now(), camera=frame.camera
        )
        self._sender.send(Parcel(self._origin.topics.live(frame.camera), message, qos=0))
