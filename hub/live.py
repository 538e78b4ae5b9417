"""Live pictures on demand: who watches which camera, what its box is asked for, and the newest picture.

In: viewers, who come with a ticket that is good once, and the sealed pictures of the boxes. Out: commands
to the boxes, given again every few seconds while somebody watches and never otherwise, and for each viewer
the newest picture. Several viewers of one camera share a session. Pictures are in memory, one a session, and
nowhere else. Whoever may watch is decided before this (`hub.api.live`).
"""

import logging
import queue
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.incoming import Incoming, KnownEdge, Rejected, verify
from wire.errors import InvalidMessage
from wire.messages import LiveCommand, LiveFaces, LivePicture, LiveReply, Message
from wire.sealing import unseal_live
from wire.topics import Topic

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=12)
"""For how long a box goes on without hearing from the hub, and how long a ticket waits for its viewer."""
RATE_HZ: Final = 3.0
MOST_SESSIONS: Final = 16
MOST_TICKETS: Final = 64
_RENEW_S: Final = 4.0
_ROOM: Final = 16

Unseen = Literal["unreachable", "busy"]
Key = tuple[str, str, LiveFaces]


class Commands(Protocol):
    """What gives a box its command."""

    def command(self, edge: str, name: str, command: Message) -> bool:
        """False when it cannot be given now."""
        ...


@dataclass(slots=True, eq=False)
class LiveSession:
    """One camera that is shown, to whom, and its newest picture, the `shown`-th.

    `waits_until`: for so long it waits for somebody who has a ticket.
    """

    edge: str
    camera: str
    faces: LiveFaces
    waits_until: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    viewers: "set[Ticket]" = field(default_factory=set)
    shown: int = 0
    captured_at: datetime | None = None
    picture: bytes = b""
    refused: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One person's leave to watch one camera once: opened within the lease, until `ends_at`."""

    secret: str
    actor: str
    session: LiveSession
    opens_until: datetime
    ends_at: datetime


