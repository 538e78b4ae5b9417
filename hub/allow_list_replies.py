"""What boxes say of their lists of allowed plates: which devices they have, what they hold, what they refuse.

In: the verified messages of a batch, on its open transaction. Out: rows of the table `allow_lists`. A box
that opens nothing by plate has no row, and is sent nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.edges import EdgeBook
from hub.incoming import Verified
from hub.store import allow_lists
from wire.messages import AllowListReply, EdgeStatus

log = logging.getLogger(__name__)


def hear_of_allow_lists(
    tx: Connection, messages: Sequence[Verified], before: EdgeBook, now: datetime
) -> None:
    """Take statuses and replies in; a box that has just come back is sent at once what it lacks."""
    for message in messages:
        event, data = message.event, message.event.data
        if isinstance(data, AllowListReply):
            _hear(tx, event.origin, data)
        elif isinstance(data, EdgeStatus) and data.online:
            known = before.edges.get(event.origin)
            if data.access is not None:
                is_new = known is None or known.session_id != data.session_id
                allow_lists.announce(tx, event.origin, event.site, data.access, now, is_new=is_new)
            else:
                allow_lists.forget(tx, event.origin)


def _hear(tx: Connection, edge: str, reply: AllowListReply) -> None:
    if reply.state == "erased":
        return  # its status says what it holds now
    if reply.state == "refused":
        log.warning("edge %s refuses list %d: %s", edge, reply.version, reply.reason)
    allow_lists.answered(tx, edge, reply)
