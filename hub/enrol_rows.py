"""Whom a folder wants enrolled: a CSV file with pictures beside it, or one sub-folder for each person. Pure.

In: the bytes of the CSV file and the names of the files beside it. Out: one `Person` for each row that can
be sent, one `BadRow` for each that cannot, with what to mend; and the CSV of the rows that were refused.
Reads no file.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.csv_cells import check_names, for_spreadsheets, line, plain, records, text_of
from wire.errors import InputError

MOST_PHOTOS: Final = 8
PROBLEM: Final = "problem"
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
_NEEDED: Final = ("external_id", "label")

Short = Annotated[str, Field(min_length=1, max_length=63)]
Words = Annotated[str, Field(min_length=1, max_length=400)]


class Cells(BaseModel):
    """One row. What the file leaves out can be said for all rows on the command line.

    `photos` are file names with ``;`` between them; without, they are those in the sub-folder that is called
    like the `external_id`, or the files that are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    external_id: Short
    label: Annotated[str, Field(min_length=1, max_length=120)]
    purpose: Words
    basis: Words
    reference: Words
    expires_at: str
    consent_text: Short | None = None
    consent_given_at: str | None = None
    under_14: bool = False
    guardian: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    photos: str = ""


COLUMNS: Final = tuple(Cells.model_fields)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to enrol: `fields` of the API's form, `photos` by name; `cells` as they were given."""

    row: int
    fields: Mapping[str, str]
    photos: tuple[str, ...]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be sent, and what to mend."""

    row: int
    cells: Mapping[str, str]
    problem: str


Row = Person | BadRow


def rows_of_csv(
    content: bytes, files: Collection[str], said: Mapping[str, str], zone: tzinfo
) -> list[Row]:
    """The rows of a CSV file.

    Args:
        content: the file.
        files: what lies beside it and below, as relative paths with ``/``.
        said: what holds for every row that leaves that cell empty.
        zone: of times that name none.

    Raises:
        InputError: it is no CSV, or its first line is wrong.
    """
    reader = csv.DictReader(io.StringIO(text_of(content)), strict=True)
    check_names(reader.fieldnames, (*COLUMNS, PROBLEM), _NEEDED)
    return _rows(_given(reader), files, said, zone)


def rows_of_folders(files: Collection[str], said: Mapping[str, str], zone: tzinfo) -> list[Row]:
    """One row for each sub-folder with pictures: its name is the label and the external id."""
    names = sorted({path.parts[0] for path in map(PurePosixPath, files) if len(path.parts) == 2})
    given = (_Given(n, {"external_id": name, "label": name}) for n, name in enumerate(names, 1))
    return _rows(given, files, said, zone)


def refused_csv(refused: Iterable[tuple[Mapping[str, str], str]]) -> str:
    """A CSV file of rows as they were given, each with its problem: to mend and import again."""
    rows = [line((*COLUMNS, PROBLEM))]
    for cells, problem in refused:
        row = [*(cells.get(name, "") for name in COLUMNS), problem]
        rows.append(line(for_spreadsheets(cell) for cell in row))
    return "\ufeff" + "".join(rows)


@dataclass(frozen=True, slots=True)
class _Given:
    """A row before it is looked at; not `sound` where it has too few or too many cells."""

    row: int
    cells: Mapping[str, str]
    sound: bool = True


def _given(reader: "csv.DictReader[str]") -> Iterator[_Given]:
    for number, cells in records(reader):
        texts = {str(k).strip(): plain(v) for k, v in cells.items() if k and isinstance(v, str)}
        yield _Given(number, texts, None not in cells and None not in cells.values())


def _rows(
    given: Iterable[_Given],
    files: Collection[str],
    said: Mapping[str, str],
    zone: tzinfo,
) -> list[Row]:
    rows: list[Row] = []
    first: dict[str, int] = {}
    names = frozenset(files)
    for one in given:
        row = _row(one, names, said, zone)
        if isinstance(row, Person):
            before = first.setdefault(row.fields["external_id"], row.row)
            if before != row.row:
                row = BadRow(row.row, row.cells, f"external_id: row {before} has it too")
        rows.append(row)
    return rows


def _row(given: _Given, files: frozenset[str], said: Mapping[str, str], zone: tzinfo) -> Row:
    number, cells = given.row, given.cells
    if not given.sound:
        return BadRow(number, cells, "it has another number of cells than the first line")
    filled = {name: text for name, text in cells.items() if text and name != PROBLEM}
    try:
        row = Cells.model_validate({**said, **filled})
        values = row.model_dump(mode="json", exclude={"photos"}, exclude_none=True)
        for name in ("expires_at", "consent_given_at"):
            if name in values:
                values[name] = _moment(name, values[name], zone)
        photos = _photos(row, files)
    except ValidationError as error:
        return BadRow(number, cells, "; ".join(_problems(error)))
    except InputError as error:
        return BadRow(number, cells, str(error))
    fields = {
        name: str(value).lower() if value is True else str(value) for name, value in values.items()
    }
    return Person(number, fields, photos, cells)


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        message = str(problem["msg"]).removeprefix("Value error, ")
        name = problem["loc"][0]
        yield f"{name}: {'it is empty' if problem['type'] == 'missing' else message}"


def _moment(name: str, text: str, zone: tzinfo) -> str:
    """A time with its offset; a day alone is its first moment, of an end its last."""
    try:
        moment: Any = datetime.fromisoformat(text)
        if len(text) <= len("2027-01-31") and name == "expires_at":
            moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59))
    except ValueError:
        raise InputError(
            f"{name}: {text!r} is no time: write 2027-01-31 or 2027-01-31T18:00"
        ) from None
    aware: datetime = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.isoformat()


def _photos(row: Cells, files: frozenset[str]) -> tuple[str, ...]:
    if row.photos:
        named = [
            name.strip() for name in row.photos.replace("\uff1b", ";").split(";") if name.strip()
        ]
        missing = [name for name in named if name not in files]
        if missing:
            raise InputError(f"photos: there is no file {missing[0]!r} in the folder")
    else:
        named = sorted(name for name in files if _is_of(PurePosixPath(name), row.external_id))
    if not named:
        raise InputError(
            f"photos: there is none: name the files, or put them into a sub-folder {row.external_id!r}"
        )
    if len(named) > MOST_PHOTOS:
        raise InputError(f"photos: {len(named)} are too many: at most {MOST_PHOTOS}")
    return tuple(named)


def _is_of(path: PurePosixPath, external_id: str) -> bool:
    if path.suffix.lower() not in _PICTURES:
        return False
    if len(path.parts) == 1:
        return path.stem == external_id
    return path.parts[:-1] == (external_id,)
