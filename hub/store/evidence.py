"""Which pictures there are of which observation; those that came later are files (`hub.evidence_files`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, or_, select, update

from hub.store.tables import evidence
from hub.store.upsert import upsert

_FACTS = [column for column in evidence.columns if column is not evidence.c.data]


def add(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store pictures that are kept or wanted; those that are known already are left as they are."""
    upsert(tx, evidence, rows, ())


def of(tx: Connection, observation_ids: Sequence[str]) -> Sequence[RowMapping]:
    """What there is to say of all pictures of some observations."""
    query = select(*_FACTS).where(evidence.c.observation_id.in_(observation_ids))
    return tx.execute(query.order_by(evidence.c.observation_id, evidence.c.name)).mappings().all()


def get(tx: Connection, observation_id: str, name: str) -> RowMapping | None:
    """One picture; `data` is None for one that is a file."""
    query = select(evidence).where(_is(observation_id, name))
    return tx.execute(query).mappings().one_or_none()


def due(tx: Connection, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Pictures to ask an edge for now."""
    query = select(*_FACTS).where(evidence.c.state == "pending", evidence.c.next_ask_at <= now)
    return tx.execute(query.order_by(evidence.c.next_ask_at).limit(limit)).mappings().all()


def asked(tx: Connection, observation_id: str, name: str, next_ask_at: datetime) -> None:
    """Store that the edge was asked, and when to ask again."""
    _set(tx, _is(observation_id, name), asked=evidence.c.asked + 1, next_ask_at=next_ask_at)


def put_off(tx: Connection, observation_id: str, name: str, next_ask_at: datetime) -> None:
    """Store that the edge could not be asked, and when to try."""
    _set(tx, _is(observation_id, name), next_ask_at=next_ask_at)


def hurry(tx: Connection, edge: str, now: datetime) -> None:
    """Ask this edge at once for all that is pending: it has just come back."""
    _set(tx, evidence.c.edge == edge, next_ask_at=now)


def settle(
    tx: Connection,
    edge: str,
    observation_id: str,
    name: str,
    state: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Store that a pending picture of this edge is ``stored`` or ``gone``, and why."""
    mine = and_(_is(observation_id, name), evidence.c.edge == edge)
    _set(tx, mine, state=state, settled_at=now, reason=reason)


def announce(tx: Connection, edge: str, observation_id: str, name: str, **facts: Any) -> None:
    """Store what an edge says of evidence that it is about to send.

    What is said of its hash before, in a signed observation, stands: then only the same is believed.
    """
    mine = and_(_is(observation_id, name), evidence.c.edge == edge)
    agrees = or_(evidence.c.sha256.is_(None), evidence.c.sha256 == facts["sha256"])
    clip = evidence.c.media_type == "video/mp4"  # made anew when it is asked for again
    _set(tx, and_(mine, or_(agrees, clip)), **facts)


def _is(observation_id: str, name: str) -> Any:
    return and_(evidence.c.observation_id == observation_id, evidence.c.name == name)


def _set(tx: Connection, where: Any, **values: object) -> None:
    tx.execute(update(evidence).where(where, evidence.c.state == "pending").values(**values))


def take_before(tx: Connection, moment: datetime, limit: int) -> Sequence[RowMapping]:
    """Pictures requested before `moment`: for the caller to delete the files, then the rows."""
    query = select(*_FACTS).where(evidence.c.requested_at < moment)
    return tx.execute(query.order_by(evidence.c.requested_at).limit(limit)).mappings().all()


def delete_row(tx: Connection, observation_id: str, name: str) -> None:
    """Forget a picture."""
    tx.execute(delete(evidence).where(_is(observation_id, name)))
