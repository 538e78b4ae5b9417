"""One MQTT connection, from CONNECT to its end: paho behind the few things that the publisher needs.

In: the broker's address and credentials. Out: a `Link`, or `BrokerError` with the reason. MQTT 5 first,
unless the configuration says which; a broker that speaks only 3.1.1 gets that, for nothing of ours needs
more.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.config import BrokerSection
from wire.errors import BrokerError, ConfigError

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 15
CONNECT_TIMEOUT_S: Final = 5.0
_5, _311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
_PROTOCOLS: Final = {"auto": (_5, _311), "5": (_5,), "3.1.1": (_311,)}
_SAY_311: Final = (
    "broker %s:%d takes MQTT 3.1.1 and not 5:"
    ' protocol = "3.1.1" saves asking for 5, which some never answer'
)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection breaks."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came. `retained`: the broker had kept it from before we subscribed."""

    topic: str
    payload: bytes
    retained: bool


class Link:
    """A connection that the broker has accepted. Its callbacks come from a thread of paho's."""

    def __init__(self, client: mqtt.Client, on_lost: Callable[[], None]) -> None:
        self._client = client
        self._on_lost = on_lost
        self._answered = threading.Event()
        self._refused: str | None = None
        self._lost = threading.Event()
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected

    @property
    def lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.is_set()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Hand a message to the broker; lost silently if the connection is."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def publish_and_wait(
        self, topic: str, payload: bytes, timeout_s: float, *, qos: int = 1
    ) -> bool:
        """Hand over a message; whether the broker has taken it in time. One of QoS 0 is only sent off."""
        info = self._client.publish(topic, payload, qos=qos)
        deadline_s = time.monotonic() + timeout_s
        while not (info.is_published() or self.lost):
            if time.monotonic() >= deadline_s:
                return False
            info.wait_for_publish(0.2)
        return info.is_published()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Hear these topics at QoS 1."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def say_goodbye(self, topic: str, payload: bytes, timeout_s: float) -> None:
        """Publish a retained last word and wait until the broker has it."""
        info = self._client.publish(topic, payload, qos=1, retain=True)
        try:
            info.wait_for_publish(timeout_s)
        except (RuntimeError, ValueError):
            return  # the connection went while we said it: the will says the same

    def close(self) -> None:
        """End the connection and paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def open(self, broker: BrokerSection, timeout_s: float) -> str | None:
        """Connect; returns why it failed, None when the broker has accepted."""
        try:
            self._client.connect(broker.host, broker.port, keepalive=KEEPALIVE_S)
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        self._client.loop_start()
        if not self._answered.wait(timeout_s):
            return f"no answer within {timeout_s:.0f} s"
        return self._refused

    @property
    def was_refused(self) -> bool:
        """Whether the broker was there and did not take the connection."""
        return self._refused is not None

    def _connected(
        self, client: mqtt.Client, userdata: object, flags: object, code: Any, properties: object
    ) -> None:
        del client, userdata, flags, properties
        self._refused = f"it refuses the connection: {code}" if code.is_failure else None
        self._answered.set()

    def _disconnected(
        self, client: mqtt.Client, userdata: object, flags: object, code: Any, properties: object
    ) -> None:
        del client, userdata, flags, properties
        if not self._answered.is_set():
            self._refused = f"it closed the connection ({code})"
        self._lost.set()
        self._answered.set()
        self._on_lost()


def open_link(
    broker: BrokerSection,
    client_id: str,
    *,
    will: Will | None = None,
    on_message: Callable[[Incoming], None] | None = None,
    on_lost: Callable[[], None] = lambda: None,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> Link:
    """Connect. BrokerError says why it cannot be done, ConfigError which file of ours is wrong."""
    reason: str | None = None
    for protocol in _PROTOCOLS[broker.protocol]:
        client = _new_client(broker, client_id, protocol)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        if on_message is not None:
            client.on_message = _receiver(on_message)
        link = Link(client, on_lost)
        reason = link.open(broker, timeout_s)
        if reason is None:
            if protocol is _311 and broker.protocol == "auto":
                log.warning(_SAY_311, broker.host, broker.port)
            return link
        link.close()
        if not link.was_refused:
            break
    raise BrokerError(f"broker {broker.host}:{broker.port} cannot be used: {reason}")


def _receiver(
    on_message: Callable[[Incoming], None],
) -> Callable[[mqtt.Client, Any, mqtt.MQTTMessage], None]:
    def receive(client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        del client, userdata
        on_message(Incoming(message.topic, bytes(message.payload), bool(message.retain)))

    return receive


def _new_client(
    broker: BrokerSection, client_id: str, protocol: MQTTProtocolVersion
) -> mqtt.Client:
    is_v5 = protocol is _5
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=protocol,
        clean_session=None if is_v5 else True,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_inflight_messages_set(0)  # the window is the publisher's
    try:
        if broker.username is not None:
            file = broker.password_file
            password = file.read_text(encoding="utf-8").strip() if file else None
            client.username_pw_set(broker.username, password)
        if broker.tls:
            client.tls_set(
                ca_certs=str(broker.ca_file) if broker.ca_file else None,
                certfile=str(broker.cert_file) if broker.cert_file else None,
                keyfile=str(broker.key_file) if broker.key_file else None,
            )
    except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the broker's credentials cannot be used: {error}") from error
    return client
