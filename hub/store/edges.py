"""The last known state of each edge and camera."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from hub.store.tables import cameras, edges
from hub.store.upsert import upsert


def load(tx: Connection) -> tuple[Sequence[RowMapping], Sequence[RowMapping]]:
    """All edges and all cameras."""
    return (
        tx.execute(select(edges)).mappings().all(),
        tx.execute(select(cameras)).mappings().all(),
    )


def save(
    tx: Connection, edge_rows: Iterable[Mapping[str, Any]], camera_rows: Iterable[Mapping[str, Any]]
) -> None:
    """Remember the states of some edges and cameras; rows have all columns of their tables."""
    _save(tx, edges, list(edge_rows))
    _save(tx, cameras, list(camera_rows))


def _save(tx: Connection, table: Any, rows: list[Mapping[str, Any]]) -> None:
    keys = {column.name for column in table.primary_key}
    upsert(tx, table, rows, [c.name for c in table.columns if c.name not in keys])
