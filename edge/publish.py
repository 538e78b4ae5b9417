"""The edge's side of MQTT: sends the outbox in order, hears acknowledgements and commands.

In: the outbox, the ring of evidence, the broker. Out: every message at least once, until the hub has
committed it. It never blocks a pipeline: those only append to the outbox and call `wake`. Only what the
hub has signed is believed. A broker or hub that is away is said, and the messages wait.

Every connection is a session of its own, with its id in birth and will, so that a will that arrives late
is known to be stale. One thread does everything here; paho's only fills its queue.
"""

import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.allow_list_box import BoxAllowList
from edge.bulk import BulkSender, Parcel
from edge.capture import Clocks
from edge.clip import ClipMaker
from edge.clock import ClockOffset
from edge.config import BrokerSection
from edge.delivery import Delivery
from edge.emit import Origin
from edge.evidence import EvidenceRing
from edge.face_matching_box import BoxMatching
from edge.link import Incoming, Link, Will, open_link
from edge.live_camera import LiveCameras
from edge.outbox import Outbox
from edge.timing import Backoff
from wire.codec import decode
from wire.errors import GatehouseError, InvalidMessage
from wire.evidence import CLIP, Exhibit
from wire.messages import (
    Ack,
    AllowList,
    AllowListReply,
    CameraHealth,
    EdgeStatus,
    Event,
    EvidenceCommand,
    EvidenceReply,
    GalleryErase,
    GalleryReply,
    GallerySlice,
    HubStatus,
    LiveCommand,
    Message,
)
from wire.topics import HUB

log = logging.getLogger(__name__)

_LONGEST_WAIT_S: Final = 5.0
_GOODBYE_S: Final = 2.0
_NOT_HELD: Final = "this box does not hold it, or newer pictures have taken its room"
_STEADY_S: Final = 2.0  # a connection that lived shorter is no reason to hurry with the next


