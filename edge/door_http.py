"""A small HTTP endpoint for controllers of doors and barriers: ``POST /devices/<id>/events`` and ``/alive``.

In: requests with a bearer token and at most a few kilobytes of JSON. Out: events for `DoorSignals`; answers
with a status and one line of JSON. Everything is bounded: the body, the time a connection may take, how many
are served at once. It gives nothing away: no list of devices, no version.
"""

import contextlib
import hmac
import json
import logging
import re
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from edge.config_devices import SignalsSection
from edge.door_signals import LARGEST_BYTES, DoorSignals, parse_event
from edge.relays import read_token
from wire.errors import ConfigError, InvalidMessage

log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5.0
_AT_ONCE: Final = 8
_PATH: Final = re.compile(r"/devices/([a-z0-9][a-z0-9-]{0,62})/(events|alive)")
_STATUS: Final = {
    "taken": HTTPStatus.ACCEPTED,
    "repeated": HTTPStatus.OK,
    "too_many": HTTPStatus.TOO_MANY_REQUESTS,
}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class DoorHttp:
    """Listens for the controllers of `devices`, in threads of its own."""

    def __init__(
        self,
        section: SignalsSection,
        devices: frozenset[str],
        signals: DoorSignals,
        now: Callable[[], datetime],
    ) -> None:
        """ConfigError when the token cannot be read, or nothing can listen there."""
        self._expected = f"Bearer {read_token(section.token_file)}".encode()
        self._devices, self._signals, self._now = devices, signals, now
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        if section.host not in _LOOPBACK:
            log.warning("controllers are heard without TLS on %s: see docs/access.md", section.host)
        try:
            self._server = _Server(section.host, section.port, self._handler())
        except OSError as error:
            raise ConfigError(
                f"[signals]: nothing can listen on {section.host}:{section.port}: {error.strerror}"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="door-http", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Answer nobody any more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout_s)
        self._server.server_close()

    def knows(self, authorization: str) -> bool:
        """Whether the token is ours. Takes as long whatever is wrong with it."""
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), self._expected)

    def answer(self, path: str, body: bytes) -> tuple[HTTPStatus, str]:
        """What becomes of a request that showed the token: a status, and a word about it."""
        match = _PATH.fullmatch(path)
        if match is None or match[1] not in self._devices:
            return HTTPStatus.NOT_FOUND, "there is no such device here"
        if match[2] == "alive":
            self._signals.alive(match[1], self._now())
            return HTTPStatus.OK, "heard"
        try:
            event = parse_event(body)
        except InvalidMessage as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
        self._signals.alive(match[1], self._now())
        heard = self._signals.event(match[1], event, self._now())
        return _STATUS[heard], heard

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """One connection, one request."""

            timeout = _TIMEOUT_S
            server_version, sys_version = "gatehouse", ""

            def handle(self) -> None:
                """Serve it, where there is a place."""
                if not outer._places.acquire(blocking=False):
                    return
                cut = threading.Timer(_TIMEOUT_S, self._cut)
                cut.start()
                try:
                    super().handle()
                finally:
                    cut.cancel()
                    outer._places.release()

            def _cut(self) -> None:
                """However slowly it comes: the whole of it has so long."""
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def do_POST(self) -> None:
                length = self.headers.get("content-length", "")
                if not outer.knows(self.headers.get("authorization", "")):
                    self._say(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
                elif not length.isascii() or not length.isdigit():
                    self._say(HTTPStatus.LENGTH_REQUIRED, "say content-length")
                elif int(length) > LARGEST_BYTES:
                    self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BYTES} bytes")
                else:
                    self._say(*outer.answer(self.path, self.rfile.read(int(length))))

            def _say(self, status: HTTPStatus, detail: str) -> None:
                answer = json.dumps({"detail": detail}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                log.debug("controller: " + format, *args)

        return Handler


class _Server(ThreadingHTTPServer):
    """A thread for each connection; one that breaks is nobody's fault."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See `ThreadingHTTPServer`."""
        del request, client_address
        log.debug("a controller's connection broke", exc_info=True)
