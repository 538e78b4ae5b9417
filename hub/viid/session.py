"""The session with a view library: registered, kept alive, taken up again when it has lapsed.

In: calls. Out: answers. Registers with Digest before the first call, and again once whenever the library no
longer knows us (401). Never raises for what the library does but `Unreachable`.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from hub.sinks.network import Answer, GuardedClient, Unreachable
from hub.viid.replies import read_clock, read_statuses, verdict

MEDIA_TYPE: Final = "application/VIID+JSON;charset=UTF-8"
_CLOCK_OFF_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Library:
    """A view library, and who we are to it."""

    url: str
    device_id: str
    username: str
    password: str


class Session:
    """Safe for use by several threads. `problem` says why there is no session, or that a clock is off."""

    def __init__(
        self, library: Library, client: GuardedClient, now: Callable[[], datetime]
    ) -> None:
        self._library, self._client, self._now = library, client, now
        self._lock = threading.Lock()
        self._registered = False
        self.problem = ""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Call the library within the session. Unreachable when there can be none."""
        self._ensure()
        answer = self._send(method, path, body)
        if answer.status == 401:  # it has lapsed, or the library was started anew
            self._lapse()
            self._ensure()
            answer = self._send(method, path, body)
        return answer

    def keep_alive(self) -> None:
        """Say that we are there. What goes wrong is in `problem`, and mended at the next call."""
        try:
            answer = self.call("POST", "/VIID/System/Keepalive", self._name("KeepaliveObject"))
            self._expect(answer, "keepalive")
        except Unreachable as error:
            self._lapse()
            self.problem = str(error)

    def close(self) -> None:
        """Say good-bye, if we are known."""
        with self._lock:
            if not self._registered:
                return
            self._registered = False
        try:
            self._send("POST", "/VIID/System/UnRegister", self._name("UnRegisterObject"))
        except Unreachable as error:
            self.problem = str(error)

    def _ensure(self) -> None:
        with self._lock:
            if self._registered:
                return
            try:
                self._register()
            except Unreachable as error:
                self.problem = str(error)
                raise
            self._registered = True
            self.problem = self._clock_problem()

    def _register(self) -> None:
        auth = httpx.DigestAuth(self._library.username, self._library.password)
        body = self._name("RegisterObject")
        self._expect(self._send("POST", "/VIID/System/Register", body, auth), "registration")

    def _clock_problem(self) -> str:
        try:
            clock = read_clock(self._send("GET", "/VIID/System/Time").body)
        except Unreachable as error:
            return str(error)
        off_s = 0.0 if clock is None else (clock - self._now()).total_seconds()
        return f"the library's clock is {off_s:+.0f} s off" if abs(off_s) > _CLOCK_OFF_S else ""

    def _lapse(self) -> None:
        with self._lock:
            self._registered = False

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.status != 200:
            raise Unreachable(f"{what}: HTTP {answer.status}")
        try:
            attempt = verdict(read_statuses(answer.body))
        except ValueError as error:
            raise Unreachable(f"{what}: {error}") from error
        if attempt.result != "delivered":
            raise Unreachable(f"{what}: {attempt.detail}")

    def _name(self, envelope: str) -> dict[str, Any]:
        return {envelope: {"DeviceID": self._library.device_id}}

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        auth: httpx.Auth | None = None,
    ) -> Answer:
        headers = {
            "user-identify": self._library.device_id,
            "content-type": MEDIA_TYPE,
            "accept": "application/VIID+JSON, application/json",
        }
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        url = self._library.url.rstrip("/") + path
        return self._client.send(method, url, headers=headers, content=content, auth=auth)
