"""The webhook sink: Standard Webhooks 1.0 over HTTP, and how to sign for it.

In: one event, its id and its body. Out: an `Attempt` that says whether it was taken and, if not, whether it
is worth another try. The id is the same over all attempts, so that a receiver can tell a repetition.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from hub.sinks.base import Attempt, Sink
from hub.sinks.network import GuardedClient, Unreachable
from hub.sinks.notice import Notice
from wire.errors import ConfigError

_PREFIX: Final = "whsec_"


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


class WebhookSink(Sink):
    """One URL with its keys."""

    kind = "webhook"

    def __init__(
        self,
        sink_id: str,
        url: str,
        secrets: Sequence[str],
        client: GuardedClient,
        now: Callable[[], datetime],
    ) -> None:
        """ConfigError when a secret is none."""
        self._id, self._url, self._client, self._now = sink_id, url, client, now
        try:
            self._keys = [parse_secret(secret) for secret in secrets]
        except ValueError as error:
            raise ConfigError(f"sink {sink_id}: secret_file: {error}") from error

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        timestamp, due = int(self._now().timestamp()), notice.due
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": due.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._keys, due.event_id, timestamp, due.body),
        }
        try:
            answer = self._client.send("POST", self._url, headers=headers, content=due.body)
        except Unreachable as error:
            return Attempt("retry", str(error))
        return answer.attempt()

    def stop(self) -> None:
        """Close the connections."""
        self._client.close()
