"""A stand-in for the hub, on the other side of a real broker: takes, acknowledges, commands."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from wire.codec import decode, encode
from wire.keys import public_text
from wire.messages import Ack, CommittedUpTo, Event, HubStatus, Message
from wire.topics import HUB, EdgeTopics


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.02)


class HubStub:
    """Keeps everything it hears; acknowledges contiguous sequences while `acknowledges` is set."""

    def __init__(self, port: int, site: str = "yard", edge: str = "box") -> None:
        self.key, self.opening_key = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.topics = EdgeTopics(site, edge)
        self.port = port
        self.acknowledges = True
        self.heard: list[tuple[str, bytes]] = []
        self._committed: dict[str, int] = {}
        self._waiting: dict[str, set[int]] = {}
        self._lock = threading.Lock()
        self._client: mqtt.Client | None = None
        self.session_id = ""

    @property
    def keys(self) -> dict[str, str]:
        """The [hub] section of an edge's file."""
        return {
            "verify_key": public_text(self.key.public_key()),
            "sealing_key": public_text(self.opening_key.public_key()),
        }

    def start(self) -> "HubStub":
        self.session_id = str(uuid.uuid4())
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.will_set(self.topics.hub_status, self._status(online=False), 1, retain=True)
        client.on_message = self._on_message
        client.connect("127.0.0.1", self.port)
        client.subscribe(f"{self.topics.base}/#", 1)
        client.publish(self.topics.hub_status, self._status(online=True), 1, retain=True)
        client.loop_start()
        self._client = client
        return self

    def stop(self) -> None:
        if self._client is not None:
            self._client.publish(self.topics.hub_status, self._status(online=False), 1, retain=True)
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _status(self, *, online: bool) -> bytes:
        return self.sign(HubStatus(session_id=self.session_id, online=online))

    def sign(
        self, data: Message, *, key: Ed25519PrivateKey | None = None, origin: str = HUB
    ) -> bytes:
        event = Event(
            id=str(uuid.uuid4()),
            site=self.topics.site,
            origin=origin,
            time=datetime.now(UTC),
            data=data,
        )
        return encode(event, key or self.key)

    def send(self, topic: str, payload: bytes) -> None:
        assert self._client is not None
        self._client.publish(topic, payload, 1).wait_for_publish(5)

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self.heard.append((message.topic, message.payload))
        if "/observation/" in message.topic and self.acknowledges:
            self.acknowledge(decode(message.payload).event)

    def acknowledge(self, event: Event) -> None:
        """Count `event`, and acknowledge up to where nothing is missing; from any thread, in any order."""
        assert event.boot_id is not None
        assert event.sequence is not None
        with self._lock:
            committed = self._committed.get(event.boot_id, 0)
            waiting = self._waiting.setdefault(event.boot_id, set())
            if event.sequence > committed:
                waiting.add(event.sequence)
                if committed + 1 not in waiting:
                    return
            while committed + 1 in waiting:
                committed += 1
                waiting.remove(committed)
            self._committed[event.boot_id] = committed
        ack = Ack(committed=(CommittedUpTo(boot_id=event.boot_id, sequence=committed),))
        assert self._client is not None
        self._client.publish(self.topics.ack, self.sign(ack), 1)

    def events(self, part: str = "/observation/") -> list[Event]:
        with self._lock:
            return [decode(payload).event for topic, payload in self.heard if part in topic]

    def sequences(self) -> list[int]:
        return [event.sequence or 0 for event in self.events()]

    def payloads(self, part: str) -> list[tuple[str, bytes]]:
        with self._lock:
            return [(topic, payload) for topic, payload in self.heard if part in topic]

    def statuses(self, key: Ed25519PublicKey) -> list[Event]:
        with self._lock:
            found = [payload for topic, payload in self.heard if topic == self.topics.status]
        return [decode(payload).verify(key) for payload in found]
