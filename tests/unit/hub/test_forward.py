"""Delivery: signatures, what is tried again and when, order, dead letters. Time is an argument."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.centre import CommandCentre, is_signed
from hub.alerts import event_id
from hub.forward import Forwarder, pause_s
from hub.sinks.base import Attempt, Sink
from hub.sinks.filter import Filter
from hub.sinks.make import Route
from hub.sinks.mqtt import MqttSink
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.notice import Notice, read_notice
from hub.sinks.webhook import WebhookSink, parse_secret, signature
from hub.store import alerts, deliveries
from tests.unit.hub.kit import NOW, FakeEdge, HubBench, at, entry
from tests.unit.hub.notices import a_notice
from wire.errors import ConfigError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    # The example of the Standard Webhooks specification and its libraries' tests.
    key = parse_secret(SECRET)
    body = b'{"test": 2432232314}'
    made = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_key_rotates_either_one_will_do() -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": "1000",
        "webhook-signature": signature([parse_secret(s) for s in (new, old)], "m1", 1000, b"x"),
    }
    for secret in (old, new):
        assert is_signed(secret, headers, b"x", 1000)
    assert not is_signed(old, headers, b"y", 1000)


@pytest.mark.parametrize("secret", ["whsec_???", "whsec_c2hvcnQ=", ""])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="sink centre: secret_file"):
        webhook("http://127.0.0.1/", secret)


@given(st.integers(1, 200), st.floats(0, 1))
def test_pauses_grow_and_are_bounded(attempts: int, chance: float) -> None:
    pause = pause_s(attempts, chance)
    assert 0.25 <= pause <= 300
    assert pause_s(attempts + 1, chance) >= pause
    assert pause >= pause_s(attempts, 1.0) / 2


@dataclass
class FakeSink(Sink):
    id: str = "centre"
    kind: str = "fake"
    answers: list[Attempt] = field(default_factory=list)
    got: list[Notice] = field(default_factory=list)
    breaks: bool = False

    def deliver(self, notice: Notice) -> Attempt:
        self.got.append(notice)
        if self.breaks:
            raise ZeroDivisionError
        return self.answers.pop(0) if self.answers else Attempt("delivered")


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


@pytest.fixture
def forwarder(bench: HubBench, sink: FakeSink) -> Forwarder:
    route = Route(sink, Filter(), timedelta(hours=1))
    return Forwarder(route, bench.store, lambda: bench.now, lambda: 1.0)


def raise_alert(bench: HubBench, edge: FakeEdge, plate: str = "京A00001") -> str:
    bench.watch(entry(plate))
    assert bench.run(edge.plate(plate, bench.now)).raised == 1
    return max(bench.rows("alerts"), key=lambda row: row["raised_at"])["id"]


def go(forwarder: Forwarder) -> bool:
    with ThreadPoolExecutor(1) as workers:
        return forwarder.deliver_due(workers)


def states(bench: HubBench) -> list[str]:
    return [row["state"] for row in bench.rows("deliveries") if row["sink"] == "centre"]


def test_a_failure_is_tried_again_under_the_same_id(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    alert = raise_alert(bench, edge)
    sink.answers = [Attempt("retry", "HTTP 503"), Attempt("retry", "HTTP 503")]
    times = []
    for second in range(20):
        bench.now = at(second / 10)
        if go(forwarder):
            times.append(second / 10)
    assert times == [0.0, 0.5, 1.5]  # half a second, then a whole one
    assert {item.due.event_id for item in sink.got} == {
        event_id(alert, "gatehouse.alert.raised.v1")
    }
    assert len({item.due.body for item in sink.got}) == 1
    assert states(bench) == ["delivered"]
    assert not go(forwarder)


def test_the_receivers_own_pause_is_kept(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    raise_alert(bench, edge)
    sink.answers = [Attempt("retry", "HTTP 429", after_s=30)]
    go(forwarder)
    bench.now = at(29)
    assert not go(forwarder)
    bench.now = at(30)
    assert go(forwarder)


def test_what_is_hopeless_or_too_old_is_a_dead_letter_that_can_be_replayed(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    raise_alert(bench, edge)
    sink.answers = [Attempt("refused", "HTTP 400")]
    go(forwarder)
    assert states(bench) == ["dead"]
    bench.now = at(10_000)
    with bench.store.write() as tx:
        assert deliveries.replay(tx, "centre", None, bench.now) == 1
    sink.answers = [Attempt("retry", "x"), Attempt("retry", "x"), Attempt("delivered")]
    go(forwarder)
    assert states(bench) == ["waiting"]  # a replay has all its time again
    bench.now = at(10_000 + 3600)
    go(forwarder)
    assert states(bench) == ["dead"]


def test_events_of_one_alert_stay_in_order_and_hold_up_no_other(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    first = raise_alert(bench, edge)
    event = bench.rows("events")[0]
    with bench.store.write() as tx:  # as a later event of the first alert would be
        later = {**event, "id": event_id(first, "gatehouse.alert.closed.v1")}
        del later["position"]
        alerts.add_event(tx, later, ["centre"], at(0))
    bench.now = at(1)
    second = raise_alert(bench, edge, "京A00002")
    sink.answers = [Attempt("retry", "HTTP 503")]
    go(forwarder)
    assert [item.due.alert_id for item in sink.got] == [first, second]
    bench.now = at(10)
    while go(forwarder):
        pass
    of_first = [item.due for item in sink.got if item.due.alert_id == first]
    assert [due.position for due in of_first] == [1, 1, 2]
    assert [[told.event_id for told in due.told] for due in of_first] == [[], [], [event["id"]]]
    assert {due.alert_number for due in of_first} == {1}


def test_a_restart_tries_what_waits_at_once(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    raise_alert(bench, edge)
    sink.answers = [Attempt("retry", "HTTP 503", after_s=300)]
    go(forwarder)
    with bench.store.write() as tx:
        deliveries.hurry(tx, "centre", at(1))
    bench.now = at(1)
    assert go(forwarder)


def answering(status: int, headers: dict[str, str]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def webhook(url: str, secret: str = SECRET, now=lambda: NOW) -> WebhookSink:
    guard = Guard([ip_network("127.0.0.0/8")])
    return WebhookSink("centre", url, [secret], GuardedClient(guard, 5), now)


@pytest.mark.parametrize(
    ("status", "headers", "attempt"),
    [
        (204, {}, Attempt("delivered")),
        (503, {}, Attempt("retry", "HTTP 503")),
        (401, {}, Attempt("retry", "HTTP 401")),  # a secret that somebody will mend
        (429, {"retry-after": "7"}, Attempt("retry", "HTTP 429", 7.0)),
        (400, {}, Attempt("refused", "HTTP 400")),
        (410, {}, Attempt("refused", "HTTP 410")),
        (302, {"location": "http://169.254.169.254/"}, Attempt("retry", "HTTP 302")),
    ],
)
def test_what_an_answer_means(status: int, headers: dict, attempt: Attempt) -> None:
    server = answering(status, headers)
    sink = webhook(f"http://127.0.0.1:{server.server_port}/")
    assert sink.deliver(a_notice()) == attempt
    sink.stop()
    server.shutdown()
    server.server_close()


def test_nobody_there_is_worth_another_try() -> None:
    sink = webhook("http://127.0.0.1:1/")
    assert sink.deliver(a_notice()).result == "retry"
    sink.stop()


def test_the_command_centre_of_the_demonstration_takes_it(bench: HubBench, edge: FakeEdge) -> None:
    from datetime import UTC, datetime

    centre = CommandCentre(SECRET)
    port = centre.start()
    alert = raise_alert(bench, edge)
    sink = webhook(f"http://127.0.0.1:{port}/", now=lambda: datetime.now(UTC))
    with bench.store.read() as tx:
        (item,) = deliveries.due(tx, "centre", bench.now, 10)
    notice = read_notice(item)
    assert sink.deliver(notice) == sink.deliver(notice) == Attempt("delivered")
    (delivery,) = centre.deliveries
    assert delivery.alert["alert_id"] == alert
    assert delivery.event == json.loads(item.body)
    assert (centre.repeated, centre.forged) == (1, 0)
    sink.stop()
    centre.stop()


def test_alerts_go_to_the_broker_too() -> None:
    sent = []

    class FakeBroker:
        there = True

        def publish_and_wait(self, site, topic, payload, timeout_s) -> bool:
            sent.append((site, topic, payload))
            return self.there

    broker = FakeBroker()
    sink = MqttSink(broker)
    notice = a_notice()
    assert sink.deliver(notice) == Attempt("delivered")
    topic = f"gatehouse/v1/rosegarden/alert/{notice.alert.alert_id}"
    assert sent == [("rosegarden", topic, notice.due.body)]
    broker.there = False
    assert sink.deliver(notice).result == "retry"


def test_what_the_filter_does_not_let_pass_is_skipped_with_the_reason(
    bench: HubBench, edge: FakeEdge, sink: FakeSink
) -> None:
    raise_alert(bench, edge)
    blue = Route(sink, Filter(severities=frozenset({"blue"})), timedelta(hours=1))
    assert go(Forwarder(blue, bench.store, lambda: bench.now))
    assert sink.got == []
    assert states(bench) == ["skipped"]
    (row,) = [row for row in bench.rows("deliveries") if row["sink"] == "centre"]
    assert (row["last_error"], row["delivered_at"]) == ("other_severity", None)


def test_an_event_that_breaks_the_sink_is_tried_again_and_holds_up_no_other(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    raise_alert(bench, edge)
    sink.breaks = True
    assert go(forwarder)
    with bench.store.read() as tx:
        assert "fault" in deliveries.oldest_waiting(tx)["centre"][1]
    sink.breaks, bench.now = False, at(1)
    assert go(forwarder)
    assert states(bench) == ["delivered"]
    assert forwarder.last_delivered_at == at(1)


def test_a_body_that_is_no_event_becomes_a_dead_letter(
    bench: HubBench, edge: FakeEdge, sink: FakeSink, forwarder: Forwarder
) -> None:
    first = raise_alert(bench, edge)
    with bench.store.write() as tx:
        row = {**bench.rows("events")[0], "id": "x", "alert_id": first, "body": b"{}"}
        del row["position"]
        alerts.add_event(tx, row, ["centre"], at(0))
    go(forwarder)
    go(forwarder)
    assert states(bench) == ["delivered", "dead"]