@dataclass(slots=True)
class LiveDesk:
    """All live sessions of the hub. `receive` is called from the broker's thread and never waits."""

    edges: dict[str, KnownEdge]
    commands: Commands
    opening: X25519PrivateKey
    now: Callable[[], datetime]
    refused: int = 0
    _sessions: dict[Key, LiveSession] = field(default_factory=dict, init=False)
    _tickets: dict[str, Ticket] = field(default_factory=dict, init=False)
    _came: queue.Queue[Incoming] = field(default_factory=lambda: queue.Queue(_ROOM), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Begin to work."""
        for name, run in (("live", self._take_all), ("live-renew", self._renew_all)):
            self._threads.append(threading.Thread(target=run, name=name))
            self._threads[-1].start()

    def stop(self) -> None:
        """End every session."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
            self._tickets.clear()
        for session in sessions:
            self._command(session, self.now())

    # From the API -------------------------------------------------------------------------------

    def open(
        self, actor: str, edge: str, camera: str, faces: LiveFaces, lasts: timedelta
    ) -> Ticket | Unseen:
        """Begin to show a camera, or join those who watch it; a ticket, or why there is none."""
        now = self.now()
        with self._lock:
            self._forget(now)
            session = self._sessions.get((edge, camera, faces))
            too_many = session is None and len(self._sessions) >= MOST_SESSIONS
            if too_many or len(self._tickets) >= MOST_TICKETS:
                return "busy"
            if session is None:
                session = LiveSession(edge, camera, faces, now)
                self._sessions[edge, camera, faces] = session
            session.waits_until, session.refused = now + LEASE, ""
            secret = secrets.token_urlsafe(32)
            ticket = Ticket(secret, actor, session, now + LEASE, now + lasts)
            self._tickets[secret] = ticket
        if not self._command(session, now + LEASE):
            with self._lock:
                self._tickets.pop(secret, None)
            return "unreachable"
        return ticket

    def enter(self, secret: str) -> Ticket | None:
        """Use a ticket: good once, and not for long. `leave` must follow."""
        with self._lock:
            ticket = self._tickets.pop(secret, None)
            if ticket is None or self.now() > ticket.opens_until:
                return None
            session = ticket.session
            session.viewers.add(ticket)
            if not any(other.session is session for other in self._tickets.values()):
                session.waits_until = self.now()  # nobody else is to come
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """The viewer has gone; with the last one the camera is no longer shown."""
        session = ticket.session
        with self._lock:
            session.viewers.discard(ticket)
            now = self.now()
            if session.viewers or session.waits_until > now:
                return
            self._drop(session)
        self._command(session, now)

    # From the broker ----------------------------------------------------------------------------

    def receive(self, incoming: Incoming) -> None:
        """Take a live picture, or a reply; what finds no room is dropped, for a newer one comes."""
        try:
            self._came.put_nowait(incoming)
        except queue.Full:
            return

    def _take_all(self) -> None:
        while not self._stopping.is_set():
            try:
                incoming = self._came.get(timeout=0.25)
            except queue.Empty:
                continue
            try:
                self.take(incoming)
            except InvalidMessage as error:
                self._refuse(incoming, error.detail)
            except Exception:
                log.exception("a live picture could not be taken")

    def take(self, incoming: Incoming) -> None:
        """Check what a box sent, and show it to whom it is for. InvalidMessage when it cannot be opened."""
        checked = verify(incoming, self.edges)
        if isinstance(checked, Rejected):
            self._refuse(incoming, f"{checked.reason}: {checked.detail}")
            return
        data, edge = checked.event.data, checked.event.origin
        if isinstance(data, LiveReply):
            self._hear(edge, data)
        elif isinstance(data, LivePicture):
            self._show(edge, checked.event.camera or "", data)

    def _show(self, edge: str, camera: str, data: LivePicture) -> None:
        session = self._sessions.get((edge, camera, data.faces))
        if session is None or session.id != data.session_id:
            return
        if session.captured_at is not None and data.captured_at <= session.captured_at:
            return  # an older picture, or the same again
        jpeg = unseal_live(data.sealed, data.session_id, data.number, self.opening)
        with self._lock:
            session.picture, session.captured_at = jpeg, data.captured_at
            session.shown += 1

    def _hear(self, edge: str, reply: LiveReply) -> None:
        for session in tuple(self._sessions.values()):
            if (session.id, session.edge) == (reply.session_id, edge):
                session.refused = reply.reason if reply.state == "refused" else ""

    def _refuse(self, incoming: Incoming, why: str) -> None:
        self.refused += 1
        log.warning("ignored a live picture on %s: %s", incoming.topic, why)

    # By the clock -------------------------------------------------------------------------------

    def _renew_all(self) -> None:
        while not self._stopping.wait(_RENEW_S):
            try:
                self.renew()
            except Exception:
                log.exception("live sessions could not be renewed")

    def renew(self) -> None:
        """Go on with what is watched; end what is not."""
        now = self.now()
        with self._lock:
            self._forget(now)
            watched = [session for session in self._sessions.values() if session.viewers]
        for session in watched:
            self._command(session, now + LEASE)

    def _forget(self, now: datetime) -> None:
        """Under the lock. A box ends by itself what it is not asked for again."""
        for ticket in tuple(self._tickets.values()):
            if now > ticket.opens_until:
                del self._tickets[ticket.secret]
        for session in tuple(self._sessions.values()):
            session.viewers = {ticket for ticket in session.viewers if now <= ticket.ends_at}
            if not session.viewers and now > session.waits_until:
                self._drop(session)

    def _drop(self, session: LiveSession) -> None:
        self._sessions.pop((session.edge, session.camera, session.faces), None)
        session.picture = b""

    def _command(self, session: LiveSession, until: datetime) -> bool:
        command = LiveCommand(
            session_id=session.id,
            camera=session.camera,
            until=until,
            rate_hz=RATE_HZ,
            faces=session.faces,
        )
        return self.commands.command(session.edge, "live", command)


def is_live(topic: Topic) -> bool:
    """Whether a topic is of a live session."""
    return topic.channel == "live" or (topic.channel, topic.name) == ("reply", "live")
