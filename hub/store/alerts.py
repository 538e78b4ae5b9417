"""Alerts, the matches behind them, what was done to them, and the events that tell of it in order."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, case, delete, func, insert, literal, select, update

from hub.alerts import Standing, State
from hub.response_times import STEPS
from hub.store.pages import Page, fetch
from hub.store.tables import Moment, alert_changes, alerts, deliveries, events, rule_matches

GroupBy = Literal["severity", "rule_id", "site", "gate", "camera", "cell", "level", "assignee"]
"""By what response times can be told apart."""


def standing(tx: Connection, dedup_key: str, since: datetime, until: datetime) -> list[Standing]:
    """The alerts of this key that were seen between the two times."""
    query = select(
        alerts.c.id, alerts.c.first_seen_at, alerts.c.last_seen_at, alerts.c.closed_at
    ).where(
        alerts.c.dedup_key == dedup_key,
        alerts.c.last_seen_at >= since,
        alerts.c.first_seen_at <= until,
    )
    return [Standing(*row) for row in tx.execute(query)]


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    """Store a new alert."""
    tx.execute(insert(alerts), [dict(row)])


def add_match(tx: Connection, row: Mapping[str, Any]) -> None:
    """Store that an observation satisfied a rule, and which alert that went to."""
    tx.execute(insert(rule_matches), [dict(row)])


def join(tx: Connection, alert_id: str, first_seen_at: datetime, last_seen_at: datetime) -> None:
    """Count one more observation of an alert; its times grow to hold these."""
    first, last = alerts.c.first_seen_at, alerts.c.last_seen_at
    tx.execute(
        update(alerts)
        .where(alerts.c.id == alert_id)
        .values(
            observations=alerts.c.observations + 1,
            first_seen_at=case(
                (first > first_seen_at, literal(first_seen_at, Moment)), else_=first
            ),
            last_seen_at=case((last < last_seen_at, literal(last_seen_at, Moment)), else_=last),
        )
    )


def get(tx: Connection, alert_id: str) -> RowMapping | None:
    """One alert."""
    return tx.execute(select(alerts).where(alerts.c.id == alert_id)).mappings().one_or_none()


def find(
    tx: Connection,
    *,
    filters: Mapping[str, str],
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
) -> Page[RowMapping]:
    """Alerts, newest first. `filters` are columns and the values that they must have."""
    query = select(alerts)
    for name, value in filters.items():
        query = query.where(alerts.c[name] == value)
    if since is not None:
        query = query.where(alerts.c.raised_at >= since)
    if until is not None:
        query = query.where(alerts.c.raised_at < until)
    order = (alerts.c.raised_at, alerts.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def moments(
    tx: Connection,
    by: GroupBy,
    filters: Mapping[str, str],
    since: datetime,
    until: datetime,
) -> dict[str, list[RowMapping]]:
    """The moments of all alerts raised from `since` until `until`, by the value of the column `by`."""
    names = {name for step in STEPS.values() for name in step}
    query = select(alerts.c[by].label("by"), *(alerts.c[name] for name in sorted(names))).where(
        alerts.c.raised_at >= since, alerts.c.raised_at < until
    )
    for name, value in filters.items():
        query = query.where(alerts.c[name] == value)
    groups: dict[str, list[RowMapping]] = {}
    for row in tx.execute(query).mappings():
        groups.setdefault(row["by"], []).append(row)
    return groups


def unclosed(tx: Connection, site: str, since: datetime | None) -> Sequence[RowMapping]:
    """The alerts of a site that are not closed; with `since` only those seen after it."""
    query = select(alerts).where(alerts.c.site == site, alerts.c.state != State.CLOSED.value)
    if since is not None:
        query = query.where(alerts.c.last_seen_at >= since)
    return tx.execute(query).mappings().all()


def is_any_due(tx: Connection, now: datetime) -> bool:
    """Whether the timer of any alert is due."""
    query = select(alerts.c.id).where(alerts.c.level_due_at <= now)
    return tx.execute(query.limit(1)).first() is not None


def lock_due(tx: Connection, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Alerts whose timer is due, longest due first; those that another transaction holds are left out."""
    query = select(alerts).where(alerts.c.level_due_at <= now).order_by(alerts.c.level_due_at)
    return tx.execute(query.limit(limit).with_for_update(skip_locked=True)).mappings().all()


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """How many alerts there are, by severity and state."""
    query = select(alerts.c.severity, alerts.c.state, func.count())
    rows = tx.execute(query.group_by(alerts.c.severity, alerts.c.state))
    return {(severity, state): count for severity, state, count in rows}


