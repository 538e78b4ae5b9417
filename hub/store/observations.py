"""Observations, and how far each edge's messages are committed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, tuple_, update

from hub.sequence import Window
from hub.store.pages import Page, fetch
from hub.store.tables import observations, sequences
from hub.store.upsert import upsert

Boot = tuple[str, str]
"""Edge, boot id."""


def windows(tx: Connection, boots: Iterable[Boot]) -> dict[Boot, Window]:
    """What is committed of each boot; empty windows for those that are new."""
    wanted = set(boots)
    rows = tx.execute(
        select(sequences).where(tuple_(sequences.c.edge, sequences.c.boot_id).in_(wanted))
    )
    known = {
        (row.edge, row.boot_id): Window(row.committed, tuple((a, b) for a, b in row.ahead))
        for row in rows
    }
    return {boot: known.get(boot, Window()) for boot in wanted}


def save_windows(tx: Connection, windows: Mapping[Boot, Window], now: datetime) -> None:
    """Remember what is committed."""
    rows = [
        {
            "edge": edge,
            "boot_id": boot,
            "committed": window.committed,
            "ahead": [list(island) for island in window.ahead],
            "updated_at": now,
        }
        for (edge, boot), window in windows.items()
    ]
    upsert(tx, sequences, rows, ("committed", "ahead", "updated_at"))


def known_ids(tx: Connection, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that are stored already."""
    if not ids:
        return set()
    return set(tx.scalars(select(observations.c.id).where(observations.c.id.in_(ids))))


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store observations; each row has the columns of the table."""
    if rows:
        tx.execute(insert(observations), list(rows))


def mark_matched(tx: Connection, ids: Sequence[str]) -> None:
    """Remember that rules have matched these."""
    if ids:
        tx.execute(update(observations).where(observations.c.id.in_(ids)).values(matched=True))


def get(tx: Connection, observation_id: str) -> RowMapping | None:
    """One observation."""
    query = select(observations).where(observations.c.id == observation_id)
    return tx.execute(query).mappings().one_or_none()


def find(
    tx: Connection,
    *,
    filters: Mapping[str, str],
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
) -> Page[RowMapping]:
    """Observations, newest first. `filters` are columns and the values that they must have."""
    query = select(observations)
    for name, value in filters.items():
        query = query.where(observations.c[name] == value)
    if since is not None:
        query = query.where(observations.c.captured_at >= since)
    if until is not None:
        query = query.where(observations.c.captured_at < until)
    order = (observations.c.captured_at, observations.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def delete_before(tx: Connection, moment: datetime) -> int:
    """Delete observations captured before `moment`; returns how many."""
    return tx.execute(delete(observations).where(observations.c.captured_at < moment)).rowcount


def delete_windows_before(tx: Connection, moment: datetime) -> int:
    """Forget boots of which nothing came since `moment`; returns how many."""
    return tx.execute(delete(sequences).where(sequences.c.updated_at < moment)).rowcount
