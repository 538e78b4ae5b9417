"""Live pictures of a camera, for somebody who says why: a ticket, then Motion JPEG, for a limited time.

Asking is in the audit log with its purpose, and so is watching. A browser cannot send a token with a picture,
so it is the ticket that opens the stream: random, good once, for some seconds, for one camera.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.access import Actor, Scope
from hub.api.access import allowed, record
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.audit import Act
from hub.live import Ticket
from hub.store import audit
from wire.messages import LiveFaces
from wire.topics import check_identifier

router = APIRouter(tags=["live"])

_FIRST_S: Final = 8.0
_LOOK_S: Final = 0.04
_BOUNDARY: Final = "gatehouse-live"
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Motion JPEG, until the time is up.",
        "content": {"multipart/x-mixed-replace": {}},
    }
}
Name = Annotated[str, Path(max_length=64)]


class LiveWanted(BaseModel):
    """What somebody wants to see live, and why. Whole faces want the scope `evidence:whole` too."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, Field(min_length=3, max_length=400)]
    seconds: Annotated[int, Field(ge=5, le=300)] = 60
    faces: LiveFaces = "blurred"


class LiveTicket(BaseModel):
    """Where the picture is: `path` opens once, until `opens_until`, and shows until `ends_at`."""

    path: str
    edge: str
    camera: str
    faces: LiveFaces
    opens_until: AwareDatetime
    ends_at: AwareDatetime


@router.post("/cameras/{edge}/{camera}/live", status_code=201, responses=documented(404, 409, 503))
def ask(
    hub: Hub,
    who: Annotated[Actor, allowed(Scope.LIVE_VIEW)],
    edge: Name,
    camera: Name,
    wanted: LiveWanted,
) -> LiveTicket:
    """Ask to see a camera live. The box sends a few pictures a second while somebody watches."""
    if wanted.faces == "whole" and not who.may(Scope.EVIDENCE_WHOLE):
        raise Problem(403, "forbidden", f"a {who.role} sees faces blurred")
    if edge not in hub.live.edges or not _is_identifier(camera):
        raise not_found("camera")
    lasts = timedelta(seconds=wanted.seconds)
    details = {"seconds": wanted.seconds, "faces": wanted.faces}
    record(hub, who, "live.asked", f"{edge}/{camera}", wanted.purpose.strip(), **details)
    ticket = hub.live.open(who.name, edge, camera, wanted.faces, lasts)
    if ticket == "busy":
        raise Problem(409, "busy", "too many cameras are watched live: try again in a moment")
    if ticket == "unreachable":
        raise Problem(503, "unreachable", "the hub has no connection to this site's broker")
    return LiveTicket(
        path=f"/api/v1/live/{ticket.secret}",
        edge=edge,
        camera=camera,
        faces=wanted.faces,
        opens_until=ticket.opens_until,
        ends_at=ticket.ends_at,
    )


@router.get(
    "/live/{ticket}", response_class=Response, responses={**_STREAM, **documented(409, 504)}
)
async def watch(hub: Hub, ticket: Annotated[str, Path(max_length=64)]) -> Response:
    """The picture that a ticket opens. 409 with the box's reason if it refuses, 504 if none comes."""
    opened = hub.live.enter(ticket)
    if opened is None:
        raise Problem(
            401,
            "no_token",
            "ask for a ticket first, with a token; it opens once and not for long",
            {"www-authenticate": "Bearer"},
        )
    try:
        await run_in_threadpool(_note, hub, opened)
        await _first(hub, opened)
    except BaseException:
        await run_in_threadpool(hub.live.leave, opened)
        raise
    return StreamingResponse(
        _parts(hub, opened),
        media_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        headers={"cache-control": "private, no-store"},
    )


def _note(hub: Services, opened: Ticket) -> None:
    session = opened.session
    act = Act(opened.actor, "live.watched", f"{session.edge}/{session.camera}")
    with hub.store.write() as tx:
        audit.add(tx, act, hub.now())


async def _first(hub: Services, opened: Ticket) -> None:
    """Wait for the first picture; a problem where there will be none."""
    limit = hub.now() + timedelta(seconds=_FIRST_S)
    while not opened.session.picture:
        if opened.session.refused:
            raise Problem(409, "refused", opened.session.refused)
        if hub.now() > limit or hub.stopping():
            raise Problem(504, "no_picture", "the box sent no picture: it or the camera is away")
        await asyncio.sleep(_LOOK_S)


async def _parts(hub: Services, opened: Ticket) -> AsyncIterator[bytes]:
    """Each new picture as one part, until the time is up or the viewer has gone."""
    session, shown = opened.session, 0
    try:
        while hub.now() < opened.ends_at and not hub.stopping() and not session.refused:
            if session.shown == shown:
                await asyncio.sleep(_LOOK_S)
                continue
            shown, picture = session.shown, session.picture
            yield _part(picture, hub.now())
    finally:
        hub.live.leave(opened)


def _part(jpeg: bytes, at: datetime) -> bytes:
    head = (
        f"--{_BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: {len(jpeg)}\r\n"
        f"x-shown-at: {at.isoformat()}\r\n\r\n"
    )
    return head.encode() + jpeg + b"\r\n"


def _is_identifier(name: str) -> bool:
    try:
        check_identifier(name)
    except ValueError:
        return False
    return True
