from datetime import date

import pytest

from hub.register import KINDS, Person, Shift, Unit, Vehicle, references
from hub.register_csv import RowError, read, write
from tests.unit.hub.kit import at
from wire.errors import InputError

UNITS = "site,id,building,occupancy\n"


def lines(kind: str, rows) -> str:
    return "".join(write(kind, rows))


def test_a_bad_row_is_named_and_stops_no_other() -> None:
    text = "site,plate,valid_until\nrose,京A12345,\nrose,ABC,\nrose,京A12346,tomorrow\n,京A12347,\n"
    found = read("vehicles", text.encode())
    assert [(number, row.plate) for number, row in found.rows] == [(2, "京A12345")]
    assert [(error.row, error.column) for error in found.errors] == [
        (3, "plate"),
        (4, "valid_until"),
        (5, "site"),
    ]
    assert found.errors[0].message == "this is no plate that the grammar knows"
    assert found.errors[2] == RowError(5, "site", "it is empty")


def test_a_row_as_a_whole_can_be_wrong() -> None:
    text = "id,site,unit,name,consent_reference,lives_alone,welfare_since,welfare_hours\n"
    row = "w,rose,1-101,Wang,c-1,no,2026-11-01T00:00:00+08:00,24\n"
    (error,) = read("residents", (text + row).encode()).errors
    assert (error.row, error.column) == (2, "")
    assert "for those who live alone" in error.message
    (short,) = read("units", (UNITS + "rose,1-101\n").encode()).errors
    assert short.message == "it has another number of cells than the first line"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "'site' is missing"),
        ("site,id,colour\n", "no column 'colour'"),
        ("site\n", "'id' is missing"),
        ("site,id,id\n", "there twice"),
        ('site,id\n"rose,1', "this is no CSV"),
    ],
)
def test_what_is_no_such_file(text: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        read("units", text.encode())


def test_no_rows_are_no_problem() -> None:
    assert read("units", UNITS.encode()).rows == ()
    assert lines("units", []).endswith("site,id,building,title,occupancy\r\n")


def test_what_a_spreadsheet_in_china_saves_is_read() -> None:
    found = read("units", (UNITS + "rose,3栋1502,,vacant\n").encode("gb18030"))
    assert found.rows[0][1] == Unit(site="rose", id="3栋1502", occupancy="vacant")
    with pytest.raises(InputError, match="no text"):
        read("units", b"\xff\xd8\xff\xe0 a picture")


ROWS = {
    "people": Person(id="li", name="李军", role="网格长", level="grid", cells=("c1", "c2"), phone="+86 571"),
    "shifts": Shift(
        id="n1", person="li", days=("mon", "fri"), since="22:00", until="06:00", last_day=date(2026, 12, 31)
    ),
    "vehicles": Vehicle(site="rose", plate="京A12345", unit="1-101", valid_until=at(86400)),
    "units": Unit(site="rose", id="1-101", title="=HYPERLINK(1)"),
    "cells": KINDS["cells"](id="c1", title="一格", polygon="120 29; 121 29; 121 30"),
    "residents": KINDS["residents"](
        id="w", site="rose", unit="1-101", name="Wang, the older", consent_reference="c-1", lives_alone=True,
        welfare_since=at(0), welfare_hours=36,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_what_was_written_is_read_back(kind: str) -> None:
    found = read(kind, lines(kind, [ROWS[kind]]).encode())
    assert found.errors == ()
    assert [row for _, row in found.rows] == [ROWS[kind]]


def test_a_cell_is_never_a_formula() -> None:
    text = lines("units", [ROWS["units"]])
    assert "'=HYPERLINK(1)" in text
    assert ",=" not in text


def test_what_rows_refer_to() -> None:
    assert [(r.column, r.kind, r.key) for r in references(ROWS["people"])] == [
        ("cells", "cells", ("c1",)),
        ("cells", "cells", ("c2",)),
    ]
    assert [(r.kind, r.key) for r in references(ROWS["vehicles"])] == [
        ("sites", ("rose",)),
        ("units", ("rose", "1-101")),
    ]


def test_every_kind_comes_after_those_that_it_refers_to() -> None:
    seen: set[str] = set()
    for kind, model in KINDS.items():
        assert set(model.REFERS.values()) <= seen, kind
        assert set(model.REFERS) <= set(model.model_fields)
        seen.add(kind)
