"""Watchlists: request, approve, remove entries. Who requests one can never approve it."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from hub import watch_requests
from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, given, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import EntryOut, EntryRequest, FaceEntryRequest, PageOf, PlateEntryRequest
from hub.audit import Act
from hub.store import audit, dispositions, watchlists
from hub.viid.dispositions import check_begun
from hub.watchlist import (
    Category,
    Entry,
    EntryState,
    ListKind,
    check_approval,
)
from wire.errors import InputError
from wire.plates import parse

router = APIRouter(prefix="/watchlists", tags=["watchlists"], responses=documented())
_READ = allowed(Scope.WATCHLISTS_READ)
_WRITE = allowed(Scope.WATCHLISTS_WRITE)
_APPROVE = allowed(Scope.WATCHLISTS_APPROVE)


class ListName(StrEnum):
    """The lists, as paths name them."""

    PLATES = "plates"
    FACES = "faces"


_KINDS = {ListName.PLATES: ListKind.PLATE, ListName.FACES: ListKind.FACE}
EntryId = Annotated[str, Path(max_length=64)]


@router.get("/{name}")
def list_entries(
    hub: Hub,
    _: Annotated[Actor, _READ],
    name: ListName,
    state: EntryState | None = None,
    category: Category | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[EntryOut]:
    """Entries of a list, newest first."""
    filters = given(state=state, category=category)
    with hub.store.read() as tx:
        page = watchlists.find_entries(tx, _KINDS[name], filters, cursor, limit)
    return page_of(EntryOut, page, (EntryOut.model_validate(entry) for entry in page.items))


@router.get("/{name}/{entry_id}", responses=documented(404))
def get_entry(hub: Hub, _: Annotated[Actor, _READ], name: ListName, entry_id: EntryId) -> EntryOut:
    """One entry."""
    with hub.store.read() as tx:
        return EntryOut.model_validate(_entry(tx, name, entry_id))


@router.post("/plates", status_code=201, responses=documented(409), response_model=EntryOut)
def request_plate(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, wanted: PlateEntryRequest
) -> Response:
    """Request that a plate be watched for. It does nothing until somebody else has approved it."""
    plate = parse(wanted.plate)
    if plate is None:
        raise InputError("plate: this is no plate that the grammar knows")

    def add(tx: Connection) -> tuple[int, EntryOut]:
        return 201, _request(hub, tx, who, ListKind.PLATE, plate.text, wanted)

    return write.run(who, wanted.model_dump_json().encode(), add)


@router.post("/faces", status_code=201, responses=documented(404, 409), response_model=EntryOut)
def request_face(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, wanted: FaceEntryRequest
) -> Response:
    """Request that a subject be watched for. It does nothing until somebody else has approved it."""

    def add(tx: Connection) -> tuple[int, EntryOut]:
        if watchlists.get_subject(tx, wanted.subject_id) is None:
            raise not_found("subject")
        if not watchlists.templates_of(tx, wanted.subject_id):
            raise Problem(409, "no_templates", "the subject's templates were erased: enrol anew")
        return 201, _request(hub, tx, who, ListKind.FACE, wanted.subject_id, wanted)

    return write.run(who, wanted.model_dump_json().encode(), add)


@router.post("/{name}/{entry_id}/approve", responses=documented(404, 409), response_model=EntryOut)
def approve(
    hub: Hub, who: Annotated[Actor, _APPROVE], write: Write, name: ListName, entry_id: EntryId
) -> Response:
    """Approve an entry that somebody else has requested; from then on it matches."""

    def carry_out(tx: Connection) -> tuple[int, EntryOut]:
        entry, now = _entry(tx, name, entry_id), hub.now()
        check_approval(entry, who.name, now)
        check_begun(dispositions.begins_at(tx, entry_id), now)
        watchlists.set_state(tx, entry, EntryState.APPROVED, approver=who.name, approved_at=now)
        audit.add(tx, Act(who.name, "entry.approved", entry_id), now)
        return 200, EntryOut.model_validate(_entry(tx, name, entry_id))

    return write.run(who, b"", carry_out)


@router.delete("/{name}/{entry_id}", responses=documented(404, 409), response_model=EntryOut)
def remove(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, name: ListName, entry_id: EntryId
) -> Response:
    """Remove an entry; the templates of a subject whom no other entry names are erased with it."""

    def carry_out(tx: Connection) -> tuple[int, EntryOut]:
        entry, now = _entry(tx, name, entry_id), hub.now()
        watch_requests.remove(tx, entry, who.name, now)
        return 200, EntryOut.model_validate(_entry(tx, name, entry_id))

    answer = write.run(who, b"", carry_out)
    hub.store.forget_erased()
    return answer


def _entry(tx: Connection, name: ListName, entry_id: str) -> Entry:
    entry = watchlists.get_entry(tx, _KINDS[name], entry_id)
    if entry is None:
        raise not_found("entry")
    return entry


def _request(
    hub: Services, tx: Connection, who: Actor, kind: ListKind, target: str, wanted: EntryRequest
) -> EntryOut:
    wish = watch_requests.Wish(
        kind=kind,
        target=target,
        label=wanted.label,
        category=wanted.category,
        basis=wanted.basis,
        reference=wanted.reference,
        expires_at=wanted.expires_at,
    )
    return EntryOut.model_validate(watch_requests.request(tx, wish, who.name, hub.now()))
