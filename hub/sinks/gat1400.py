"""The view library of the police as a sink (GA/T 1400): what was seen, then a notification of each step.

In: an event of an alert. Out: a Face, Person or MotorVehicle with its pictures, once, and a
DispositionNotification, each of them only what `hub.viid.messages` allows. The ids are the same over all
attempts, so a library that says that it has one already is believed.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from hub.sinks.base import Attempt, Sink
from hub.sinks.network import Answer, GuardedClient, Unreachable
from hub.sinks.notice import Notice
from hub.viid.messages import TITLES, Shown, Subject, listed, notification, subject_of
from hub.viid.replies import read_statuses, verdict
from hub.viid.session import Session

_REMEMBERED = 10_000


class Gat1400Sink(Sink):
    """One view library."""

    kind = "gat1400"

    def __init__(
        self,
        sink_id: str,
        session: Session,
        client: GuardedClient,
        device_of: Callable[[str, str], str],
        organ: str,
        shown: Callable[[str], Shown | None],
        keepalive_s: float,
    ) -> None:
        """`device_of` gives the 20 digits of a site's camera."""
        self._id, self._session, self._client = sink_id, session, client
        self._device_of, self._organ, self._shown = device_of, organ, shown
        self._keepalive_s = keepalive_s
        self._posted: dict[str, None] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    @property
    def problem(self) -> str:
        """Why there is no session, "" while there is one."""
        return self._session.problem

    def start(self) -> None:
        """Register, and keep the session."""
        self._thread = threading.Thread(target=self._keep, name=f"viid-{self._id}")
        self._thread.start()

    def stop(self) -> None:
        """Unregister."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._session.close()
        self._client.close()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._session.keep_alive()
            self._stopping.wait(self._keepalive_s)

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        if notice.step not in TITLES:
            return Attempt("skipped", f"GA/T 1400 has no words for {notice.step}")
        alert = notice.alert
        shown = self._shown(alert.observation_id)
        if shown is None:
            return Attempt("skipped", "GA/T 1400 has no object for this, or it is deleted")
        subject = subject_of(notice, shown, self._device_of(alert.site, alert.camera))
        if subject is None:
            return Attempt("skipped", "GA/T 1400 has no object for this")
        try:
            attempt = self._post_subject(subject)
            if attempt.result != "delivered":
                return attempt
            told = notification(notice, subject, self._organ)
            body = listed("DispositionNotification", told)
            return self._post("/VIID/DispositionNotifications", body)
        except Unreachable as error:
            return Attempt("retry", str(error))

    def _post_subject(self, subject: Subject) -> Attempt:
        if subject.id in self._posted:
            return Attempt("delivered")
        attempt = self._post(subject.path, listed(subject.envelope, subject.body))
        if attempt.result == "delivered":
            self._posted[subject.id] = None
            if len(self._posted) > _REMEMBERED:
                self._posted.pop(next(iter(self._posted)), None)
        return attempt

    def _post(self, path: str, body: Mapping[str, Any]) -> Attempt:
        return _attempt(self._session.call("POST", path, body))


def _attempt(answer: Answer) -> Attempt:
    attempt = answer.attempt()
    if attempt.result != "delivered":
        return attempt
    try:
        return verdict(read_statuses(answer.body))
    except ValueError as error:
        return Attempt("retry", str(error))
