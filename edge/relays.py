"""Relays: what releases a door or barrier, over HTTP, over MQTT, or only for show.

In: an order with its deadline. Out: `release` returns once the device is released, or raises `RelayFailed`
with the reason, at the deadline at the latest. It may be asked again for the same order until then: the
order's id tells a controller that it is the same release. Which plate it is for is not told.
"""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from edge.config_devices import HttpRelaySection, MqttRelaySection
from edge.local_broker import LocalBroker
from wire.errors import ConfigError, InputError

log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.3
_CHECK_S: Final = 3.0


class RelayFailed(Exception):  # noqa: N818 - named for what the caller reports
    """The device was not released; the message says why."""


@dataclass(frozen=True, slots=True)
class Order:
    """Release `device`, before `deadline_s` of the monotonic clock."""

    id: str
    device: str
    deadline_s: float

    def body(self) -> bytes:
        """What a controller is sent."""
        order = {"release": self.id, "device": self.device, "action": "release"}
        return json.dumps(order, separators=(",", ":")).encode()


class Relay(Protocol):
    """Releases one device. Used by one thread."""

    def release(self, order: Order) -> None:
        """Return once the device is released; RelayFailed when it is not, by the deadline."""
        ...

    def check(self) -> str:
        """Say that the controller is there, without releasing anything; InputError when it is not."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class SimulatorRelay:
    """Releases nothing, and remembers for whom it would have."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def release(self, order: Order) -> None:
        """See `Relay`."""
        self.orders.append(order)
        log.warning("simulator: %s would be released now", order.device)

    def check(self) -> str:
        """See `Relay`."""
        return "a simulator: it opens nothing"

    def close(self) -> None:
        """See `Relay`."""


class HttpRelay:
    """POSTs the order. An answer of 2xx is a release; 4xx is final; all else is tried again."""

    def __init__(self, section: HttpRelaySection, monotonic_s: Callable[[], float]) -> None:
        """ConfigError when the token or the certificates cannot be used."""
        self._section, self._monotonic_s = section, monotonic_s
        self._headers = {"content-type": "application/json"}
        if section.token_file is not None:
            self._headers["authorization"] = f"Bearer {read_token(section.token_file)}"
        try:
            context = ssl.create_default_context(cafile=section.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file {section.ca_file} cannot be used: {error}") from error
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=False,
            verify=context,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=60.0),
        )

    def release(self, order: Order) -> None:
        """See `Relay`."""
        why = "there was no time left to ask"
        while (left_s := order.deadline_s - self._monotonic_s()) > 0:
            try:
                status = self._post(order, min(self._section.timeout_s, left_s))
            except httpx.HTTPError as error:
                why = f"{type(error).__name__}: {error}".rstrip(": ")
            else:
                if 200 <= status < 300:
                    return
                why = f"HTTP {status}"
                if 300 <= status < 500 and status != 429:
                    raise RelayFailed(why)
            time.sleep(min(_PAUSE_S, max(0.0, order.deadline_s - self._monotonic_s())))
        raise RelayFailed(f"given up: {why}")

    def _post(self, order: Order, timeout_s: float) -> int:
        """The status alone: what a controller says beside it is not read."""
        headers = {**self._headers, "idempotency-key": order.id}
        with self._client.stream(
            "POST", self._section.url, content=order.body(), headers=headers, timeout=timeout_s
        ) as answer:
            return answer.status_code

    def check(self) -> str:
        """See `Relay`. Only connects: some controllers take any request for a release."""
        url = httpx.URL(self._section.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            socket.create_connection((url.host, port), _CHECK_S).close()
        except OSError as error:
            raise InputError(f"no controller answers at {url.host}:{port}: {error}") from error
        return f"there is one at {url.host}:{port}; nothing was released"

    def close(self) -> None:
        """See `Relay`."""
        self._client.close()


class MqttRelay:
    """Publishes the order; waits for the controller's word where it gives any."""

    def __init__(
        self, section: MqttRelaySection, broker: LocalBroker, monotonic_s: Callable[[], float]
    ) -> None:
        self._section, self._broker, self._monotonic_s = section, broker, monotonic_s
        self._answers: dict[str, str] = {}
        self._changed = threading.Condition()
        self._waiting_for = ""
        if section.confirm_topic is not None:
            broker.hear(section.confirm_topic, self._heard)

    def release(self, order: Order) -> None:
        """See `Relay`."""
        with self._changed:
            self._waiting_for = order.id
            self._answers.clear()
        left_s = order.deadline_s - self._monotonic_s()
        if not self._broker.publish(self._section.topic, order.body(), max(0.0, left_s)):
            raise RelayFailed("given up: the local broker did not take the order in time")
        if self._section.confirm_topic is not None:
            self._wait(order)

    def _wait(self, order: Order) -> None:
        with self._changed:
            left_s = order.deadline_s - self._monotonic_s()
            if not self._changed.wait_for(lambda: order.id in self._answers, max(0.0, left_s)):
                raise RelayFailed("given up: the controller did not confirm it in time")
            if why := self._answers.pop(order.id):
                raise RelayFailed(f"the controller says: {why}")

    def _heard(self, payload: bytes) -> None:
        """From the broker's thread: ``{"release": id, "released": true}``, or false and why."""
        try:
            answer: Any = json.loads(payload)
            name, released = answer["release"], answer["released"]
        except (ValueError, TypeError, KeyError, RecursionError):
            log.warning("what came on %s confirms nothing", self._section.confirm_topic)
            return
        with self._changed:
            if name == self._waiting_for:
                why = str(answer.get("reason") or "no")[:200]
                self._answers[name] = "" if released is True else why
                self._changed.notify_all()

    def check(self) -> str:
        """See `Relay`."""
        return f"is asked on {self._section.topic}; nothing was released"

    def close(self) -> None:
        """See `Relay`."""


def read_token(path: Path) -> str:
    """The token in a file. ConfigError when there is none in it that a header can carry."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"the token file {path} must hold one token of printable ASCII")
    return token
