"""The QR codes of units: to show, to print, and to make worthless."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import files
from hub.api.problems import Problem, documented, not_found
from hub.api.register import Key
from hub.api.services import Hub, Services
from hub.api.shapes import UnitCodeOut
from hub.audit import Act
from hub.register import Site, split_key
from hub.store import audit, register, unit_codes
from hub.visitors import qr
from hub.visitors.desk import VisitorDesk
from hub.visitors.pages import csp
from hub.visitors.sheet import STYLE, sheet
from wire.errors import InputError

router = APIRouter(prefix="/units", tags=["register"], responses=documented(404))
_READ, _WRITE = allowed(Scope.REGISTER_READ), allowed(Scope.REGISTER_WRITE)
_MOST_CARDS = 2000


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "The file.", "content": files(media_type)}}


@router.get("/all/code/sheet", response_class=Response, responses=_file("text/html"))
def print_sheet(
    hub: Hub,
    _: Annotated[Actor, _READ],
    site: Annotated[str, Query(min_length=1, max_length=63)],
    building: Annotated[str | None, Query(max_length=63)] = None,
    unit: Annotated[str | None, Query(max_length=63)] = None,
) -> Response:
    """A page to print with the codes of all units of a site, of one building, or of one unit."""
    desk = _desk(hub)
    with hub.store.read() as tx:
        place = register.get(tx, "sites", (site,))
        numbers = unit_codes.numbers(tx, site, building)
    wanted = [(name, number) for name, number in numbers if unit is None or name == unit]
    if not isinstance(place, Site) or not wanted:
        raise not_found("unit")
    if len(wanted) > _MOST_CARDS:
        raise InputError(f"at most {_MOST_CARDS} units at once: name a building")
    cards = [(name, desk.url(site, name, number)) for name, number in wanted]
    page = sheet(place.title, cards, desk.section.base_url, hub.now().astimezone(desk.zone).date())
    headers = {"content-security-policy": csp(STYLE), "cache-control": "no-store"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/{key}/code")
def get_code(hub: Hub, _: Annotated[Actor, _READ], key: Key) -> UnitCodeOut:
    """Where the present code of a unit leads."""
    site, unit, url = _url(hub, key)
    return UnitCodeOut(site=site, unit=unit, url=url)


@router.get("/{key}/code.svg", response_class=Response, responses=_file("image/svg+xml"))
def get_svg(hub: Hub, _: Annotated[Actor, _READ], key: Key) -> Response:
    """The code as a picture that prints at any size."""
    return Response(qr.svg(_url(hub, key)[2]), media_type="image/svg+xml")


@router.get("/{key}/code.png", response_class=Response, responses=_file("image/png"))
def get_png(hub: Hub, _: Annotated[Actor, _READ], key: Key) -> Response:
    """The code as a picture."""
    return Response(qr.png(_url(hub, key)[2]), media_type="image/png")


@router.post("/{key}/code/rotate", response_model=UnitCodeOut)
def rotate(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, key: Key) -> Response:
    """Give the unit a new code; all that were printed before are worthless from now on."""
    desk = _desk(hub)
    site, unit = _unit(key)

    def carry_out(tx: Connection) -> tuple[int, UnitCodeOut]:
        if not unit_codes.rotate(tx, site, unit):
            raise not_found("unit")
        audit.add(tx, Act(who.name, "unit.code_rotated", key), hub.now())
        number = unit_codes.number_of(tx, site, unit)
        assert number is not None
        return 200, UnitCodeOut(site=site, unit=unit, url=desk.url(site, unit, number))

    return write.run(who, b"", carry_out)


def _url(hub: Services, key: str) -> tuple[str, str, str]:
    desk = _desk(hub)
    site, unit = _unit(key)
    with hub.store.read() as tx:
        number = unit_codes.number_of(tx, site, unit)
    if number is None:
        raise not_found("unit")
    return site, unit, desk.url(site, unit, number)


def _unit(key: str) -> tuple[str, str]:
    parts = split_key("units", key)
    if parts is None:
        raise not_found("unit")
    return parts[0], parts[1]


def _desk(hub: Services) -> VisitorDesk:
    if hub.visitors is None:
        raise Problem(404, "no_visitors_page", "there is no [visitors] in this hub's file")
    return hub.visitors
