"""The audit log: rows are only ever appended, in the transaction of what they tell of."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from hub.audit import Act, Record, append
from hub.store.pages import Page, fetch
from hub.store.tables import audit


def add(tx: Connection, act: Act, at: datetime) -> None:
    """Append an act."""
    newest = tx.execute(select(audit).order_by(audit.c.position.desc()).limit(1)).one_or_none()
    record = append(act, at, None if newest is None else _record(newest))
    tx.execute(
        insert(audit).values(
            position=record.position,
            at=at,
            actor=act.actor,
            action=act.action,
            target=act.target,
            purpose=act.purpose,
            details=dict(act.details),
            previous_hash=record.previous_hash,
            hash=record.hash,
        )
    )


def all_records(tx: Connection) -> Iterator[Record]:
    """The whole chain, first to last."""
    for row in tx.execute(select(audit).order_by(audit.c.position)).yield_per(1000):
        yield _record(row)


def find(tx: Connection, cursor: str | None, limit: int) -> Page[Record]:
    """Records, newest first."""
    return fetch(tx, select(audit), (audit.c.position, audit.c.hash), cursor, limit, _record)


def _record(row: Row[Any]) -> Record:
    act = Act(row.actor, row.action, row.target, row.purpose, row.details)
    return Record(row.position, row.at, act, row.previous_hash, row.hash)
