"""For those who run the hub: health, dead letters, replay, the audit log."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, Name, page_of
from hub.api.problems import documented
from hub.api.services import Hub
from hub.api.shapes import (
    AuditOut,
    ChainOut,
    DeadDelivery,
    DeadMessage,
    Health,
    PageOf,
    Replay,
    Replayed,
)
from hub.audit import Act, Record, first_break
from hub.store import audit, dead_letters, deliveries

router = APIRouter(tags=["operations"], responses=documented())


@router.get("/health")
def health(hub: Hub, _: Annotated[Actor, allowed(Scope.HEALTH_READ)]) -> Health:
    """How the hub is, and, if it is not well, why."""
    return hub.health()


@router.get("/dead-letters")
def list_dead_letters(
    hub: Hub,
    _: Annotated[Actor, allowed(Scope.DELIVERIES_READ)],
    reason: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[DeadMessage]:
    """Messages of edges that can never be processed, with the reason, newest first."""
    with hub.store.read() as tx:
        page = dead_letters.find(tx, reason, cursor, limit)
    items = (DeadMessage(**{**row, "payload": _readable(row["payload"])}) for row in page.items)
    return page_of(DeadMessage, page, items)


@router.get("/deliveries/dead")
def list_dead_deliveries(
    hub: Hub,
    _: Annotated[Actor, allowed(Scope.DELIVERIES_READ)],
    sink: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[DeadDelivery]:
    """Deliveries that were given up, newest first."""
    with hub.store.read() as tx:
        page = deliveries.dead(tx, sink, cursor, limit)
    items = (
        DeadDelivery(**{**row, "position": row["event_position"], "event_id": row["id"]})
        for row in page.items
    )
    return page_of(DeadDelivery, page, items)


@router.post("/sinks/{sink}/replay", response_model=Replayed)
def replay(
    hub: Hub,
    who: Annotated[Actor, allowed(Scope.DELIVERIES_WRITE)],
    write: Write,
    sink: Annotated[str, Path(max_length=64)],
    which: Replay,
) -> Response:
    """Try dead deliveries of a sink anew."""

    def carry_out(tx: Connection) -> tuple[int, Replayed]:
        now = hub.now()
        count = deliveries.replay(tx, sink, which.position, now)
        audit.add(tx, Act(who.name, "deliveries.replayed", sink, details={"count": count}), now)
        return 200, Replayed(count=count)

    answer = write.run(who, which.model_dump_json().encode(), carry_out)
    hub.wake_sinks()
    return answer


@router.get("/audit")
def list_audit(
    hub: Hub,
    _: Annotated[Actor, allowed(Scope.AUDIT_READ)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[AuditOut]:
    """The audit log, newest first."""
    with hub.store.read() as tx:
        page = audit.find(tx, cursor, limit)
    return page_of(AuditOut, page, (_shown(record) for record in page.items))


@router.get("/audit/chain")
def check_chain(hub: Hub, _: Annotated[Actor, allowed(Scope.AUDIT_READ)]) -> ChainOut:
    """Check the whole audit log: each record must follow from the one before."""
    count = 0

    def counted(tx: Connection) -> Any:
        nonlocal count
        for record in audit.all_records(tx):
            count += 1
            yield record

    with hub.store.read() as tx:
        broken = first_break(counted(tx))
    return ChainOut(records=count, first_break=broken)


def _shown(record: Record) -> AuditOut:
    act = record.act
    return AuditOut(
        position=record.position,
        at=record.at,
        actor=act.actor,
        action=act.action,
        target=act.target,
        purpose=act.purpose,
        details=dict(act.details),
        previous_hash=record.previous_hash,
        hash=record.hash,
    )


def _readable(payload: bytes | None) -> Any:
    return None if payload is None else json.loads(payload)
