"""Relays against real controllers of this machine: what is a release, what is tried again, what is not."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge.config_devices import HttpRelaySection, MqttRelaySection
from edge.relays import HttpRelay, MqttRelay, Order, RelayFailed, SimulatorRelay, read_token
from tests.servers import free_port
from wire.errors import ConfigError, InputError


@dataclass
class Controller:
    """A barrier's controller: answers with `statuses`, the last one for ever; remembers what it was sent."""

    statuses: list[int]
    delay_s: float = 0.0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        controller = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                controller.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                time.sleep(controller.delay_s)
                statuses = controller.statuses
                self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/release"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def controllers() -> Iterator[Callable[..., Controller]]:
    made: list[Controller] = []

    def make(*statuses: int, delay_s: float = 0.0) -> Controller:
        made.append(Controller(list(statuses), delay_s))
        return made[-1]

    yield make
    for controller in made:
        controller.close()


def relay(url: str, **more) -> HttpRelay:
    section = HttpRelaySection.model_validate({"kind": "http", "url": url, **more})
    return HttpRelay(section, time.monotonic)


def order(within_s: float = 5.0, name: str = "o-1") -> Order:
    return Order(name, "north", time.monotonic() + within_s)


def test_a_release_is_a_post_with_the_token_and_the_orders_id(controllers, tmp_path: Path) -> None:
    controller = controllers(204)
    token = tmp_path / "token"
    token.write_text("s3cret-token\n")
    http = relay(controller.url, token_file=token)
    http.release(order())
    ((headers, body),) = controller.requests
    assert headers["authorization"] == "Bearer s3cret-token"
    assert headers["idempotency-key"] == json.loads(body)["release"] == "o-1"
    http.close()


def test_a_controller_that_stumbles_is_asked_again_for_the_same_release(controllers) -> None:
    controller = controllers(503, 429, 200)
    relay(controller.url).release(order())
    assert {headers["idempotency-key"] for headers, _ in controller.requests} == {"o-1"}
    assert len(controller.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 307])
def test_a_clear_no_is_final(controllers, status: int) -> None:
    controller = controllers(status)
    with pytest.raises(RelayFailed, match=f"^HTTP {status}$"):
        relay(controller.url).release(order())
    assert len(controller.requests) == 1


def test_one_that_never_works_is_given_up_at_the_deadline(controllers) -> None:
    controller = controllers(500)
    with pytest.raises(RelayFailed, match="given up: HTTP 500"):
        relay(controller.url).release(order(0.5))
    assert controller.requests


def test_one_that_does_not_answer_is_given_up_with_the_reason(controllers) -> None:
    slow = controllers(200, delay_s=3.0)
    with pytest.raises(RelayFailed, match="given up: ReadTimeout"):
        relay(slow.url, timeout_s=0.2).release(order(0.4))
    with pytest.raises(RelayFailed, match="given up: ConnectError"):
        relay(f"http://127.0.0.1:{free_port()}/").release(order(0.4))


def test_an_order_past_its_deadline_asks_nobody(controllers) -> None:
    controller = controllers(200)
    with pytest.raises(RelayFailed, match="there was no time left"):
        relay(controller.url).release(order(0.0))
    assert controller.requests == []


def test_a_check_connects_and_sends_nothing(controllers) -> None:
    controller = controllers(200)
    assert "nothing was released" in relay(controller.url).check()
    assert controller.requests == []
    with pytest.raises(InputError, match="no controller answers"):
        relay(f"http://127.0.0.1:{free_port()}/").check()


@pytest.mark.parametrize("content", ["", "  \n", "two words", "geheim\tx", "密码"])
def test_a_token_that_no_header_can_carry_is_said_with_its_file(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"token must hold one token"):
        read_token(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path / "none")


def test_certificates_that_are_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ca_file"):
        relay("https://127.0.0.1/", ca_file=tmp_path / "none.pem")


def test_the_simulator_opens_nothing_and_says_so(caplog) -> None:
    simulator = SimulatorRelay()
    simulator.release(order())
    assert [one.id for one in simulator.orders] == ["o-1"]
    assert "north would be released now" in caplog.text
    assert "opens nothing" in simulator.check()


@dataclass
class FakeBroker:
    """The local broker with a controller behind it that answers each order with `answers`."""

    answers: list[bytes] = field(default_factory=list)
    there: bool = True
    published: list[tuple[str, bytes]] = field(default_factory=list)
    handler: Callable[[bytes], None] | None = None

    def hear(self, topic: str, handler: Callable[[bytes], None]) -> None:
        assert topic == "gate/confirm"
        self.handler = handler

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        self.published.append((topic, payload))
        for answer in self.answers:
            assert self.handler is not None
            self.handler(answer)
        return self.there


def over_mqtt(broker: FakeBroker, *, confirmed: bool) -> MqttRelay:
    section = MqttRelaySection(
        kind="mqtt", topic="gate/set", confirm_topic="gate/confirm" if confirmed else None
    )
    return MqttRelay(section, broker, time.monotonic)  # type: ignore[arg-type]


def test_without_a_confirmation_the_broker_is_believed() -> None:
    broker = FakeBroker()
    over_mqtt(broker, confirmed=False).release(order())
    ((topic, body),) = broker.published
    assert (topic, json.loads(body)["release"]) == ("gate/set", "o-1")
    broker.there = False
    with pytest.raises(RelayFailed, match="local broker did not take the order"):
        over_mqtt(broker, confirmed=False).release(order())


def test_with_one_the_controllers_word_counts() -> None:
    yes = b'{"release": "o-1", "released": true}'
    over_mqtt(FakeBroker([b"nonsense", b"[]", yes]), confirmed=True).release(order())
    no = b'{"release": "o-1", "released": false, "reason": "barrier locked by hand"}'
    with pytest.raises(RelayFailed, match="the controller says: barrier locked by hand"):
        over_mqtt(FakeBroker([no]), confirmed=True).release(order())
    other = b'{"release": "o-2", "released": true}'
    with pytest.raises(RelayFailed, match="did not confirm it in time"):
        over_mqtt(FakeBroker([other]), confirmed=True).release(order(0.1))
