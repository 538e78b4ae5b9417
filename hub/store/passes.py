"""Passes: visits and tenants' cars (`hub.passes`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, case, delete, func, insert, literal, select, update

from hub.pass_rows import PassRow
from hub.passes import PassState
from hub.store import allow_lists
from hub.store.pages import Page, fetch
from hub.store.register_tables import passes
from hub.store.tables import Moment

_AT_ONCE = 500


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    """Store a pass."""
    tx.execute(insert(passes), [dict(row)])
    allow_lists.changed(tx)


def lock(tx: Connection, pass_id: str) -> RowMapping | None:
    """One pass, which nobody else changes before the end of the transaction."""
    query = select(passes).where(passes.c.id == pass_id).with_for_update()
    return tx.execute(query).mappings().one_or_none()


def get(tx: Connection, pass_id: str) -> RowMapping | None:
    """One pass."""
    return tx.execute(select(passes).where(passes.c.id == pass_id)).mappings().one_or_none()


def erase(tx: Connection, pass_id: str) -> bool:
    """Erase a pass for good; whether it was there."""
    allow_lists.changed(tx)
    return bool(tx.execute(delete(passes).where(passes.c.id == pass_id)).rowcount)


def decide(tx: Connection, pass_id: str, state: PassState, actor: str, at: datetime) -> None:
    """Store what became of a pass, and by whom."""
    values = {"state": state.value, "decided_by": actor, "decided_at": at}
    tx.execute(update(passes).where(passes.c.id == pass_id).values(**values))
    allow_lists.changed(tx)


def find(
    tx: Connection, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[RowMapping]:
    """Passes, newest first."""
    query = select(passes)
    for name, value in filters.items():
        query = query.where(passes.c[name] == value)
    order = (passes.c.requested_at, passes.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def every(tx: Connection) -> Iterator[PassRow]:
    """All passes, oldest first, as rows of a file."""
    query = select(passes).order_by(passes.c.requested_at, passes.c.id)
    for row in tx.execution_options(yield_per=_AT_ONCE).execute(query).mappings():
        yield row_of(row)


def row_of(stored: Mapping[Any, Any]) -> PassRow:
    """A pass as a row of a file."""
    return PassRow.model_validate({name: stored[name] for name in PassRow.model_fields})


def pending_of(tx: Connection, site: str, unit: str) -> int:
    """How many requests of a unit wait."""
    query = select(func.count()).select_from(passes)
    return (
        tx.scalar(
            query.where(passes.c.site == site, passes.c.unit == unit, passes.c.state == "pending")
        )
        or 0
    )


def expire(tx: Connection, now: datetime) -> Sequence[str]:
    """Mark the passes whose time is over; returns their ids."""
    live = passes.c.state.in_((PassState.PENDING, PassState.APPROVED))
    over = select(passes.c.id).where(live, passes.c.valid_until <= now)
    ids = tx.scalars(over).all()
    if ids:
        tx.execute(update(passes).where(passes.c.id.in_(ids)).values(state=PassState.EXPIRED.value))
        allow_lists.changed(tx)
    return ids


def erase_before(tx: Connection, moment: datetime) -> int:
    """Erase passes that were over, ended or declined before `moment`; returns how many."""
    done = passes.c.state.in_((PassState.EXPIRED, PassState.ENDED, PassState.DECLINED))
    over_at = case(
        (passes.c.state == PassState.EXPIRED, passes.c.valid_until),
        else_=func.coalesce(passes.c.decided_at, passes.c.valid_until),
    )
    return tx.execute(delete(passes).where(done, over_at < literal(moment, Moment))).rowcount
