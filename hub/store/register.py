"""The rows of the register. Each kind of row (`hub.register.KINDS`) is handled alike."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, and_, delete, select

from hub.register import KINDS, Reference, Row
from hub.store import allow_lists, watchlists
from hub.store.pages import Page, fetch
from hub.store.register_tables import TABLES
from hub.store.upsert import upsert

_AT_ONCE = 500


def put(tx: Connection, kind: str, rows: Sequence[Row]) -> None:
    """Store rows; those with the key of a stored one take its place."""
    names = set(KINDS[kind].model_fields)
    values = [{**row.model_dump(), **_lists(row)} for row in rows]
    upsert(tx, TABLES[kind], values, sorted(names - set(KINDS[kind].KEY)))
    _has_changed(tx, kind)


def get(tx: Connection, kind: str, key: Sequence[str]) -> Row | None:
    """One row."""
    found = tx.execute(select(TABLES[kind]).where(_is(kind, key))).mappings().one_or_none()
    return None if found is None else _row(kind, found)


def remove(tx: Connection, kind: str, key: Sequence[str]) -> bool:
    """Erase a row for good; whether it was there."""
    _has_changed(tx, kind)
    return bool(tx.execute(delete(TABLES[kind]).where(_is(kind, key))).rowcount)


def _has_changed(tx: Connection, kind: str) -> None:
    """Let those look again who keep something of the register elsewhere."""
    if kind == "residents":
        watchlists.changed(tx)  # whose templates are in the gallery
    elif kind == "vehicles":
        allow_lists.changed(tx)  # which plates open


def find(
    tx: Connection, kind: str, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[Row]:
    """Rows in the order of their keys, from the end. `filters` are columns and values they must have."""
    query = select(TABLES[kind])
    for name, value in filters.items():
        query = query.where(TABLES[kind].c[name] == value)
    keys = _key_columns(kind)
    return fetch(
        tx, query, (keys[0], keys[-1]), cursor, limit, lambda row: _row(kind, row._mapping)
    )


def every(tx: Connection, kind: str) -> Iterator[Row]:
    """All rows of a kind, in the order of their keys."""
    rows = tx.execution_options(yield_per=_AT_ONCE).execute(
        select(TABLES[kind]).order_by(*_key_columns(kind))
    )
    for row in rows:
        yield _row(kind, row._mapping)


def is_there(tx: Connection, reference: Reference) -> bool:
    """Whether the row that another names is there."""
    query = select(_key_columns(reference.kind)[0]).where(_is(reference.kind, reference.key))
    return tx.execute(query.limit(1)).first() is not None


def named_by(tx: Connection, kind: str, key: Sequence[str]) -> str | None:
    """A kind of row of which one names this row; None when none does."""
    for other, model in KINDS.items():
        for column, referred in model.REFERS.items():
            if referred == kind and _names(tx, other, column, key):
                return other
    return None


def _names(tx: Connection, other: str, column: str, key: Sequence[str]) -> bool:
    table = TABLES[other]
    if column == "cells":  # a list
        return any(key[0] in cells for cells in tx.scalars(select(table.c.cells)))
    query = select(table.c[column]).where(table.c[column] == key[-1])
    if len(key) == 2:
        query = query.where(table.c.site == key[0])
    return tx.execute(query.limit(1)).first() is not None


def _lists(row: Row) -> dict[str, Any]:
    """Sets and tuples as JSON has them."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else list(value)
        for name in type(row).model_fields
        if isinstance(value := getattr(row, name), frozenset | tuple)
    }


def _row(kind: str, values: RowMapping | Mapping[Any, Any]) -> Row:
    model = KINDS[kind]
    return model.model_validate({name: values[name] for name in model.model_fields})


def _key_columns(kind: str) -> list[Column[Any]]:
    return [TABLES[kind].c[name] for name in KINDS[kind].KEY]


def _is(kind: str, key: Sequence[str]) -> Any:
    return and_(*(column == part for column, part in zip(_key_columns(kind), key, strict=True)))
