"""The register: read, put and remove rows, and whole kinds of them as CSV.

Rows about persons and plates are shown to nobody who does not say why; each look goes into the audit log.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from hub import register_csv
from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import BINARY, Cursor, Limit, Name, Purpose, files, given, look_up, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import Imported, PageOf, Removed, RowProblem
from hub.audit import Act
from hub.register import KINDS, Row, join_key, key_of, references, split_key
from hub.store import audit, register
from wire.errors import InputError

router = APIRouter(prefix="/register", tags=["register"], responses=documented())
_READ, _WRITE = allowed(Scope.REGISTER_READ), allowed(Scope.REGISTER_WRITE)
_LARGEST_CSV_BYTES = 16 << 20

Key = Annotated[
    str, Path(max_length=130, description="The key; where it has a site too, `site:id`.")
]
Csv = Annotated[
    bytes, Body(media_type="text/csv", max_length=_LARGEST_CSV_BYTES, json_schema_extra=BINARY)
]


def _see(hub: Services, who: Actor, kind: str, purpose: str | None, what: str) -> None:
    """Rows about persons and plates: say why, and be written down."""
    if KINDS[kind].PERSONAL:
        look_up(hub, who, purpose, "register.lookup", **{kind: what})


def check_references(tx: Connection, row: Row) -> tuple[str, str] | None:
    """The first column that names a row which is not there, and what is wrong with it."""
    for reference in references(row):
        if not register.is_there(tx, reference):
            name = join_key(reference.key)
            return reference.column, f"{reference.kind} has no {name!r}"
    return None


def _add_rows(kind: str, model: type[Row]) -> None:
    """The routes of one kind. Each is typed by the kind's own row."""
    label = kind.replace("_", " ")

    def find(
        hub: Hub,
        who: Annotated[Actor, _READ],
        site: Name = None,
        unit: Name = None,
        purpose: Purpose = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Any:
        filters = {k: v for k, v in given(site=site, unit=unit).items() if k in model.model_fields}
        shown = " ".join(filters.values())
        _see(hub, who, kind, purpose, f"list {shown}".strip())
        with hub.store.read() as tx:
            page = register.find(tx, kind, filters, cursor, limit)
        return page_of(model, page, page.items)

    def get(hub: Hub, who: Annotated[Actor, _READ], key: Key, purpose: Purpose = None) -> Any:
        parts = split_key(kind, key)
        _see(hub, who, kind, purpose, key)
        with hub.store.read() as tx:
            row = register.get(tx, kind, parts) if parts else None
        if row is None:
            raise not_found("row")
        return row

    def put(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, row: Row) -> Response:
        def carry_out(tx: Connection) -> tuple[int, Row]:
            wrong = check_references(tx, row)
            if wrong is not None:
                raise InputError(f"{wrong[0]}: {wrong[1]}")
            register.put(tx, kind, [row])
            details = {"kind": kind}
            act = Act(who.name, "register.put", join_key(key_of(row)), details=details)
            audit.add(tx, act, hub.now())
            return 200, row

        return write.run(who, row.model_dump_json().encode(), carry_out)

    put.__annotations__["row"] = model
    page = PageOf[model]  # type: ignore[valid-type]
    router.get(f"/{kind}", response_model=page, name=f"list {label}")(find)
    router.get(f"/{kind}/{{key}}", response_model=model, responses=documented(404),
               name=f"get one of the {label}")(get)  # fmt: skip
    router.put(f"/{kind}", response_model=model, name=f"put one of the {label}")(put)
    router.delete(f"/{kind}/{{key}}", response_model=Removed, responses=documented(404, 409),
                  name=f"remove one of the {label}")(_remover(kind))  # fmt: skip


def _remover(kind: str) -> Callable[..., Response]:
    def remove(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, key: Key) -> Response:
        parts = split_key(kind, key)

        def carry_out(tx: Connection) -> tuple[int, Removed]:
            if parts is None:
                raise not_found("row")
            if other := register.named_by(tx, kind, parts):
                raise Problem(409, "in_use", f"{other} still name it: change those first")
            if not register.remove(tx, kind, parts):
                raise not_found("row")
            act = Act(who.name, "register.removed", key, details={"kind": kind})
            audit.add(tx, act, hub.now())
            return 200, Removed(kind=kind, key=key)

        answer = write.run(who, b"", carry_out)
        hub.store.forget_erased()
        return answer

    return remove


for _kind, _model in KINDS.items():
    _add_rows(_kind, _model)


KindName = Annotated[str, Path(pattern=f"^({'|'.join(KINDS)})$")]


@router.get(
    "/{kind}/all/csv",
    response_class=StreamingResponse,
    responses={200: {"description": "The file.", "content": files("text/csv")}},
)
def export_csv(
    hub: Hub, who: Annotated[Actor, _READ], kind: KindName, purpose: Purpose = None
) -> Response:
    """All rows of a kind, as a file that a spreadsheet opens and that can be imported again."""
    _see(hub, who, kind, purpose, "export")

    def lines() -> Iterator[str]:
        with hub.store.read() as tx:
            yield from register_csv.write(kind, register.every(tx, kind))

    headers = {"content-disposition": f'attachment; filename="{kind}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/{kind}/all/csv", response_model=Imported)
def import_csv(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    kind: KindName,
    content: Csv,
    dry_run: Annotated[bool, Query(description="Only say what is wrong; store nothing.")] = False,
) -> Response:
    """Store the rows of a CSV file. A row that cannot be used is named, and stops no other."""
    found = register_csv.read(kind, content)

    def carry_out(tx: Connection) -> tuple[int, Imported]:
        problems = [RowProblem(row=e.row, column=e.column, message=e.message) for e in found.errors]
        stored = 0
        for number, row in found.rows:
            wrong = check_references(tx, row)
            if wrong is not None:
                problems.append(RowProblem(row=number, column=wrong[0], message=wrong[1]))
                continue
            stored += 1
            if not dry_run:
                register.put(tx, kind, [row])
        problems.sort(key=lambda problem: (problem.row, problem.column))
        if not dry_run:
            act = Act(who.name, "register.imported", kind, details={"rows": stored})
            audit.add(tx, act, hub.now())
        return 200, Imported(kind=kind, stored=stored, problems=problems)

    return write.run(who, content + str(dry_run).encode(), carry_out)
