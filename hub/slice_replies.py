"""What boxes say of their slices of the gallery: their networks, what they hold, what they refuse.

In: the verified messages of a batch, on its open transaction. Out: rows of the table `gallery_slices`. A box
that sends its faces to the hub has no row, and is sent nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.edges import EdgeBook
from hub.incoming import Verified
from hub.store import slices
from wire.messages import EdgeStatus, GalleryReply

log = logging.getLogger(__name__)


def hear_of_slices(
    tx: Connection, messages: Sequence[Verified], before: EdgeBook, now: datetime
) -> None:
    """Take statuses and replies in; a box that has just come back is sent at once what it lacks."""
    for message in messages:
        event, data = message.event, message.event.data
        if isinstance(data, GalleryReply):
            _hear(tx, event.origin, data)
        elif isinstance(data, EdgeStatus) and data.online:
            known = before.edges.get(event.origin)
            if data.matching is not None:
                is_new = known is None or known.session_id != data.session_id
                slices.announce(tx, event.origin, event.site, data, now, is_new=is_new)
            else:
                slices.forget(tx, event.origin)


def _hear(tx: Connection, edge: str, reply: GalleryReply) -> None:
    if reply.state == "erased":
        log.info("edge %s has erased slice %d: %s", edge, reply.version, reply.reason or "as told")
        return  # its status says what it holds now
    if reply.state == "refused":
        log.warning("edge %s refuses slice %d: %s", edge, reply.version, reply.reason)
    slices.answered(tx, edge, reply)
