"""A stub command centre: an HTTP receiver of signed webhooks, as a real one would be written.

It checks the signature (Standard Webhooks 1.0: HMAC-SHA256 over ``id.timestamp.body``), answers 200 to
what it has taken and to what it already had, and keeps alerts in memory. `refuse` makes it answer
503 to that share of first attempts, by a seed, so that retries are exercised.
"""

import base64
import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_TOLERANCE_S = 300
_MAX_BODY_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that was taken: its id, the CloudEvent in it, and when it came."""

    webhook_id: str
    event: dict[str, Any]
    received_at: datetime

    @property
    def alert(self) -> dict[str, Any]:
        """The alert in the event (`wire.messages.AlertRaised` as JSON)."""
        data: dict[str, Any] = self.event["data"]
        return data


def is_signed(secret: str, headers: dict[str, str], body: bytes, now_s: float) -> bool:
    """Whether one of the signatures in the headers is ours, and the message is not old."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > _TOLERANCE_S:
        return False
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, signature) for signature in given)


@dataclass
class CommandCentre:
    """The receiver. `start` listens on a port of 127.0.0.1; `deliveries` are what it has taken."""

    secret: str
    refuse: float = 0.0
    seed: int = 0
    on_alert: Callable[[Delivery], None] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    refused: int = 0
    repeated: int = 0
    forged: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._random = random.Random(self.seed)  # noqa: S311 - which attempt is refused is no secret
        self._server: ThreadingHTTPServer | None = None

    def start(self, port: int = 0) -> int:
        """Listen on `port` (0: any free one) and return it."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Stop listening; what was taken stays in `deliveries`."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Take one request; return the HTTP status to answer."""
        if not is_signed(self.secret, headers, body, time.time()):
            self.forged += 1
            return 401
        with self._lock:
            if headers["webhook-id"] in self._taken:
                self.repeated += 1
                return 200
            if self._random.random() < self.refuse:
                self.refused += 1
                return 503
            self._taken.add(headers["webhook-id"])
            delivery = Delivery(headers["webhook-id"], json.loads(body), datetime.now(UTC))
            self.deliveries.append(delivery)
        if self.on_alert is not None:
            self.on_alert(delivery)
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                if length > _MAX_BODY_BYTES:
                    self.send_error(413)
                    return
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(centre.take(headers, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: the caller prints what matters."""

        return Handler