@dataclass(frozen=True, slots=True)
class Identity:
    """What the edge says of itself in its status."""

    version: str
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message of the broker, and when it came."""

    message: Incoming
    at: datetime


class Publisher:
    """Keeps a connection, and the outbox flowing through it, until stopped."""

    def __init__(
        self,
        broker: BrokerSection,
        origin: Origin,
        identity: Identity,
        outbox: Outbox,
        ring: EvidenceRing,
        *,
        hub_key: Ed25519PublicKey,
        offset: ClockOffset,
        new_id: Callable[[], str],
        clocks: Clocks | None = None,
        random: Random | None = None,
        delivery: Delivery | None = None,
        clips: ClipMaker | None = None,
        matching: BoxMatching | None = None,
        allowed: BoxAllowList | None = None,
        live: LiveCameras | None = None,
    ) -> None:
        """Without `clips` this box has none; with `matching` it matches faces itself, with `allowed` it opens
        by plate."""
        self._broker, self._origin, self._identity = broker, origin, identity
        self._outbox, self._ring, self._clips, self._hub_key = outbox, ring, clips, hub_key
        self._offset, self._new_id = offset, new_id
        self._clocks = clocks or Clocks()
        self._backoff = Backoff(random or Random(), first_s=0.5, most_s=5.0)  # noqa: S311
        self._delivery = delivery or Delivery()
        self._matching, self._allowed = matching, allowed
        topics = origin.topics
        self._expected: dict[str, type[Message]] = {
            topics.ack: Ack,
            topics.hub_status: HubStatus,
            topics.command("evidence"): EvidenceCommand,
        }
        self._live = live
        if live is not None:
            self._expected[topics.command("live")] = LiveCommand
        if matching is not None:
            self._expected[topics.command("gallery")] = GallerySlice
            self._expected[topics.command("gallery-erase")] = GalleryErase
        if allowed is not None:
            self._expected[topics.command("allow-list")] = AllowList
        self._heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = False
        self._link: Link | None = None
        self._session_id = ""
        self._dropped_told = 0
        self._last_heard_s = self._clocks.monotonic_s()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)

    def start(self) -> None:
        """Start to connect and send."""
        self._thread.start()

    def stop(self, timeout_s: float = 8.0) -> None:
        """Say that this edge goes offline, and end."""
        self._stopping = True
        self.wake()
        self._thread.join(timeout_s)

    def wake(self) -> None:
        """Something is new: in the outbox, from the broker, or that we stop. Returns at once."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    @property
    def connected(self) -> bool:
        """Whether the broker has our connection now."""
        link = self._link
        return link is not None and not link.lost

    @property
    def quiet_s(self) -> float:
        """For how long the hub has neither acknowledged nor asked for anything."""
        return self._clocks.monotonic_s() - self._last_heard_s

    def publish_health(self, camera: str, health: CameraHealth) -> None:
        """Send one camera's health if there is a connection; it is not kept otherwise."""
        if (link := self._link) is not None and not link.lost:
            payload = self._sign(health, camera=camera)
            link.publish(self._origin.topics.health(camera), payload, qos=0)

    def _run(self) -> None:
        """The outermost loop of this thread: one connection after another, until stopped."""
        while not self._stopping:
            if self._matching is not None:
                self._matching.tick()
            if self._allowed is not None:
                self._allowed.tick()
            try:
                self._serve_one_connection()
            except GatehouseError as error:
                log.warning("%s; %d messages wait", error, self._outbox.waiting())
            except Exception:
                log.exception("publishing failed")
            self._wait(self._backoff.next_wait_s(), until_stopped=True)

    def _serve_one_connection(self) -> None:
        link = self._connect()
        connected_s = self._clocks.monotonic_s()
        try:
            self._serve(link)
        finally:
            self._hang_up(link)
        if self._clocks.monotonic_s() - connected_s >= _STEADY_S:
            self._backoff.reset()

    def _connect(self) -> Link:
        topics, session_id = self._origin.topics, self._new_id()
        link = open_link(
            self._broker,
            f"gatehouse-{topics.site}-{topics.edge}",
            will=Will(topics.status, self._status(session_id, online=False)),
            on_message=self._receive,
            on_lost=self.wake,
        )
        link.subscribe(tuple(self._expected))
        link.publish(topics.status, self._status(session_id, online=True), qos=1, retain=True)
        self._session_id, self._link = session_id, link
        self._delivery.connected()
        log.info("connected to broker %s:%d", self._broker.host, self._broker.port)
        return link

    def _serve(self, link: Link) -> None:
        """Send until the connection is lost or we stop."""
        while not (self._stopping or link.lost):
            self._handle_heard(link)
            self._tell_drops(link)
            if self._matching is not None:
                self._tell_held(link, "gallery", self._matching.tick())
            if self._allowed is not None:
                self._tell_held(link, "allow-list", self._allowed.tick())
            if not self._send_batch(link):
                wait_s = self._delivery.wait_s(self._clocks.monotonic_s())
                self._wait(_LONGEST_WAIT_S if wait_s is None else min(wait_s, _LONGEST_WAIT_S))

    def _hang_up(self, link: Link) -> None:
        self._link = None
        self._delivery.disconnected()
        if self._stopping and not link.lost:
            goodbye = self._status(self._session_id, online=False)
            link.say_goodbye(self._origin.topics.status, goodbye, _GOODBYE_S)
        else:
            log.warning("the connection to the broker is lost; messages wait in the outbox")
        link.close()

    def _wait(self, timeout_s: float, *, until_stopped: bool = False) -> None:
        """Sleep until woken; with `until_stopped` only by `stop`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or (self._woken and not until_stopped), timeout_s
            )
            self._woken = False

    def _send_batch(self, link: Link) -> bool:
        """Send what is due. False when nothing was."""
        now_s = self._clocks.monotonic_s()
        unacknowledged = self._outbox.waiting(up_to=self._delivery.cursor)
        batch = self._delivery.next_batch(unacknowledged, now_s)
        messages = [] if batch is None else self._outbox.after(batch.position, batch.limit)
        for message in messages:
            link.publish(message.topic, message.payload, qos=1)
            self._delivery.sent(message.position, now_s)
        return bool(messages)

    def _receive(self, message: Incoming) -> None:
        """From paho's thread."""
        self._heard.put(_Heard(message, self._clocks.now()))
        self.wake()

    def _handle_heard(self, link: Link) -> None:
        while not self._heard.empty():
            heard = self._heard.get()
            try:
                event = self._verified(heard.message)
            except InvalidMessage as error:
                log.warning("ignored what came on %s: %s", heard.message.topic, error)
                continue
            self._last_heard_s = self._clocks.monotonic_s()
            self._handle(link, event, heard)

    def _verified(self, message: Incoming) -> Event:
        """The event, if the hub of this site has signed it and it belongs on its topic."""
        event = decode(message.payload).verify(self._hub_key)
        if (event.site, event.origin) != (self._origin.topics.site, HUB):
            raise InvalidMessage("wrong_origin", f"{event.source} is not this site's hub")
        if not isinstance(event.data, self._expected.get(message.topic, ())):
            raise InvalidMessage("wrong_topic", f"a {event.data.TYPE} does not belong here")
        return event

    def _handle(self, link: Link, event: Event, heard: _Heard) -> None:
        match event.data:
            case Ack(committed=committed):
                self._offset.heard(event.time, heard.at)
                gone = [self._outbox.forget(c.boot_id, c.sequence) for c in committed]
                if any(gone):
                    self._delivery.acknowledged(self._clocks.monotonic_s())
            case HubStatus(session_id=session_id, online=online):
                log.info("the hub is %s", "there" if online else "off: messages wait for it")
                retained = heard.message.retained
                self._delivery.hub_said(session_id, online=online, retained=retained)
            case EvidenceCommand() as command:
                self._give_evidence(link, command)
            case LiveCommand() as command if self._live is not None:
                answer = self._sign(self._live.command(command))
                link.publish(self._origin.topics.reply("live"), answer, qos=1)
            case GallerySlice() | GalleryErase() as command if self._matching is not None:
                reply = self._matching.command(command, heard.message.payload)
                self._tell_held(link, "gallery", reply)
            case AllowList() as command if self._allowed is not None:
                taken = self._allowed.command(command, heard.message.payload)
                self._tell_held(link, "allow-list", taken)

    def _give_evidence(self, link: Link, command: EvidenceCommand) -> None:
        topics, observation_id = self._origin.topics, command.observation_id
        for name in command.names:
            if name == CLIP and self._clips is not None:
                self._clips.ask(observation_id)
                continue
            picture = self._ring.get(observation_id, name)
            link.publish(
                topics.reply("evidence"), self._reply(observation_id, name, picture), qos=1
            )
            if picture is not None:
                link.publish(topics.evidence(observation_id, name), picture, qos=1)

    def _reply(self, observation_id: str, name: str, picture: bytes | None) -> bytes:
        reply = EvidenceReply(
            observation_id=observation_id,
            name=name,
            state="gone" if picture is None else "sent",
            sha256=None if picture is None else hashlib.sha256(picture).hexdigest(),
            size_bytes=None if picture is None else len(picture),
            reason=_NOT_HELD if picture is None else None,
        )
        return self._sign(signed(reply, self._origin))

    def _tell_held(
        self, link: Link, name: str, reply: GalleryReply | AllowListReply | None
    ) -> None:
        """What the hub gives us changed, or a part was refused: say so, and what is held now."""
        if reply is not None:
            topics = self._origin.topics
            link.publish(topics.reply(name), self._sign(reply), qos=1)
            status = self._status(self._session_id, online=True)
            link.publish(topics.status, status, qos=1, retain=True)

    def _tell_drops(self, link: Link) -> None:
        """The outbox ran over: tell the hub from which sequence on there is something to wait for."""
        if self._outbox.dropped != self._dropped_told:
            self._dropped_told = self._outbox.dropped
            status = self._status(self._session_id, online=True)
            link.publish(self._origin.topics.status, status, qos=1, retain=True)

    def _status(self, session_id: str, *, online: bool) -> bytes:
        return self._sign(
            EdgeStatus(
                session_id=session_id,
                online=online,
                version=self._identity.version,
                cameras=self._identity.cameras,
                pending=self._outbox.pending(),
                matching=None if self._matching is None else self._matching.status,
                access=None if self._allowed is None else self._allowed.status,
            )
        )

    def _sign(self, data: Message, camera: str | None = None) -> bytes:
        return self._origin.sign(
            data, message_id=self._new_id(), time=self._clocks.now(), camera=camera
        )


def signed(reply: EvidenceReply, origin: Origin) -> EvidenceReply:
    """The reply with the box's signature of the evidence itself, where there is any."""
    if reply.sha256 is None:
        return reply
    site, edge = origin.topics.site, origin.topics.edge
    exhibit = Exhibit(site, edge, reply.observation_id, reply.name, reply.sha256)
    return reply.model_copy(update={"signature": exhibit.sign(origin.signer)})


@dataclass(frozen=True, slots=True)
class ClipPost:
    """Sends what became of a clip, and the clip, in this order."""

    origin: Origin
    bulk: BulkSender
    new_id: Callable[[], str]
    now: Callable[[], datetime]

    def __call__(self, reply: EvidenceReply, data: bytes | None) -> None:
        """Returns at once; where there is no room for both, the hub asks again."""
        topics = self.origin.topics
        message = self.origin.sign(
            signed(reply, self.origin), message_id=self.new_id(), time=self.now()
        )
        if self.bulk.send(Parcel(topics.reply("evidence"), message)) and data is not None:
            self.bulk.send(Parcel(topics.evidence(reply.observation_id, reply.name), data))
