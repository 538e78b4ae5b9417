"""``/VIID/…``: where command centres send their dispositions to this hub (GA/T 1400).

A peer registers with Digest under its `User-Identify`, keeps its session alive, and sends, changes or
withdraws dispositions; each item gets a StatusCode of its own. Nothing of this is there without ``[viid]``
in the hub's file, and nothing that a peer sends matches before a person here has approved it.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from hub.api.services import Hub
from hub.viid.desk import ViidDesk
from hub.viid.dispositions import INVALID, JSON_CONTENT, JSON_FORMAT, Wrong, read_list, read_object
from hub.viid.ids import write_time
from hub.viid.peers import Peer
from hub.viid.replies import OK, Status

router = APIRouter(prefix="/VIID", include_in_schema=False)

MEDIA_TYPE = "application/VIID+JSON;charset=UTF-8"
LARGEST_BYTES = 4 << 20
_TYPES = ("application/viid+json", "application/json")


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too large, which is not read to its end."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BYTES:
            return None
    return bytes(body)


Body = Annotated[bytes | None, Depends(_body)]


def _desk(hub: Hub) -> ViidDesk:
    if hub.viid is None:
        raise HTTPException(404)
    return hub.viid


Desk = Annotated[ViidDesk, Depends(_desk)]


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@router.post("/System/Register")
def register(desk: Desk, request: Request, body: Body) -> Response:
    """Begin a session, once the peer has proven who it is."""

    def carry_out() -> Response:
        peer = _proven(desk, request)
        _check_name(peer, _sent(request, body), "RegisterObject")
        desk.sessions.begin(peer.device_id, _address(request), desk.now())
        return _one(request, desk.now(), OK, "OK")

    return _answered(request, desk, carry_out)


@router.post("/System/Keepalive")
def keep_alive(desk: Desk, request: Request, body: Body) -> Response:
    """Go on with a session."""

    def carry_out() -> Response:
        _check_name(_known(desk, request), _sent(request, body), "KeepaliveObject")
        return _one(request, desk.now(), OK, "OK")

    return _answered(request, desk, carry_out)


@router.post("/System/UnRegister")
def unregister(desk: Desk, request: Request, body: Body) -> Response:
    """End a session."""

    def carry_out() -> Response:
        peer = _known(desk, request)
        _check_name(peer, _sent(request, body), "UnRegisterObject")
        desk.sessions.end(peer.device_id)
        return _one(request, desk.now(), OK, "OK")

    return _answered(request, desk, carry_out)


@router.get("/System/Time")
def tell_time(desk: Desk, request: Request) -> Response:
    """The hub's clock."""

    def carry_out() -> Response:
        _known(desk, request)
        clock = {
            "VIIDServerID": desk.section.device_id,
            "TimeMode": "1",
            "LocalTime": write_time(desk.now()),
            "TimeZone": "Asia/Shanghai",
        }
        return _json({"SystemTimeObject": clock})

    return _answered(request, desk, carry_out)


@router.post("/Dispositions")
@router.put("/Dispositions")
def take(desk: Desk, request: Request, body: Body) -> Response:
    """Take dispositions, new ones and changes of known ones; each item is answered."""

    def carry_out() -> Response:
        peer = _known(desk, request)
        items = read_list(_sent(request, body))
        return _list(request, desk, desk.dispositions.take(peer, items))

    return _answered(request, desk, carry_out)


@router.delete("/Dispositions")
def withdraw(
    desk: Desk,
    request: Request,
    ids: Annotated[str, Query(alias="IDList", max_length=34 * 200)] = "",
) -> Response:
    """Withdraw the dispositions of `IDList`."""

    def carry_out() -> Response:
        peer = _known(desk, request)
        names = [name.strip() for name in ids.split(",") if name.strip()]
        if not names:
            raise Wrong(JSON_CONTENT, "IDList: it names nothing")
        return _list(request, desk, desk.dispositions.withdraw(peer, names))

    return _answered(request, desk, carry_out)


