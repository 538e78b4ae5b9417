"""The hub's connections to the MQTT broker: one for each site.

One connection each, since a connection has one last will, and each site has its own hub status. The callback
thread only hands messages on. The broker may come and go: paho connects again with growing pauses, and every
new connection announces a new session, which asks the edges for all that is not acknowledged.
"""

import contextlib
import logging
import ssl
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.config import BrokerSection, read_secret
from hub.incoming import Incoming
from wire.codec import Signer, encode
from wire.errors import BrokerError, ConfigError
from wire.messages import Event, HubStatus
from wire.topics import HUB, HUB_SUBSCRIPTIONS, ROOT, EdgeTopics

log = logging.getLogger(__name__)

_KEEPALIVE_S = 20
_LONGEST_PAUSE_S = 8


class Broker(Protocol):
    """What the rest of the hub needs of the broker."""

    def publish(self, site: str, topic: str, payload: bytes) -> bool:
        """Hand a message over, QoS 1; False when the site is not connected."""
        ...

    def publish_and_wait(self, site: str, topic: str, payload: bytes, timeout_s: float) -> bool:
        """Hand a message over, QoS 1; whether the broker has taken it in time."""
        ...


class MqttBroker:
    """The connections of all sites. `on_message` is called in a thread of paho's and must not block."""

    def __init__(
        self,
        config: BrokerSection,
        sites: Sequence[str],
        signer: Signer,
        version: str,
        now: Callable[[], datetime],
        on_message: Callable[[Incoming], None],
    ) -> None:
        self._links = {
            site: _SiteLink(make_client(config), config, site, signer, version, now, on_message)
            for site in sites
        }

    @property
    def connected(self) -> dict[str, bool]:
        """Whether each site is connected."""
        return {site: link.client.is_connected() for site, link in self._links.items()}

    @property
    def problem(self) -> str:
        """Why a site is not connected; "" when all are or nobody knows."""
        return next((link.problem for link in self._links.values() if link.problem), "")

    def start(self) -> None:
        """Begin to connect; returns at once."""
        for link in self._links.values():
            link.start()

    def stop(self) -> None:
        """Say that the hub goes away, and disconnect."""
        for link in self._links.values():
            link.stop()

    def publish(self, site: str, topic: str, payload: bytes) -> bool:
        """See `Broker`."""
        link = self._links.get(site)
        if link is None or not link.client.is_connected():
            return False
        return link.client.publish(topic, payload, qos=1).rc == mqtt.MQTT_ERR_SUCCESS

    def publish_and_wait(self, site: str, topic: str, payload: bytes, timeout_s: float) -> bool:
        """See `Broker`."""
        link = self._links.get(site)
        if link is None or not link.client.is_connected():
            return False
        info = link.client.publish(topic, payload, qos=1)
        with contextlib.suppress(RuntimeError, ValueError):
            info.wait_for_publish(timeout_s)
            return info.is_published()
        return False


class _SiteLink:
    """One site's connection, with its birth and last will."""

    def __init__(
        self,
        client: mqtt.Client,
        config: BrokerSection,
        site: str,
        signer: Signer,
        version: str,
        now: Callable[[], datetime],
        on_message: Callable[[Incoming], None],
    ) -> None:
        self.client, self._config, self._site = client, config, site
        self._signer, self._version, self._now = signer, version, now
        self._on_message = on_message
        self._topic = EdgeTopics(site, HUB).hub_status
        self._session = ""
        self.problem = ""
        client.on_pre_connect = self._before_connect
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_connect_fail = self._failed
        client.on_message = self._message

    def start(self) -> None:
        """Connect, now or when the broker is there."""
        self.client.connect_async(self._config.host, self._config.port, _KEEPALIVE_S)
        self.client.loop_start()

    def stop(self) -> None:
        """Say good-bye and disconnect."""
        if self.client.is_connected():
            info = self.client.publish(self._topic, self._status(online=False), qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                info.wait_for_publish(1.0)
        self.client.disconnect()
        self.client.loop_stop()

    def _status(self, *, online: bool) -> bytes:
        data = HubStatus(session_id=self._session, online=online, version=self._version)
        event = Event(
            id=str(uuid.uuid4()), site=self._site, origin=HUB, time=self._now(), data=data
        )
        return encode(event, self._signer)

    def _before_connect(self, client: mqtt.Client, _userdata: Any) -> None:
        self._session = str(uuid.uuid4())
        client.will_set(self._topic, self._status(online=False), qos=1, retain=True)

    def _connected(
        self,
        client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._note(f"the broker refuses the hub: {code}")
            return
        self.problem = ""
        log.info("connected to the broker for site %s", self._site)
        own = [(s.replace(f"{ROOT}/+/", f"{ROOT}/{self._site}/", 1), 1) for s in HUB_SUBSCRIPTIONS]
        client.subscribe(own)
        client.publish(self._topic, self._status(online=True), qos=1, retain=True)

    def _disconnected(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._note(f"the connection to the broker was lost: {code}")

    def _failed(self, _client: mqtt.Client, _userdata: Any) -> None:
        self._note(f"no broker answers at {self._config.host}:{self._config.port}")

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("site %s: %s; trying again", self._site, problem)
        self.problem = problem

    def _message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic != self._topic:
            self._on_message(Incoming(message.topic, bytes(message.payload)))


def make_client(config: BrokerSection) -> mqtt.Client:
    """A client as the configuration says, not yet connected. ConfigError for unusable files."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"gatehouse-hub-{uuid.uuid4().hex[:12]}",
        clean_session=True,  # what was not acknowledged is sent again anyway
        protocol=MQTTProtocolVersion.MQTTv311,
    )
    client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
    if config.username is not None:
        password = read_secret(config.password_file)[0] if config.password_file else None
        client.username_pw_set(config.username, password)
    if config.tls:
        try:
            context = ssl.create_default_context(cafile=config.ca_file)
            if config.cert_file is not None and config.key_file is not None:
                context.load_cert_chain(config.cert_file, config.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"broker: the TLS files cannot be used: {error}") from error
        client.tls_set_context(context)
    return client


def check_broker(config: BrokerSection, timeout_s: float = 5.0) -> None:
    """Connect once and go. BrokerError says why that does not work."""
    client, answer, done = make_client(config), list[str](), threading.Event()

    def answered(*arguments: Any) -> None:
        code: ReasonCode = arguments[3]
        if code.is_failure:
            answer.append(str(code))
        done.set()

    client.on_connect = answered
    where = f"{config.host}:{config.port}"
    try:
        client.connect_timeout = timeout_s
        client.connect(config.host, config.port, _KEEPALIVE_S)
        client.loop_start()
        if not done.wait(timeout_s):
            raise BrokerError(
                f"the broker at {where} does not answer MQTT within {timeout_s:.0f} s"
            )
    except (OSError, ValueError) as error:
        raise BrokerError(
            f"no broker answers at {where}: {error}; is it running, and is [broker] right?"
        ) from error
    finally:
        client.disconnect()
        client.loop_stop()
    if answer:
        raise BrokerError(f"the broker at {where} refuses the hub: {answer[0]}")
