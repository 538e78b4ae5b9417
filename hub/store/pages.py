"""Pages of long lists: newest first, continued by an opaque cursor that survives new rows."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Connection, Row, Select, literal, tuple_

from hub.store.tables import Moment
from wire.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor of the next page; None on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None


def fetch(
    tx: Connection,
    query: Select[Any],
    order: tuple[Column[Any], Column[Any]],
    cursor: str | None,
    limit: int,
    read: Callable[[Row[Any]], T],
) -> Page[T]:
    """Return the page of `query` behind `cursor`, ordered by the two columns `order`, descending.

    Together the two must be unique. InputError when the cursor is none that this made.
    """
    if cursor is not None:
        last = zip(_decode(cursor, order), order, strict=True)
        behind = tuple_(*(literal(value, column.type) for value, column in last))
        query = query.where(tuple_(*order) < behind)
    rows = tx.execute(query.order_by(*(c.desc() for c in order)).limit(limit + 1)).all()
    items = tuple(read(row) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(items, None)
    end = rows[limit - 1]._mapping
    return Page(items, _encode([end[column] for column in order]))


def _encode(values: list[Any]) -> str:
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(cursor: str, order: tuple[Column[Any], Column[Any]]) -> list[Any]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(plain, list) or len(plain) != len(order):
            raise ValueError("not one value per column")
        return [_value(v, c) for v, c in zip(plain, order, strict=True)]
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise InputError("cursor: it is none that this list gave out") from error


def _value(value: Any, column: Column[Any]) -> Any:
    if isinstance(column.type, Moment):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        return moment
    if not isinstance(value, column.type.python_type) or isinstance(value, bool):
        raise ValueError(f"not {column.type.python_type.__name__}")
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise ValueError("out of range")
    return value
