"""Observations as their edges signed them, kept of those that raised an alert or joined one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hub.store.tables import signed_observations
from hub.store.upsert import upsert


def keep(tx: Connection, bodies: Mapping[str, bytes], now: datetime) -> None:
    """Keep messages by the ids of their observations."""
    rows = [{"observation_id": key, "stored_at": now, "body": body} for key, body in bodies.items()]
    upsert(tx, signed_observations, rows, ())


def of(tx: Connection, observation_ids: Sequence[str]) -> dict[str, bytes]:
    """The messages of those of these observations that are kept."""
    table = signed_observations
    query = select(table.c.observation_id, table.c.body).where(
        table.c.observation_id.in_(observation_ids)
    )
    return {row.observation_id: row.body for row in tx.execute(query)}


def delete_before(tx: Connection, moment: datetime) -> None:
    """Forget what was kept long enough."""
    tx.execute(delete(signed_observations).where(signed_observations.c.stored_at < moment))
