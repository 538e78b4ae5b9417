"""CSV as the spreadsheets of property offices write and read it. Pure.

In: the bytes of a file. Out: its text, its records with their lines, or `InputError` that says where it is
none. UTF-8 is written; GB 18030, which spreadsheets in China save, is read too.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from wire.errors import InputError

_FORMULA: Final = ("=", "+", "-", "@", "\t")


def text_of(content: bytes) -> str:
    """The text of a file. InputError when it is none."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the file is no text: save it as CSV in UTF-8")


def check_names(names: Any, known: Collection[str], needed: Iterable[str]) -> None:
    """InputError when the first line names a column that there is not, one twice, or lacks a needed one."""
    found = [name.strip() for name in names or ()]
    if unknown := [name for name in found if name not in known]:
        raise InputError(f"line 1: there is no column {unknown[0]!r}; there are {', '.join(known)}")
    if missing := [name for name in needed if name not in found]:
        raise InputError(f"line 1: the column {missing[0]!r} is missing")
    if len(set(found)) < len(found):
        raise InputError("line 1: a column is there twice")


def records(reader: "csv.DictReader[str]") -> Iterator[tuple[int, Mapping[str | None, Any]]]:
    """Each record with its line. InputError where the file is no CSV."""
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: this is no CSV: {error}") from error


def plain(value: str) -> str:
    """What a cell says, without what `for_spreadsheets` put before it."""
    value = value.strip()
    return value[1:] if value[:1] == "'" and value[1:].startswith(_FORMULA) else value


def for_spreadsheets(text: str) -> str:
    """Text as a cell that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def line(cells: Iterable[str]) -> str:
    """One line of a file."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
