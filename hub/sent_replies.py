"""What boxes say of what they are sent in versions: lists of allowed plates, slices of the gallery.

In: the verified messages of a batch, on its open transaction. Out: rows of the tables `allow_lists` and
`gallery_slices`. A box that opens nothing by plate has no row in the one, a box that sends its faces to the
hub none in the other, and is sent nothing of it.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.edges import EdgeBook
from hub.incoming import Verified
from hub.store import allow_lists, slices
from wire.messages import AllowListReply, EdgeStatus, Event, GalleryReply

log = logging.getLogger(__name__)


def hear_of_versions(
    tx: Connection, messages: Sequence[Verified], before: EdgeBook, now: datetime
) -> None:
    """Take statuses and replies in; a box that has just come back is sent at once what it lacks."""
    for message in messages:
        event, data = message.event, message.event.data
        match data:
            case AllowListReply() if _counts(event.origin, "list", data):
                allow_lists.answered(tx, event.origin, data)
            case GalleryReply() if _counts(event.origin, "slice", data):
                slices.answered(tx, event.origin, data)
            case EdgeStatus(online=True):
                known = before.edges.get(event.origin)
                is_new = known is None or known.session_id != data.session_id
                _announced(tx, event, data, now, is_new=is_new)


def _counts(edge: str, what: str, reply: AllowListReply | GalleryReply) -> bool:
    """Whether the reply says what became of what was sent; of what is erased the box's status speaks."""
    if reply.state == "erased":
        why = reply.reason or "as told"
        log.info("edge %s has erased %s %d: %s", edge, what, reply.version, why)
        return False
    if reply.state == "refused":
        log.warning("edge %s refuses %s %d: %s", edge, what, reply.version, reply.reason)
    return True


def _announced(
    tx: Connection, event: Event, status: EdgeStatus, now: datetime, *, is_new: bool
) -> None:
    edge, site = event.origin, event.site
    if status.access is None:
        allow_lists.forget(tx, edge)
    else:
        allow_lists.announce(tx, edge, site, status.access, now, is_new=is_new)
    if status.matching is None:
        slices.forget(tx, edge)
    else:
        slices.announce(tx, edge, site, status, now, is_new=is_new)
