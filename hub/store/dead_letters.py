"""Messages that can never be processed, with the reason. The same one again only counts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from hub.store.pages import Page, fetch
from hub.store.tables import dead_letters
from hub.store.upsert import upsert

MOST = 10_000
"""How many are kept; beyond it the oldest go, so that a rogue client cannot fill the disk."""


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store dead letters; `rows` have the columns of the table but `id`, `count` and `first_at`."""
    for row in rows:
        again = tx.execute(
            update(dead_letters)
            .where(dead_letters.c.digest == row["digest"])
            .values(count=dead_letters.c.count + 1, last_at=row["last_at"])
        )
        if not again.rowcount:
            upsert(tx, dead_letters, [{**row, "count": 1, "first_at": row["last_at"]}], ())
    if rows:
        newest = tx.scalar(select(func.max(dead_letters.c.id))) or 0
        tx.execute(delete(dead_letters).where(dead_letters.c.id <= newest - MOST))


def find(tx: Connection, reason: str | None, cursor: str | None, limit: int) -> Page[RowMapping]:
    """Dead letters, newest first."""
    query = select(dead_letters)
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    order = (dead_letters.c.last_at, dead_letters.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def counts(tx: Connection) -> dict[str, int]:
    """How many there are, by reason."""
    query = select(dead_letters.c.reason, func.count()).group_by(dead_letters.c.reason)
    return dict(tx.execute(query).all())