def lock(tx: Connection, alert_id: str) -> RowMapping | None:
    """One alert, which nobody else changes before the end of the transaction."""
    query = select(alerts).where(alerts.c.id == alert_id).with_for_update()
    return tx.execute(query).mappings().one_or_none()


def change(tx: Connection, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Store a change of a locked alert: `row` as in the table, `values` as the alert has them now."""
    now = {**values, "change_count": row["number"]}
    tx.execute(update(alerts).where(alerts.c.id == row["alert_id"]).values(**now))
    tx.execute(insert(alert_changes), [dict(row)])


def changes_of(tx: Connection, alert_id: str) -> Sequence[RowMapping]:
    """What was done to an alert, first to last."""
    query = select(alert_changes).where(alert_changes.c.alert_id == alert_id)
    return tx.execute(query.order_by(alert_changes.c.number)).mappings().all()


def told(tx: Connection, alert_id: str, at: datetime) -> None:
    """Store when somebody outside was first told of an alert."""
    first = update(alerts).where(alerts.c.id == alert_id, alerts.c.told_at.is_(None))
    tx.execute(first.values(told_at=at))


def observations_of(tx: Connection, alert_id: str, limit: int) -> Sequence[str]:
    """The ids of the first observations of an alert, by the time they were seen."""
    query = select(rule_matches.c.observation_id).where(rule_matches.c.alert_id == alert_id)
    return tx.scalars(query.order_by(rule_matches.c.seen_at).limit(limit)).all()


def add_event(tx: Connection, row: Mapping[str, Any], sinks: Sequence[str], now: datetime) -> None:
    """Store what happened to an alert (`row` as in the table), and an outbox row for each sink."""
    position = tx.execute(insert(events).values(**row)).inserted_primary_key
    assert position is not None
    _queue(tx, row["alert_id"], position[0], sinks, now)


def queue_all(tx: Connection, alert_id: str, sinks: Sequence[str], now: datetime) -> None:
    """Let all events of an alert go to `sinks`, of which none has any of them yet."""
    query = select(events.c.position).where(events.c.alert_id == alert_id)
    for position in tx.scalars(query.order_by(events.c.position)).all():
        _queue(tx, alert_id, position, sinks, now)


def _queue(
    tx: Connection, alert_id: str, position: int, sinks: Sequence[str], now: datetime
) -> None:
    if sinks:
        waiting = {
            "event_position": position,
            "alert_id": alert_id,
            "state": "waiting",
            "attempts": 0,
            "since": now,
            "next_attempt_at": now,
            "last_error": "",
        }
        tx.execute(insert(deliveries), [{"sink": sink, **waiting} for sink in sinks])


def events_after(tx: Connection, position: int, limit: int) -> Sequence[RowMapping]:
    """The events behind `position`, first to last."""
    query = select(events).where(events.c.position > position)
    return tx.execute(query.order_by(events.c.position).limit(limit)).mappings().all()


def last_event(tx: Connection) -> int:
    """The position of the newest event; 0 when there is none."""
    return tx.scalar(select(func.max(events.c.position))) or 0


def delete_before(tx: Connection, moment: datetime) -> int:
    """Delete alerts raised before `moment`, with all that hangs on them; returns how many."""
    return tx.execute(delete(alerts).where(alerts.c.raised_at < moment)).rowcount


def delete_events_before(tx: Connection, moment: datetime) -> int:
    """Delete events (their bodies hold a picture) before `moment`; returns how many."""
    return tx.execute(delete(events).where(events.c.at < moment)).rowcount
