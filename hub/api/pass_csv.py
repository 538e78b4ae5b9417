"""Passes as CSV: the office enters many at once, decides on those that wait, and takes a copy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from hub import pass_desk, register_csv
from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Purpose, files, look_up
from hub.api.problems import documented
from hub.api.register import Csv, check_references
from hub.api.services import Hub
from hub.api.shapes import Imported, RowProblem
from hub.pass_rows import PassRow, Step, Unusable, step_of
from hub.store import passes
from hub.watchlist import Refused

router = APIRouter(prefix="/passes/all/csv", tags=["register"], responses=documented())
_READ, _WRITE = allowed(Scope.REGISTER_READ), allowed(Scope.REGISTER_WRITE)


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"description": "The file.", "content": files("text/csv")}},
)
def export_passes(hub: Hub, who: Annotated[Actor, _READ], purpose: Purpose = None) -> Response:
    """All passes, as a file that a spreadsheet opens and that can be imported again."""
    look_up(hub, who, purpose, "passes.lookup", passes="export")

    def lines() -> Iterator[str]:
        with hub.store.read() as tx:
            yield from register_csv.write("passes", passes.every(tx))

    headers = {"content-disposition": 'attachment; filename="passes.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("", response_model=Imported)
def import_passes(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    content: Csv,
    dry_run: Annotated[bool, Query(description="Only say what is wrong; store nothing.")] = False,
) -> Response:
    """Enter the passes of a CSV file, and store its decisions on those that are there already. A row that
    cannot be used is named, and stops no other."""
    found = register_csv.read("passes", content)

    def carry_out(tx: Connection) -> tuple[int, Imported]:
        desk = _Desk(tx, who.name, hub.now(), dry_run)
        problems = [RowProblem(row=e.row, column=e.column, message=e.message) for e in found.errors]
        stored = 0
        for number, row in found.rows:
            assert isinstance(row, PassRow)
            try:
                desk.take(row)
                stored += 1
            except Unusable as bad:
                problems.append(RowProblem(row=number, column=bad.column, message=str(bad)))
        problems.sort(key=lambda problem: (problem.row, problem.column))
        return 200, Imported(kind="passes", stored=stored, problems=problems)

    return write.run(who, content + str(dry_run).encode(), carry_out)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Takes rows in one transaction."""

    tx: Connection
    actor: str
    now: datetime
    dry_run: bool

    def take(self, row: PassRow) -> None:
        """Do what a row asks for. Unusable when it cannot be done."""
        if wrong := check_references(self.tx, row):
            raise Unusable(*wrong)
        kept = passes.lock(self.tx, row.id) if row.id else None
        stored = None if kept is None else passes.row_of(kept)
        step = step_of(row, stored, row.valid_until <= self.now)
        if step is Step.ADD:
            self._add(row)
        elif step is Step.MOVE and not self.dry_run:
            pass_desk.decide(self.tx, row.id, row.state, self.actor, self.now)

    def _add(self, row: PassRow) -> None:
        wanted = pass_desk.Wanted(
            row.site,
            row.unit,
            row.kind,
            row.name,
            row.plate,
            row.valid_from,
            row.valid_until,
            row.consent,
            row.phone,
        )
        granted = row.state == "approved"
        try:
            pass_desk.check(self.tx, wanted, self.now, granted=granted)
        except Refused as refused:
            column = "unit" if refused.reason == "too_many_waiting" else "valid_until"
            raise Unusable(column, str(refused)) from refused
        if not self.dry_run:
            pass_desk.add(
                self.tx, wanted, self.actor, self.now, granted=granted, pass_id=row.id or None
            )
