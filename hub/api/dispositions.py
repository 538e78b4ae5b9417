"""Dispositions that command centres have sent: to see, and to request the entry of a person's."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, given, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub
from hub.api.shapes import DispositionOut, DispositionSubject, EntryOut, PageOf
from hub.store import dispositions, watchlists
from hub.viid.dispositions import DispositionState, Wrong

router = APIRouter(prefix="/dispositions", tags=["watchlists"], responses=documented())
_READ, _WRITE = allowed(Scope.WATCHLISTS_READ), allowed(Scope.WATCHLISTS_WRITE)
DispositionId = Annotated[str, Path(max_length=40)]


@router.get("")
def list_dispositions(
    hub: Hub,
    _: Annotated[Actor, _READ],
    state: DispositionState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[DispositionOut]:
    """Dispositions, newest first, with the entries that were requested for them. Those that are ``waiting``
    are of persons whom somebody has to enrol."""
    with hub.store.read() as tx:
        page = dispositions.find(tx, given(state=state), cursor, limit)
        items = [
            DispositionOut(**row, entries=list(dispositions.entries_of(tx, row["id"])))
            for row in page.items
        ]
    return page_of(DispositionOut, page, items)


@router.post(
    "/{disposition_id}/subject",
    status_code=201,
    response_model=EntryOut,
    responses=documented(404, 409),
)
def request_person(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    disposition_id: DispositionId,
    wanted: DispositionSubject,
) -> Response:
    """Request the entry of a person's disposition, for a subject who was enrolled for it. It does nothing
    until somebody else has approved it."""
    if hub.viid is None:
        raise not_found("disposition")
    desk = hub.viid.dispositions

    def carry_out(tx: Connection) -> tuple[int, EntryOut]:
        if dispositions.lock(tx, disposition_id) is None:
            raise not_found("disposition")
        if watchlists.get_subject(tx, wanted.subject_id) is None:
            raise not_found("subject")
        if not watchlists.templates_of(tx, wanted.subject_id):
            raise Problem(409, "no_templates", "the subject's templates were erased: enrol anew")
        try:
            entry = desk.request_person(tx, disposition_id, wanted.subject_id, who.name)
        except Wrong as wrong:
            raise Problem(409, "illegal_move", str(wrong)) from wrong
        return 201, EntryOut.model_validate(entry)

    return write.run(who, wanted.model_dump_json().encode(), carry_out)
