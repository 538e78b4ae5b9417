"""Passes of visitors and of tenants' cars: guards ask for them, the property office decides and ends them.

Whoever looks at them says why; each look goes into the audit log.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from hub import pass_desk
from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, Name, Purpose, given, look_up, page_of
from hub.api.problems import documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import PageOf, PassOut, PassRequest
from hub.passes import PassState, move
from hub.store import passes
from wire.errors import InputError
from wire.plates import parse

router = APIRouter(prefix="/passes", tags=["register"], responses=documented())
_READ, _WRITE = allowed(Scope.REGISTER_READ), allowed(Scope.REGISTER_WRITE)
_REQUEST = allowed(Scope.PASSES_REQUEST)
PassId = Annotated[str, Path(max_length=64)]


@router.get("")
def list_passes(
    hub: Hub,
    who: Annotated[Actor, _READ],
    site: Name = None,
    unit: Name = None,
    state: PassState | None = None,
    purpose: Purpose = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[PassOut]:
    """Passes, newest first."""
    filters = given(site=site, unit=unit, state=state)
    shown = " ".join(filters.values())
    look_up(hub, who, purpose, "passes.lookup", passes=f"list {shown}".strip())
    with hub.store.read() as tx:
        page = passes.find(tx, filters, cursor, limit)
    return page_of(PassOut, page, (PassOut(**row) for row in page.items))


@router.post("", status_code=201, response_model=PassOut, responses=documented(409))
def ask(hub: Hub, who: Annotated[Actor, _REQUEST], write: Write, wanted: PassRequest) -> Response:
    """Ask for a pass for a unit. What the office itself enters counts at once; what a guard asks for, once
    the office has approved it."""
    plate = parse(wanted.plate) if wanted.plate is not None else None
    if wanted.plate is not None and plate is None:
        raise InputError("plate: this is no plate that the grammar knows")

    def carry_out(tx: Connection) -> tuple[int, PassOut]:
        values = {**dict(wanted), "plate": plate.text if plate else None}
        granted = who.may(Scope.REGISTER_WRITE)
        row = pass_desk.enter(tx, pass_desk.Wanted(**values), who.name, hub.now(), granted=granted)
        return 201, PassOut(**row)

    return write.run(who, wanted.model_dump_json().encode(), carry_out)


@router.post("/{pass_id}/approve", response_model=PassOut, responses=documented(404, 409))
def approve(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, pass_id: PassId) -> Response:
    """Approve a pass: from now on it counts in its time."""
    return _decide(hub, who, write, pass_id, PassState.APPROVED)


@router.post("/{pass_id}/decline", response_model=PassOut, responses=documented(404, 409))
def decline(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, pass_id: PassId) -> Response:
    """Decline a pass."""
    return _decide(hub, who, write, pass_id, PassState.DECLINED)


@router.post("/{pass_id}/end", response_model=PassOut, responses=documented(404, 409))
def end(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, pass_id: PassId) -> Response:
    """End a pass before its time."""
    return _decide(hub, who, write, pass_id, PassState.ENDED)


def _decide(hub: Services, who: Actor, write: Write, pass_id: str, to: PassState) -> Response:
    def carry_out(tx: Connection) -> tuple[int, PassOut]:
        row, now = passes.lock(tx, pass_id), hub.now()
        if row is None:
            raise not_found("pass")
        move(PassState(row["state"]), to)
        pass_desk.decide(tx, pass_id, to, who.name, now)
        values = {"state": to.value, "decided_by": who.name, "decided_at": now}
        return 200, PassOut(**{**row, **values})

    return write.run(who, b"", carry_out)
