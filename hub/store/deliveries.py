"""The outboxes of the sinks."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, exists, func, select, update

from hub.config import MQTT_SINK
from hub.sinks.notice import Due, Told
from hub.store import alerts
from hub.store.pages import Page, fetch
from hub.store.tables import deliveries, events


def due(tx: Connection, sink: str, now: datetime, limit: int) -> list[Due]:
    """What `sink` may deliver now: of each alert only its earliest event that still waits."""
    earlier, first = deliveries.alias(), events.alias()
    number = select(func.min(first.c.position)).where(first.c.alert_id == deliveries.c.alert_id)
    query = (
        select(
            deliveries,
            events.c.id,
            events.c.site,
            events.c.at,
            events.c.body,
            number.scalar_subquery().label("alert_number"),
        )
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
    rows = tx.execute(query).all()
    told = _told(tx, sink, [row.alert_id for row in rows])
    return [
        Due(
            sink=row.sink,
            position=row.event_position,
            event_id=row.id,
            alert_id=row.alert_id,
            site=row.site,
            at=row.at,
            body=row.body,
            attempts=row.attempts,
            since=row.since,
            alert_number=row.alert_number,
            told=tuple(told.get(row.alert_id, ())),
        )
        for row in rows
    ]


def _told(tx: Connection, sink: str, alert_ids: list[str]) -> dict[str, list[Told]]:
    """What `sink` has taken of each of these alerts, in the order in which it happened."""
    query = (
        select(deliveries.c.alert_id, events.c.id, events.c.type, events.c.at)
        .join(events, events.c.position == deliveries.c.event_position)
        .where(
            deliveries.c.alert_id.in_(alert_ids),
            deliveries.c.sink == sink,
            deliveries.c.state == "delivered",
        )
        .order_by(events.c.position)
    )
    told: dict[str, list[Told]] = {}
    for row in tx.execute(query):
        told.setdefault(row.alert_id, []).append(Told(row.id, row.type, row.at))
    return told


def next_due_at(tx: Connection, sink: str) -> datetime | None:
    """When something of `sink` is due next; None when nothing waits."""
    query = select(deliveries.c.next_attempt_at).where(
        deliveries.c.sink == sink, deliveries.c.state == "waiting"
    )
    due_at: datetime | None = tx.scalar(query.order_by(deliveries.c.next_attempt_at).limit(1))
    return due_at


def settle(tx: Connection, item: Due, state: str, now: datetime, error: str = "") -> None:
    """Store that it is done with: ``delivered``, ``skipped`` or ``dead``, with the reason."""
    delivered_at = now if state == "delivered" else None
    _set(tx, item, state=state, delivered_at=delivered_at, last_error=error)
    if delivered_at is not None and item.sink != MQTT_SINK:  # what the broker has, nobody has yet
        alerts.told(tx, item.alert_id, now)


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
    """How many deliveries wait, and how many were given up, by sink and state."""
    query = (
        select(deliveries.c.sink, deliveries.c.state, func.count())
        .where(deliveries.c.state.in_(("waiting", "dead")))
        .group_by(deliveries.c.sink, deliveries.c.state)
    )
    return {(sink, state): count for sink, state, count in tx.execute(query)}


def oldest_waiting(tx: Connection) -> dict[str, tuple[datetime, str]]:
    """Of each sink, since when the oldest delivery waits, and why its last attempt failed ("" before one)."""
    query = (
        select(deliveries.c.sink, func.min(deliveries.c.since), func.max(deliveries.c.last_error))
        .where(deliveries.c.state == "waiting")
        .group_by(deliveries.c.sink)
    )
    return {sink: (since, error) for sink, since, error in tx.execute(query)}


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
