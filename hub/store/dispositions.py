"""Dispositions of command centres, and which entries were requested for them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.store.disposition_tables import disposition_entries, dispositions
from hub.store.pages import Page, fetch
from hub.viid.dispositions import Disposition, DispositionState
from hub.watchlist import ListKind

_KEPT = dispositions.c
_LINK = disposition_entries.c
_BLANK: Mapping[str, str] = {"target": "", "title": "", "organisation": "", "reason": ""}


def lock(tx: Connection, disposition_id: str) -> RowMapping | None:
    """One disposition, which nobody else changes before the end of the transaction."""
    query = select(dispositions).where(_KEPT.id == disposition_id).with_for_update()
    return tx.execute(query).mappings().one_or_none()


def read(row: Mapping[Any, Any]) -> Disposition:
    """A stored disposition as it was wished for."""
    values = {name: row[name] for name in Disposition.__dataclass_fields__}
    return Disposition(**{**values, "kind": ListKind(row["kind"])})


def put(
    tx: Connection,
    disposition: Disposition,
    peer: str,
    state: DispositionState,
    now: datetime,
    *,
    new: bool,
) -> None:
    """Store a disposition, or what has changed of it."""
    values = {**asdict(disposition), "kind": disposition.kind.value, "state": state.value}
    if new:
        tx.execute(insert(dispositions), [{**values, "peer": peer, "received_at": now}])
    else:
        tx.execute(update(dispositions).where(_KEPT.id == disposition.id).values(**values))


def withdraw(tx: Connection, disposition_id: str) -> None:
    """Keep the id of a disposition, and nothing of what it said."""
    values = {**_BLANK, "state": DispositionState.WITHDRAWN.value}
    tx.execute(update(dispositions).where(_KEPT.id == disposition_id).values(**values))


def requested(tx: Connection, disposition_id: str, entry_id: str) -> None:
    """Store that an entry was requested for a disposition."""
    row = {"entry_id": entry_id, "disposition_id": disposition_id}
    tx.execute(insert(disposition_entries), [row])
    state = {"state": DispositionState.REQUESTED.value}
    tx.execute(update(dispositions).where(_KEPT.id == disposition_id).values(**state))


def entries_of(tx: Connection, disposition_id: str) -> Sequence[str]:
    """The ids of the entries that were requested for a disposition."""
    return tx.scalars(select(_LINK.entry_id).where(_LINK.disposition_id == disposition_id)).all()


def begins_at(tx: Connection, entry_id: str) -> datetime | None:
    """When the disposition behind an entry begins; None where there is none behind it."""
    query = select(_KEPT.begins_at).join(disposition_entries, _LINK.disposition_id == _KEPT.id)
    return tx.execute(query.where(_LINK.entry_id == entry_id)).scalar_one_or_none()


def find(
    tx: Connection, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[RowMapping]:
    """Dispositions, newest first."""
    query = select(dispositions)
    for name, value in filters.items():
        query = query.where(_KEPT[name] == value)
    order = (_KEPT.received_at, _KEPT.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def erase_over(tx: Connection, now: datetime) -> int:
    """Erase the dispositions whose time is over; returns how many."""
    return tx.execute(delete(dispositions).where(_KEPT.ends_at <= now)).rowcount
