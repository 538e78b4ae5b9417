"""Incidents (`hub.incidents`): which there are; their alerts name them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select

from hub.store.pages import Page, fetch
from hub.store.tables import alerts, incidents
from hub.store.upsert import upsert


def add(tx: Connection, row: Mapping[str, Any]) -> None:
    """Store an incident, unless it is there."""
    upsert(tx, incidents, [row], ())


def get(tx: Connection, incident_id: str) -> RowMapping | None:
    """One incident."""
    query = select(incidents).where(incidents.c.id == incident_id)
    return tx.execute(query).mappings().one_or_none()


def find(tx: Connection, site: str | None, cursor: str | None, limit: int) -> Page[RowMapping]:
    """Incidents, newest first."""
    query = select(incidents)
    if site is not None:
        query = query.where(incidents.c.site == site)
    order = (incidents.c.opened_at, incidents.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def alerts_of(tx: Connection, incident_id: str, limit: int) -> Sequence[RowMapping]:
    """The first alerts of an incident, in the order in which they were raised."""
    query = select(alerts).where(alerts.c.incident_id == incident_id)
    ordered = query.order_by(alerts.c.raised_at, alerts.c.id).limit(limit)
    return tx.execute(ordered).mappings().all()


def delete_empty(tx: Connection) -> None:
    """Forget incidents whose alerts are all gone."""
    used = select(alerts.c.id).where(alerts.c.incident_id == incidents.c.id)
    tx.execute(delete(incidents).where(~used.exists()))
