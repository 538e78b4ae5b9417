"""The list of allowed plates in the box, put together: the hub's commands -> memory and disk -> replies.

In: verified commands of the hub with their bytes, and the time. Out: what to reply, what the status says, and
which plates may open. What lies on the disk are the hub's own signed messages, in files that only this box's
user may read; they are believed only while the signature holds, and are erased when the list is.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.access import AllowedPlates
from edge.allow_list import HeldList
from edge.face_matching_store import SliceStore
from edge.kept_messages import of_hub
from wire.errors import StoreError
from wire.messages import AllowList, AllowListReply, EdgeAccess, HeldAllowList
from wire.topics import EdgeTopics

log = logging.getLogger(__name__)


class BoxAllowList:
    """What a box that opens by plate knows of the plates.

    Commands and ticks come from one thread at a time, questions from any.
    """

    def __init__(
        self,
        folder: Path,
        topics: EdgeTopics,
        devices: Sequence[str],
        *,
        hub_key: Ed25519PublicKey,
        now: Callable[[], datetime],
    ) -> None:
        """Take up the list that is kept in `folder`, if it is still valid; `now` is by the hub's clock.

        StoreError when the folder cannot be used.
        """
        self._topics, self._devices = topics, tuple(devices)
        self._hub_key, self._now = hub_key, now
        self._store = SliceStore(folder)
        self._latest = now()
        self._list = HeldList(self._store.oldest_version)
        self._restore()

    @property
    def status(self) -> EdgeAccess:
        """What the box's status says of it."""
        return EdgeAccess(
            devices=self._devices, oldest_version=self._list.oldest_version, held=self.held
        )

    @property
    def held(self) -> HeldAllowList:
        """The list that counts; version 0 is none."""
        return self._list.held

    @property
    def now(self) -> datetime:
        """Now; never earlier than before, so that a clock that is set back makes nothing valid again."""
        self._latest = max(self._latest, self._now())
        return self._latest

    def plates(self) -> tuple[AllowedPlates | None, bool]:
        """The plates that are allowed now; or None, and whether that is because they expired."""
        return self._list.plates(self.now)

    def command(self, command: AllowList, payload: bytes) -> AllowListReply | None:
        """Take a part that the hub has signed; `payload` is the message it came in."""
        reply = self._list.take(command, self.now)
        try:
            self._keep(command, reply, payload)
        except StoreError:
            log.exception("the allowed plates are in memory only: they will not outlive a restart")
        if reply is not None and reply.state == "active":
            log.info("%d allowed plates, version %d", reply.plates, reply.version)
        return reply

    def tick(self) -> AllowListReply | None:
        """Time has passed: erase what has expired."""
        reply = self._list.tick(self.now)
        if reply is not None:
            self._store.erase()
            log.warning("the allowed plates have expired: nothing is opened by plate")
        return reply

    def _keep(self, command: AllowList, reply: AllowListReply | None, payload: bytes) -> None:
        refused = reply is not None and reply.state == "refused"
        if not refused:
            self._store.keep(command.version, command.part, payload)
        if reply is not None and not refused:
            self._store.settle(self._list.oldest_version)

    def _restore(self) -> None:
        for part in _parts(self._store, self._hub_key, self._topics.site):
            self._list.take(part.list, self.now)
        if self.tick() is None and not self.held.version:
            self._store.erase()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that was kept, and when the hub made it."""

    list: AllowList
    made_at: datetime


def _parts(store: SliceStore, hub_key: Ed25519PublicKey, site: str) -> list[_Part]:
    kept = of_hub(store.parts(), hub_key, site, "the allowed plates")
    return [_Part(e.data, e.time) for e in kept if isinstance(e.data, AllowList)]


def kept_list(
    folder: Path, hub_key: Ed25519PublicKey, site: str, now: datetime
) -> tuple[HeldAllowList, datetime] | None:
    """The list that is kept in `folder` and counts at `now`, and when the hub made it. Changes nothing."""
    held, made_at = HeldList(), now
    for part in _parts(SliceStore(folder), hub_key, site):
        held.take(part.list, now)
        made_at = part.made_at
    return (held.held, made_at) if held.held.version else None
