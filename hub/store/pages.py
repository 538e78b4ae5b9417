"""Pages of long lists: newest first, continued by an opaque cursor that survives new rows."""

import base64
import binascii
import bisect
import json
from collections.abc import Callable, Mapping
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


def slice_of(items: Mapping[str, T], cursor: str | None, limit: int) -> Page[tuple[str, T]]:
    """The page behind `cursor` of what is in no table: names with what belongs to them, by name, ascending.

    InputError when the cursor is none that this made.
    """
    names = sorted(items)
    if cursor is not None:
        last = _load(cursor, 1)[0]
        if not isinstance(last, str):
            raise _none_of_ours()
        names = names[bisect.bisect_right(names, last) :]
    shown = names[:limit]
    more = len(names) > limit
    return Page(
        tuple((name, items[name]) for name in shown), _encode([shown[-1]]) if more else None
    )


def _encode(values: list[Any]) -> str:
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(cursor: str, order: tuple[Column[Any], Column[Any]]) -> list[Any]:
    plain = _load(cursor, len(order))
    try:
        return [_value(v, c) for v, c in zip(plain, order, strict=True)]
    except (ValueError, TypeError) as error:
        raise _none_of_ours() from error


def _load(cursor: str, count: int) -> list[Any]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _none_of_ours() from error
    if not isinstance(plain, list) or len(plain) != count:
        raise _none_of_ours()
    return plain


def _none_of_ours() -> InputError:
    return InputError("cursor: it is none that this list gave out")


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
