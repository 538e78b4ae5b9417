"""The outboxes of the sinks."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, exists, func, select, update

from hub.store.pages import Page, fetch
from hub.store.tables import deliveries, events


@dataclass(frozen=True, slots=True)
class Due:
    """One event that a sink is to deliver now. `body` is the signed message."""

    sink: str
    position: int
    event_id: str
    alert_id: str
    site: str
    body: bytes
    attempts: int
    since: datetime


def due(tx: Connection, sink: str, now: datetime, limit: int) -> list[Due]:
    """What `sink` may deliver now: of each alert only its earliest event that still waits."""
    earlier = deliveries.alias()
    query = (
        select(deliveries, events.c.id, events.c.site, events.c.body)
        .join(events, events.c.position == deliveries.c.event_position)
        .where(
            deliveries.c.sink == sink,
            deliveries.c.state == "waiting",
            deliveries.c.next_attempt_at <= now,
            ~exists().where(
                and_(
                    earlier.c.alert_id == deliveries.c.alert_id,
                    earlier.c.sink == sink,
                    earlier.c.state == "waiting",
                    earlier.c.event_position < deliveries.c.event_position,
                )
            ),
        )
        .order_by(deliveries.c.next_attempt_at, deliveries.c.event_position)
        .limit(limit)
    )
    return [
        Due(
            sink=row.sink,
            position=row.event_position,
            event_id=row.id,
            alert_id=row.alert_id,
            site=row.site,
            body=row.body,
            attempts=row.attempts,
            since=row.since,
        )
        for row in tx.execute(query)
    ]


def next_due_at(tx: Connection, sink: str) -> datetime | None:
    """When something of `sink` is due next; None when nothing waits."""
    query = select(deliveries.c.next_attempt_at).where(
        deliveries.c.sink == sink, deliveries.c.state == "waiting"
    )
    due_at: datetime | None = tx.scalar(query.order_by(deliveries.c.next_attempt_at).limit(1))
    return due_at


def settle(tx: Connection, item: Due, state: str, now: datetime, error: str = "") -> None:
    """Store that an attempt ended it: ``delivered``, or ``dead`` with the reason."""
    delivered_at = now if state == "delivered" else None
    _set(tx, item, state=state, delivered_at=delivered_at, last_error=error)


def postpone(tx: Connection, item: Due, until: datetime, error: str) -> None:
    """Store that an attempt failed, and when to try again."""
    _set(tx, item, next_attempt_at=until, last_error=error)


def _set(tx: Connection, item: Due, **values: object) -> None:
    tx.execute(
        update(deliveries)
        .where(deliveries.c.sink == item.sink, deliveries.c.event_position == item.position)
        .values(attempts=item.attempts + 1, **values)
    )


def hurry(tx: Connection, sink: str, now: datetime) -> None:
    """Let all that waits be tried at once: the hub has just started."""
    tx.execute(
        update(deliveries)
        .where(deliveries.c.sink == sink, deliveries.c.state == "waiting")
        .values(next_attempt_at=now)
    )


def backlog(tx: Connection) -> dict[tuple[str, str], int]:
    """How many deliveries there are, by sink and state, without the delivered ones."""
    query = (
        select(deliveries.c.sink, deliveries.c.state, func.count())
        .where(deliveries.c.state != "delivered")
        .group_by(deliveries.c.sink, deliveries.c.state)
    )
    return {(sink, state): count for sink, state, count in tx.execute(query)}


def dead(tx: Connection, sink: str | None, cursor: str | None, limit: int) -> Page[RowMapping]:
    """Deliveries that were given up, newest first."""
    query = (
        select(deliveries, events.c.id, events.c.type)
        .join(events, events.c.position == deliveries.c.event_position)
        .where(deliveries.c.state == "dead")
    )
    if sink is not None:
        query = query.where(deliveries.c.sink == sink)
    order = (deliveries.c.event_position, deliveries.c.sink)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def replay(tx: Connection, sink: str, position: int | None, now: datetime) -> int:
    """Let dead deliveries of `sink` be tried anew (one, or all); returns how many."""
    query = update(deliveries).where(deliveries.c.sink == sink, deliveries.c.state == "dead")
    if position is not None:
        query = query.where(deliveries.c.event_position == position)
    return tx.execute(query.values(state="waiting", since=now, next_attempt_at=now)).rowcount
