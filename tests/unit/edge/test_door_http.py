"""The endpoint for controllers, over real connections: who is heard, who is not, and that it is bounded."""

import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import edge.door_http
from edge.config_devices import SignalsSection
from edge.door_http import DoorHttp
from tests.unit.edge.test_door_signals import HTTP, Hall, at
from wire.errors import ConfigError


class Endpoint:
    def __init__(self, folder: Path) -> None:
        token = folder / "controllers.token"
        token.write_text("t0ken-of-the-door\n")
        self.section = SignalsSection(port=0, token_file=token)
        self.hall = Hall(HTTP)
        self.http = DoorHttp(self.section, frozenset({"lobby"}), self.hall.signals, lambda: at(5))
        self.http.start()

    def post(self, path: str, body: bytes = b"", *, token: str = "t0ken-of-the-door"):
        return httpx.post(
            f"http://127.0.0.1:{self.http.port}{path}",
            content=body,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.http.port), 10) as connection:
            connection.sendall(request)
            answer = b""
            try:
                while piece := connection.recv(4096):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    endpoint = Endpoint(tmp_path)
    yield endpoint
    endpoint.http.stop(5)


def test_an_event_is_taken_once_and_makes_its_device_heard(endpoint: Endpoint) -> None:
    event = b'{"id": "e1", "method": "card", "reference": "0042"}'
    first = endpoint.post("/devices/lobby/events", event)
    assert (first.status_code, first.json()) == (202, {"detail": "taken"})
    assert endpoint.post("/devices/lobby/events", event).status_code == 200
    assert endpoint.hall.heard(5, 6) == 1
    assert len(endpoint.hall.told) == 1


def test_a_call_without_an_event_says_that_it_is_there(endpoint: Endpoint) -> None:
    assert endpoint.hall.heard(5, 6) is None
    assert endpoint.post("/devices/lobby/alive").status_code == 200
    assert endpoint.hall.heard(5, 6) == 0


@pytest.mark.parametrize(
    "token", ["x", "t0ken-of-the-doo", "t0ken-of-the-door2", "T0KEN-OF-THE-DOOR"]
)
def test_without_the_token_nothing_is_heard_and_nothing_told(
    endpoint: Endpoint, token: str
) -> None:
    for path in ("/devices/lobby/events", "/devices/nowhere/events", "/"):
        assert endpoint.post(path, b"{}", token=token).status_code == 401
    assert endpoint.hall.told == []


def test_what_is_not_understood_is_said(endpoint: Endpoint) -> None:
    for path in ("/devices/other/events", "/devices/lobby/open", "/", "/devices/lobby/events/"):
        assert endpoint.post(path, b"{}").status_code == 404
    wrong = endpoint.post("/devices/lobby/events", b'{"decision": "maybe"}')
    assert wrong.status_code == 422
    assert "decision" in wrong.json()["detail"]
    assert endpoint.post("/devices/lobby/events", b"x" * 8193).status_code == 413
    for _ in range(60):
        endpoint.post("/devices/lobby/events", b"{}")
    assert endpoint.post("/devices/lobby/events", b"{}").status_code == 429


def test_other_methods_and_bodies_of_no_length_are_refused(endpoint: Endpoint) -> None:
    assert b" 501 " in endpoint.raw(b"GET / HTTP/1.0\r\n\r\n")
    head = b"POST / HTTP/1.0\r\nauthorization: Bearer t0ken-of-the-door\r\n"
    assert b" 411 " in endpoint.raw(head + b"\r\n")
    assert b" 411 " in endpoint.raw(head + b"content-length: -1\r\n\r\n")
    assert b"Python" not in endpoint.raw(head + b"\r\n")


def test_one_that_dawdles_is_cut_off_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.setattr(edge.door_http, "_TIMEOUT_S", 0.5)
    endpoint = Endpoint(tmp_path)
    caplog.set_level(logging.DEBUG)
    with socket.create_connection(("127.0.0.1", endpoint.http.port), 10) as slow:
        slow.sendall(b"POST /devices/lobby/events HTTP/1.0\r\n")
        assert endpoint.post("/devices/lobby/alive").status_code == 200
        started_s = time.monotonic()
        while True:  # a byte now and then keeps no connection
            try:
                slow.sendall(b"x")
                if not slow.recv(100):
                    break
            except OSError:
                break
            assert time.monotonic() - started_s < 10
    endpoint.http.stop(5)


def test_a_port_that_is_taken_and_a_token_that_is_none_are_said(endpoint: Endpoint) -> None:
    taken = endpoint.section.model_copy(update={"port": endpoint.http.port})
    with pytest.raises(ConfigError, match=r"\[signals\]: nothing can listen on 127\.0\.0\.1"):
        DoorHttp(taken, frozenset(), endpoint.hall.signals, lambda: at(0))
    endpoint.section.token_file.write_text("")
    with pytest.raises(ConfigError, match="must hold one token"):
        DoorHttp(endpoint.section, frozenset(), endpoint.hall.signals, lambda: at(0))
