"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy keeps apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    tx: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    update: Sequence[str],
) -> None:
    """Insert `rows`; where the primary key is there already, set the columns in `update`.

    With no column in `update` such rows are left as they are.
    """
    if not rows:
        return
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(table)
    keys = list(table.primary_key)
    if update:
        values = {name: insert.excluded[name] for name in update}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=values)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    tx.execute(statement, list(rows))
