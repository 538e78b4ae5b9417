"""Silences (`hub.silences`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.silences import Silence
from hub.store.pages import Page, fetch
from hub.store.tables import silences


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    """Store a silence."""
    tx.execute(insert(silences), [dict(row)])


def get(tx: Connection, silence_id: str) -> RowMapping | None:
    """One silence."""
    query = select(silences).where(silences.c.id == silence_id)
    return tx.execute(query).mappings().one_or_none()


def active(tx: Connection, now: datetime) -> list[Silence]:
    """The silences that hold at `now`."""
    columns = [silences.c[name] for name in Silence.__dataclass_fields__]
    query = select(*columns).where(silences.c.starts_at <= now, silences.c.ends_at > now)
    return [Silence(*row) for row in tx.execute(query)]


def find(
    tx: Connection, since: datetime | None, cursor: str | None, limit: int
) -> Page[RowMapping]:
    """Silences, newest first; with `since` only those that end after it."""
    query = select(silences)
    if since is not None:
        query = query.where(silences.c.ends_at > since)
    order = (silences.c.starts_at, silences.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def end(tx: Connection, silence_id: str, at: datetime) -> None:
    """Let a silence end at `at`."""
    tx.execute(update(silences).where(silences.c.id == silence_id).values(ends_at=at))


def delete_before(tx: Connection, moment: datetime) -> None:
    """Forget silences that ended before `moment`."""
    tx.execute(delete(silences).where(silences.c.ends_at < moment))
