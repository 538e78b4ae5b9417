"""What edges say of evidence that was asked for: on its way, with its hash and signature, or gone.

In: the verified messages of a batch, on its open transaction. Out: rows of the table `evidence`. A signature
that does not hold is not stored, and with it nothing of that reply.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.edges import EdgeBook
from hub.incoming import KnownEdge, Verified, corrected
from hub.store import evidence
from wire.evidence import Exhibit
from wire.messages import EdgeStatus, Event, EvidenceReply

log = logging.getLogger(__name__)


def hear_of_evidence(
    tx: Connection,
    messages: Sequence[Verified],
    edges: Mapping[str, KnownEdge],
    before: EdgeBook,
    now: datetime,
) -> None:
    """Take replies in; an edge that has just come back is asked at once for all that is pending."""
    for message in messages:
        event, data = message.event, message.event.data
        if isinstance(data, EvidenceReply):
            _hear(tx, event, data, edges[event.origin], now)
        elif isinstance(data, EdgeStatus) and data.online:
            known = before.edges.get(event.origin)
            if known is None or known.session_id != data.session_id:
                evidence.hurry(tx, event.origin, now)


def _hear(
    tx: Connection, event: Event, reply: EvidenceReply, edge: KnownEdge, now: datetime
) -> None:
    which = (edge.id, reply.observation_id, reply.name)
    if reply.state == "gone":
        evidence.settle(tx, *which, "gone", now, reply.reason)
        return
    if reply.sha256 is None or reply.signature is None:
        return  # a box of before: the picture itself follows, and its observation said its hash
    exhibit = Exhibit(edge.site, edge.id, reply.observation_id, reply.name, reply.sha256)
    if not exhibit.is_signed(reply.signature, edge.key):
        log.warning("edge %s signed another %s than it announces", edge.id, reply.name)
        return
    evidence.announce(
        tx,
        *which,
        sha256=reply.sha256,
        size_bytes=reply.size_bytes,
        signature=reply.signature,
        starts_at=None if reply.starts_at is None else corrected(event, reply.starts_at),
        ends_at=None if reply.ends_at is None else corrected(event, reply.ends_at),
    )
