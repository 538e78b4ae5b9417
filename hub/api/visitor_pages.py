"""The visitors' page, `/v/<code>` and `/v/s/<ticket>`: HTML for whoever scanned a code, without a login.

What a code or ticket does not name is not there. Bodies are small, requests few; no cookie is set, and a form
counts only if this hub has shown it, for that code, within two hours.
"""

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from hub.api.services import Hub
from hub.throttle import Throttle, network_of
from hub.visitors import form, pages
from hub.visitors.desk import Door, VisitorDesk
from hub.visitors.markup import Html
from hub.visitors.words import Words, choose
from hub.watchlist import Refused
from wire.errors import InputError, StoreError

router = APIRouter(prefix="/v", include_in_schema=False)

_HEADERS = {
    "content-security-policy": pages.csp(pages.STYLE),
    "cache-control": "no-store",
    "referrer-policy": "same-origin",  # with no-referrer a browser would send `Origin: null`
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex",
}
Lang = Annotated[str, Query(max_length=8)]


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too large, which is not read to its end."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > form.LARGEST_BYTES:
            return None
    return body


Body = Annotated[bytes | None, Depends(_body)]


def _desk(hub: Hub) -> VisitorDesk:
    if hub.visitors is None:
        raise HTTPException(404)
    return hub.visitors


Desk = Annotated[VisitorDesk, Depends(_desk)]


@router.get("/{code}")
def show_form(desk: Desk, request: Request, code: str, lang: Lang = "") -> Response:
    """The form of a unit."""
    words = _words(request, lang)

    def answer() -> Response:
        if (wait := _wait(desk, request, desk.looks)) is not None:
            return _too_often(words, wait)
        if (door := desk.door(code)) is None:
            return _bad_code(words)
        return _form(desk, door, words, form.empty(desk.now(), desk.zone))

    return _answered(words, answer)


@router.post("/{code}")
def take_form(desk: Desk, request: Request, code: str, body: Body) -> Response:
    """Take a request, then lead to its status."""
    values = _values(body)
    words = _words(request, (values or {}).get("lang", ""))

    def answer() -> Response:
        if values is None:
            return _page(pages.message_page(words, words.title, words.too_large), 413)
        if (wait := _wait(desk, request, desk.sends)) is not None:
            return _too_often(words, wait)
        if (door := desk.door(code)) is None:
            return _bad_code(words)
        if (wait := desk.unit_sends.hit(f"{door.site}:{door.unit}", desk.now())) is not None:
            return _too_often(words, wait)
        return _take(desk, request, door, values, words)

    return _answered(words, answer)


@router.get("/s/{ticket}")
def show_status(
    desk: Desk, request: Request, ticket: str, lang: Lang = "", withdrawn: bool = False
) -> Response:
    """What became of a request."""
    words = _words(request, lang)

    def answer() -> Response:
        if (wait := _wait(desk, request, desk.looks)) is not None:
            return _too_often(words, wait)
        found = desk.look(ticket)
        if found is None and withdrawn and desk.codes.read_ticket(ticket) is not None:
            return _page(pages.message_page(words, words.withdrawn_title, words.withdrawn))
        if found is None:
            return _page(pages.message_page(words, words.gone_title, words.gone), 404)
        place, shown = found
        to = f"/v/s/{ticket}/withdraw"
        return _page(pages.status_page(words, place, shown, desk.zone, to))

    return _answered(words, answer)


@router.post("/s/{ticket}/withdraw")
def withdraw(desk: Desk, request: Request, ticket: str, body: Body) -> Response:
    """Erase a request."""
    words = _words(request, (_values(body) or {}).get("lang", ""))

    def answer() -> Response:
        if (wait := _wait(desk, request, desk.sends)) is not None:
            return _too_often(words, wait)
        if _is_foreign(desk, request):
            return _page(pages.message_page(words, words.title, words.stale_form), 403)
        desk.withdraw(ticket)
        return _see(f"/v/s/{ticket}?lang={words.language}&withdrawn=true")

    return _answered(words, answer)


def _take(
    desk: VisitorDesk, request: Request, door: Door, values: dict[str, str], words: Words
) -> Response:
    now = desk.now()
    filled = form.check(values, words, desk.zone, now, ask_phone=desk.section.ask_phone)
    pass_id = desk.codes.read_form_token(values.get("token", ""), door.code, now)
    if pass_id is None or _is_foreign(desk, request):
        return _form(desk, door, words, filled, words.stale_form, 403)
    if filled.wrong:
        return _form(desk, door, words, filled, status=422)
    try:
        ticket = desk.submit(door, filled, pass_id, words.language)
    except Refused as refused:
        contact = desk.section.contact
        message = form.refusal(refused.reason, filled.kind, words, contact)
        return _form(desk, door, words, filled, message, 409)
    return _see(f"/v/s/{ticket}?lang={words.language}")


def _is_foreign(desk: VisitorDesk, request: Request) -> bool:
    """Whether another site's page made the browser send this (fetch metadata; RFC 6454)."""
    if fetched := request.headers.get("sec-fetch-site"):
        return fetched not in ("same-origin", "none")
    origin = request.headers.get("origin")
    parts = urlsplit(desk.section.base_url)
    return origin is not None and origin != f"{parts.scheme}://{parts.netloc}"


def _form(
    desk: VisitorDesk,
    door: Door,
    words: Words,
    filled: form.Filled,
    message: str = "",
    status: int = 200,
) -> Response:
    ask_phone, token = desk.section.ask_phone, desk.new_form(door)
    page = pages.form_page(words, door.place, filled, token, ask_phone=ask_phone, message=message)
    return _page(page, status)


def _values(body: bytes | None) -> dict[str, str] | None:
    try:
        return None if body is None else form.read_form(body)
    except ValueError:
        return {}


def _words(request: Request, asked: str) -> Words:
    return choose(asked, request.headers.get("accept-language", ""))


def _wait(desk: VisitorDesk, request: Request, throttle: Throttle) -> timedelta | None:
    address = request.client.host if request.client else ""
    return throttle.hit(network_of(address), desk.now())


def _too_often(words: Words, wait: timedelta) -> Response:
    text = words.too_often.format(minutes=ceil(wait / timedelta(minutes=1)))
    headers = {"retry-after": str(ceil(wait.total_seconds()))}
    return _page(pages.message_page(words, words.too_often_title, text), 429, headers)


def _bad_code(words: Words) -> Response:
    return _page(pages.message_page(words, words.bad_code_title, words.bad_code), 404)


def _answered(words: Words, answer: Callable[[], Response]) -> Response:
    """An answer that a visitor can read, even when the database has none."""
    try:
        return answer()
    except StoreError:
        return _page(pages.message_page(words, words.busy_title, words.busy), 503)
    except InputError:  # the unit was removed meanwhile
        return _bad_code(words)


def _page(page: Html, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    more = {**_HEADERS, "content-language": "zh-CN, en", "vary": "accept-language"}
    return Response(page, status, {**more, **(headers or {})}, "text/html; charset=utf-8")


def _see(path: str) -> Response:
    return Response(status_code=303, headers={**_HEADERS, "location": path})
