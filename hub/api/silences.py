"""Silences: mute alerts of a place or a rule for a while, with a reason; end it early."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub
from hub.api.shapes import PageOf, SilenceOut, SilenceRequest
from hub.audit import Act
from hub.silences import PLACES, check_silence
from hub.store import audit, silences

router = APIRouter(prefix="/silences", tags=["alerts"], responses=documented())
_READ, _WRITE = allowed(Scope.ALERTS_READ), allowed(Scope.ALERTS_SILENCE)


@router.get("")
def list_silences(
    hub: Hub,
    _: Annotated[Actor, _READ],
    active: Annotated[bool, Query(description="Only those that hold, or will.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[SilenceOut]:
    """Silences, newest first."""
    with hub.store.read() as tx:
        page = silences.find(tx, hub.now() if active else None, cursor, limit)
    return page_of(SilenceOut, page, (SilenceOut(**row) for row in page.items))


@router.post("", status_code=201, response_model=SilenceOut, responses=documented(409))
def silence(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, wanted: SilenceRequest
) -> Response:
    """Mute new alerts that fit all that is named. Missing persons are never muted."""

    def carry_out(tx: Connection) -> tuple[int, SilenceOut]:
        now = hub.now()
        row = {
            "id": str(uuid.uuid4()),
            "author": who.name,
            "starts_at": now,
            **wanted.model_dump(),
        }
        check_silence({name: row[name] for name in PLACES}, now, wanted.ends_at)
        silences.add(tx, row)
        details = {name: row[name] for name in PLACES if row[name]}
        act = Act(who.name, "silence.begun", row["id"], purpose=wanted.reason, details=details)
        audit.add(tx, act, now)
        return 201, SilenceOut(**row)

    return write.run(who, wanted.model_dump_json().encode(), carry_out)


@router.post("/{silence_id}/end", response_model=SilenceOut, responses=documented(404, 409))
def end(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    silence_id: Annotated[str, Path(max_length=64)],
) -> Response:
    """End a silence now. What it muted stays muted until somebody takes it up."""

    def carry_out(tx: Connection) -> tuple[int, SilenceOut]:
        row, now = silences.get(tx, silence_id), hub.now()
        if row is None:
            raise not_found("silence")
        if row["ends_at"] <= now:
            raise Problem(409, "over", "this silence is over already")
        silences.end(tx, silence_id, now)
        audit.add(tx, Act(who.name, "silence.ended", silence_id), now)
        return 200, SilenceOut(**{**row, "ends_at": now})

    return write.run(who, b"", carry_out)