@router.delete("/Dispositions/{disposition_id}")
def withdraw_one(desk: Desk, request: Request, disposition_id: str) -> Response:
    """Withdraw one disposition."""

    def carry_out() -> Response:
        peer = _known(desk, request)
        return _list(request, desk, desk.dispositions.withdraw(peer, [disposition_id]))

    return _answered(request, desk, carry_out)


def _answered(request: Request, desk: ViidDesk, carry_out: Callable[[], Response]) -> Response:
    try:
        return carry_out()
    except _Refused as refused:
        return refused.response
    except Wrong as wrong:
        return _one(request, desk.now(), wrong.code, str(wrong), 400)


def _known(desk: ViidDesk, request: Request) -> Peer:
    """The peer within whose session this request is, or which proves itself with it."""
    if request.headers.get("authorization") or desk.section.digest == "always":
        return _proven(desk, request)
    peer = desk.peer(request.headers.get("user-identify", ""))
    if peer is None or not desk.sessions.is_live(peer.device_id, _address(request), desk.now()):
        raise _Refused(_challenge(desk, request))
    return peer


def _proven(desk: ViidDesk, request: Request) -> Peer:
    """The peer that has proven to know its password."""
    now, header = desk.now(), request.headers.get("authorization", "")
    if not header:
        raise _Refused(_challenge(desk, request))
    if desk.is_blocked(_address(request), now):
        raise _Refused(_one(request, now, INVALID, "too many wrong passwords: wait", 429))
    peer = desk.peer(request.headers.get("user-identify", ""))
    user = desk.gate.user(header, request.method, _target(request), desk.passwords, now)
    if peer is None or user != peer.username:
        desk.failed(_address(request), now)
        raise _Refused(_challenge(desk, request))
    return peer


def _challenge(desk: ViidDesk, request: Request) -> Response:
    answer = _one(request, desk.now(), INVALID, "register first", 401)
    answer.headers["www-authenticate"] = desk.gate.challenge(desk.now())
    return answer


def _check_name(peer: Peer, body: bytes, envelope: str) -> None:
    if read_object(body, envelope).get("DeviceID") != peer.device_id:
        raise Wrong(JSON_CONTENT, f"{envelope}.DeviceID is not the User-Identify")


def _sent(request: Request, body: bytes | None) -> bytes:
    kind = request.headers.get("content-type", "").replace(" ", "").lower()
    if not kind.startswith(_TYPES):
        raise Wrong(JSON_FORMAT, "the content type must be application/VIID+JSON")
    if body is None:
        raise Wrong(JSON_CONTENT, f"at most {LARGEST_BYTES >> 20} MiB at once")
    return body


def _target(request: Request) -> str:
    query = request.url.query
    path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace")
    return f"{path}?{query}" if query else str(path)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _status(path: str, now: datetime, status: Status) -> dict[str, Any]:
    return {
        "Id": status.id,
        "RequestURL": path,
        "StatusCode": status.code,
        "StatusString": status.text,
        "LocalTime": write_time(now),
    }


def _list(request: Request, desk: ViidDesk, statuses: Sequence[Status]) -> Response:
    return _json(_statuses(request.url.path, desk.now(), statuses))


def _statuses(path: str, now: datetime, statuses: Iterable[Status]) -> dict[str, Any]:
    items = [_status(path, now, status) for status in statuses]
    return {"ResponseStatusListObject": {"ResponseStatusObject": items}}


def _one(request: Request, now: datetime, code: int, text: str, http: int = 200) -> Response:
    status = _status(request.url.path, now, Status(code, text))
    return _json({"ResponseStatusObject": status}, http)


def _json(value: Any, status: int = 200) -> Response:
    content = json.dumps(value, ensure_ascii=False).encode()
    return Response(content, status, media_type=MEDIA_TYPE)
