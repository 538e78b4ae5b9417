"""The register as CSV, for the spreadsheets in which property offices keep it. Pure.

In: the bytes of a file, or rows. Out: rows, and for each row that cannot be used its number, column and
what is wrong, so that a bad row never stops the others; or the text of a file that a spreadsheet opens and
`read` reads back. UTF-8 is written; GB 18030, which spreadsheets in China save, is read too.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from hub.csv_cells import check_names, for_spreadsheets, line, plain, records, text_of
from hub.grid import format_polygon
from hub.pass_rows import PassRow
from hub.register import KINDS, Row
from wire.errors import InputError

FILES: Final[Mapping[str, type[Row]]] = MappingProxyType({**KINDS, "passes": PassRow})
"""What can be in a file: the rows of the register, and passes."""

MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row; `row` is its line in the file, `column` "" for the row as a whole."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read: good rows with their lines, and what is wrong with the others."""

    rows: tuple[tuple[int, Row], ...]
    errors: tuple[RowError, ...]


def read(kind: str, content: bytes) -> Read:
    """Read a CSV file of this kind. InputError when it is none at all."""
    model = FILES[kind]
    reader = csv.DictReader(io.StringIO(text_of(content)), strict=True)
    _check_header(model, reader.fieldnames)
    rows: list[tuple[int, Row]] = []
    errors: list[RowError] = []
    for number, cells in records(reader):
        if len(rows) + len(errors) >= MOST_ROWS:
            raise InputError(f"at most {MOST_ROWS} rows at once")
        try:
            rows.append((number, _row(model, cells)))
        except _BadRow as bad:
            errors += [RowError(number, column, message) for column, message in bad.problems]
    return Read(tuple(rows), tuple(errors))


def write(kind: str, rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file with these rows."""
    names = list(FILES[kind].model_fields)
    yield "\ufeff" + line(names)
    for row in rows:
        values = row.model_dump(mode="json")
        yield line([_cell(name, values[name]) for name in names])


class _BadRow(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def _check_header(model: type[Row], names: Any) -> None:
    known = model.model_fields
    check_names(names, known, [name for name, field in known.items() if field.is_required()])


def _row(model: type[Row], cells: Mapping[str | None, Any]) -> Row:
    if None in cells or None in cells.values():
        raise _BadRow([("", "it has another number of cells than the first line")])
    given = {
        str(name).strip(): plain(value) for name, value in cells.items() if value.strip() != ""
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _BadRow(
            [
                (str(problem["loc"][0]) if problem["loc"] else "", _message(problem))
                for problem in error.errors(include_url=False, include_input=False)
            ]
        ) from None


def _message(problem: Any) -> str:
    if problem["type"] == "missing":
        return "it is empty"
    return str(problem["msg"]).removeprefix("Value error, ")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "polygon":
        return format_polygon(value)
    if isinstance(value, list):
        return " ".join(sorted(map(str, value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return for_spreadsheets(value) if isinstance(value, str) else str(value)
