"""CAP 1.2 as a sink: to a URL, into a folder that another program watches, or both.

In: an event. Out: one XML message. A file is whole or not there, and is named by the message's identifier,
so that a repetition writes the same file again.
"""

import os
from pathlib import Path

from hub.sinks.base import Attempt, Sink
from hub.sinks.cap_message import CapSource, cap_message
from hub.sinks.network import GuardedClient, Unreachable
from hub.sinks.notice import Notice


class CapSink(Sink):
    """One receiver of CAP."""

    kind = "cap"

    def __init__(
        self,
        sink_id: str,
        source: CapSource,
        url: str | None,
        folder: Path | None,
        client: GuardedClient,
    ) -> None:
        self._id, self._source, self._url, self._folder = sink_id, source, url, folder
        self._client = client

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        message = cap_message(notice, self._source)
        if message is None:
            return Attempt("skipped", f"{notice.step} is no news to a receiver of CAP")
        if self._folder is not None:
            try:
                _write(self._folder, f"{notice.due.event_id}.xml", message)
            except OSError as error:
                return Attempt("retry", f"folder: {error}")
        if self._url is None:
            return Attempt("delivered")
        headers = {"content-type": "application/cap+xml"}
        try:
            answer = self._client.send("POST", self._url, headers=headers, content=message)
        except Unreachable as error:
            return Attempt("retry", str(error))
        return answer.attempt()

    def stop(self) -> None:
        """Close the connections."""
        self._client.close()


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    temporary = folder / f".{name}.part"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
