"""Pictures that wait at the edges: asked for once a rule has matched, checked, kept.

In: the rows that the pipeline left as pending, and the binary messages on the evidence topics. Out: files,
and rows that say ``stored`` or ``gone``. A picture is kept only if it was asked for and its SHA-256 is that
in the signed observation; a clip, if it is that in the edge's signed reply, for which it waits a moment where
it comes first. An edge is asked again, with growing pauses, until it answers; one that has come back is
asked at once.
"""

import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.downlink import Downlink
from hub.evidence_files import EvidenceFiles
from hub.incoming import Incoming
from hub.pauses import pause_after
from hub.store import Store, evidence
from wire.errors import GatehouseError
from wire.topics import Topic, parse

log = logging.getLogger(__name__)

_GIVE_UP: Final = timedelta(hours=24)  # no ring holds a picture that long
_AT_ONCE: Final = 64
_LARGEST_BYTES: Final = 64 << 20
_IDLE_S: Final = 1.0
_EARLY: Final = 4  # clips that may wait for what is said of them


@dataclass(slots=True)
class EvidenceKeeper:
    """Asks for pictures and keeps them, in a thread of its own. `refused` counts those that were not ours."""

    store: Store
    files: EvidenceFiles
    downlink: Downlink
    now: Callable[[], datetime]
    refused: int = 0
    _early: dict[str, Incoming] = field(default_factory=dict)
    _received: queue.Queue[Incoming] = field(default_factory=lambda: queue.Queue(64))
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopping: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._run, name="evidence")
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in hand, and end."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Something may be pending: look now."""
        self._wake.set()

    def offer(self, incoming: Incoming) -> None:
        """Take a binary message; what finds no room is asked for again."""
        try:
            self._received.put_nowait(incoming)
        except queue.Full:
            return
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(_IDLE_S)
            self._wake.clear()
            try:
                self._take_received()
                self.ask()
            except GatehouseError as error:
                log.warning("evidence waits: %s", error)
            except Exception:
                log.exception("evidence could not be kept")

    def _take_received(self) -> None:
        waiting = list(self._early.values())
        self._early.clear()
        for incoming in waiting:
            self._take(incoming)
        while not self._stopping:
            try:
                incoming = self._received.get_nowait()
            except queue.Empty:
                return
            self._take(incoming)

    def _take(self, incoming: Incoming) -> None:
        topic = parse(incoming.topic)
        if topic is None:
            return
        taken = self.keep(topic, incoming.payload)
        if taken is None and len(self._early) < _EARLY:
            self._early[incoming.topic] = incoming
        elif taken is False:
            self.refused += 1
            log.warning("a picture on %s was not asked for, or is another", incoming.topic)

    def keep(self, topic: Topic, data: bytes) -> bool | None:
        """Keep a picture, if it is the one that was asked for; None while nobody has said its hash.

        A picture that is kept already is fine.
        """
        assert topic.subject is not None
        assert topic.name is not None
        with self.store.read() as tx:
            row = evidence.get(tx, topic.subject, topic.name)
        if row is None or (row["edge"], row["site"]) != (topic.edge, topic.site):
            return False
        if len(data) > _LARGEST_BYTES:
            return False
        if row["sha256"] is None:
            return None if row["state"] == "pending" else False
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            return False
        if row["state"] == "pending":
            self.files.write(topic.subject, topic.name, row["media_type"], data)
            with self.store.write() as tx:
                evidence.settle(tx, topic.edge, topic.subject, topic.name, "stored", self.now())
        return True

    def ask(self) -> None:
        """Ask the edges for what is due; give up what no edge can still have."""
        now = self.now()
        with self.store.read() as tx:
            rows = evidence.due(tx, now, _AT_ONCE)
        if not rows:
            return
        wanted: dict[tuple[str, str], list[str]] = {}
        asked = []
        for row in rows:
            if now - row["requested_at"] < _GIVE_UP:
                wanted.setdefault((row["edge"], row["observation_id"]), []).append(row["name"])
        for (edge, observation_id), names in wanted.items():
            if self.downlink.ask_for_evidence(edge, observation_id, names[:8]):
                asked += [(observation_id, name) for name in names[:8]]
        with self.store.write() as tx:
            for row in rows:
                observation_id, name = row["observation_id"], row["name"]
                if now - row["requested_at"] >= _GIVE_UP:
                    evidence.settle(tx, row["edge"], observation_id, name, "gone", now)
                elif (observation_id, name) in asked:
                    evidence.asked(tx, observation_id, name, now + pause_after(row["asked"]))
                else:
                    evidence.put_off(tx, observation_id, name, now + timedelta(seconds=3))
