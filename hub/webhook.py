"""The webhook sink: Standard Webhooks 1.0 over HTTP, and how to sign for it.

In: one event, its id and its body. Out: an `Attempt` that says whether it was taken and, if not, whether it
is worth another try. The id is the same over all attempts, so that a receiver can tell a repetition.
Redirects are not followed: an alert goes where the configuration says, or nowhere.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import httpx

from hub.store.deliveries import Due
from wire.errors import ConfigError

_PREFIX: Final = "whsec_"
#: The receiver has understood the message and will never take it.
_HOPELESS: Final = frozenset({400, 410, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one delivery went. `after_s` is the pause that the receiver asked for, if it did."""

    result: Literal["delivered", "retry", "refused"]
    detail: str = ""
    after_s: float | None = None


class Sink(Protocol):
    """Where alerts are forwarded. May be used by several threads."""

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        ...

    def deliver(self, item: Due) -> Attempt:
        """Try to deliver one event. Never raises for what the receiver or the network does."""
        ...


def parse_secret(text: str) -> bytes:
    """The key in ``whsec_<base64>``. ValueError when it is none, or is too short to be one."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook secret is whsec_ and base64") from error
    if len(key) < 24:
        raise ValueError(f"a webhook secret has at least 24 bytes, this one {len(key)}")
    return key


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature per key, so that a key can be rotated."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


class WebhookSink:
    """One URL with its keys."""

    def __init__(
        self,
        sink_id: str,
        url: str,
        secrets: Sequence[str],
        timeout_s: float,
        now: Callable[[], datetime],
    ) -> None:
        """ConfigError when a secret is none."""
        self._id, self._url, self._now = sink_id, url, now
        try:
            self._keys = [parse_secret(secret) for secret in secrets]
        except ValueError as error:
            raise ConfigError(f"sink {sink_id}: secret_file: {error}") from error
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False)

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    def deliver(self, item: Due) -> Attempt:
        """See `Sink`."""
        timestamp = int(self._now().timestamp())
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": item.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._keys, item.event_id, timestamp, item.body),
        }
        try:
            answer = self._client.post(self._url, content=item.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Attempt("retry", f"{type(error).__name__}: {error}"[:300])
        if answer.is_success:
            return Attempt("delivered")
        detail = f"HTTP {answer.status_code}"
        if answer.status_code in _HOPELESS:
            return Attempt("refused", detail)
        return Attempt("retry", detail, _retry_after(answer))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isdigit() else None
