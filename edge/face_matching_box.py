"""Matching in the box, put together: the hub's commands -> the slice in memory and on disk -> replies.

In: verified commands of the hub with their bytes, and the time. Out: what to reply, what the status says, and
the answers to searches. The box's opening key opens templates here and nowhere else.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.clock import ClockOffset
from edge.face_matching import Embedding, FaceMatcher
from edge.face_matching_store import SliceStore
from edge.kept_messages import of_hub
from models.faces.decision import Evidence
from models.faces.types import FaceEmbedder
from wire.errors import InvalidMessage, StoreError
from wire.keys import load_or_create_opening_key, public_text
from wire.messages import (
    EdgeMatching,
    FaceCandidates,
    GalleryErase,
    GalleryReply,
    GallerySlice,
)
from wire.slices import open_part
from wire.topics import EdgeTopics

log = logging.getLogger(__name__)


class BoxMatching:
    """Everything that ``face_matching = "edge"`` adds to a box.

    Commands and ticks come from one thread at a time, searches from any.
    """

    def __init__(
        self,
        folder: Path,
        topics: EdgeTopics,
        embedder: FaceEmbedder,
        *,
        hub_key: Ed25519PublicKey,
        now: Callable[[], datetime],
    ) -> None:
        """Take up the slice that is kept in `folder`, if it is still valid; `now` is by the hub's clock.

        StoreError when the folder cannot be used, ConfigError when the opening key is damaged.
        """
        self._topics, self._hub_key, self._now = topics, hub_key, now
        self._store = SliceStore(folder)
        self._key: X25519PrivateKey = load_or_create_opening_key(folder / "opening.key")
        self._latest = now()
        self._matcher = FaceMatcher(
            embedder.pack, embedder.pack_sha256, embedder.dimension, self._store.oldest_version
        )
        self._restore()

    @property
    def status(self) -> EdgeMatching:
        """What the box's status says of it."""
        return EdgeMatching(
            sealing_key=public_text(self._key.public_key()),
            pack=self._matcher.pack,
            pack_sha256=self._matcher.pack_sha256,
            oldest_version=self._matcher.oldest_version,
            held=self._matcher.held,
        )

    def command(self, command: GallerySlice | GalleryErase, payload: bytes) -> GalleryReply | None:
        """Obey a command that the hub has signed; `payload` is the message it came in."""
        if isinstance(command, GalleryErase):
            reply: GalleryReply | None = self._matcher.erase(command.up_to_version)
        else:
            reply = self._take(command)
        try:
            self._keep(command, reply, payload)
        except StoreError:
            log.exception("the gallery's slice is in memory only: it will not outlive a restart")
        return reply

    def tick(self) -> GalleryReply | None:
        """Time has passed: erase what has expired."""
        reply = self._matcher.tick(self._time())
        if reply is not None:
            self._store.erase()
            log.warning("the gallery's slice %d has expired: no face is matched", reply.version)
        return reply

    def search(
        self,
        embedding: Embedding,
        pack_sha256: str,
        evidence: Evidence,
        seen: Embedding | None = None,
    ) -> FaceCandidates:
        """Who it is, if anybody; see `FaceMatcher.search`."""
        return self._matcher.search(embedding, pack_sha256, evidence, self._time(), seen)

    def nobody_alive(self) -> FaceCandidates:
        """The answer to a face that is no living one."""
        return self._matcher.nobody_alive()

    def _keep(
        self, command: GallerySlice | GalleryErase, reply: GalleryReply | None, payload: bytes
    ) -> None:
        refused = reply is not None and reply.state == "refused"
        if isinstance(command, GallerySlice) and not refused:
            self._store.keep(command.version, command.part, payload)
        if reply is not None and not refused:
            self._store.settle(self._matcher.oldest_version)

    def _time(self) -> datetime:
        """Now; never earlier than before, so that a clock that is set back makes nothing valid again."""
        self._latest = max(self._latest, self._now())
        return self._latest

    def _take(self, part: GallerySlice) -> GalleryReply | None:
        site, edge = self._topics.site, self._topics.edge
        try:
            return self._matcher.take(
                part, lambda: open_part(part, site, edge, self._key), self._time()
            )
        except InvalidMessage as error:
            return GalleryReply(version=part.version, state="refused", reason=error.detail[:400])

    def _restore(self) -> None:
        kept = of_hub(self._store.parts(), self._hub_key, self._topics.site, "the gallery's slice")
        for event in kept:
            if isinstance(event.data, GallerySlice):
                self._take(event.data)
        if self.tick() is None and not self._matcher.held.version:
            self._store.erase()


def hub_time(now: Callable[[], datetime], offset: ClockOffset) -> datetime:
    """What the hub's clock shows, as far as it is known."""
    return now() + timedelta(milliseconds=offset.offset_ms or 0)
