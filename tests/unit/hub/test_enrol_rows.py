"""Whom a folder wants enrolled."""

import csv
import io
from datetime import timedelta, timezone

import pytest

from hub.enrol_rows import BadRow, Person, refused_csv, rows_of_csv, rows_of_folders
from wire.errors import InputError

ZONE = timezone(timedelta(hours=8))
SAID = {"purpose": "residents", "basis": "consent", "reference": "7", "expires_at": "2027-01-31"}


def rows(text: str, *files: str, **said: str) -> list[Person | BadRow]:
    return rows_of_csv(text.encode(), files, {**SAID, **said}, ZONE)


def only(text: str, *files: str, **said: str) -> Person:
    (row,) = rows(text, *files, **said)
    assert isinstance(row, Person), row
    return row


def problem(text: str, *files: str) -> str:
    (row,) = rows(text, *files)
    assert isinstance(row, BadRow), row
    return row.problem


def test_a_row_says_itself_what_the_command_line_says_for_the_others() -> None:
    text = "external_id,label,purpose,under_14,guardian,photos\nr-1,Wang,visits,yes,Wang Wu,a.jpg;b.png\n"
    row = only(text, "a.jpg", "b.png", consent_text="2026-03")
    assert row.row == 2
    assert row.fields == {
        "external_id": "r-1", "label": "Wang", "purpose": "visits", "basis": "consent",
        "reference": "7", "expires_at": "2027-01-31T23:59:59+08:00", "consent_text": "2026-03",
        "under_14": "true", "guardian": "Wang Wu",
    }  # fmt: skip
    assert row.photos == ("a.jpg", "b.png")


def test_photos_that_are_not_named_are_those_that_are_called_like_the_person() -> None:
    files = ("r-1/2.jpg", "r-1/1.PNG", "r-1.webp", "r-1/notes.txt", "r-2/1.jpg", "r-1/x/deep.jpg")
    assert only("external_id,label\nr-1,Wang\n", *files).photos == (
        "r-1.webp", "r-1/1.PNG", "r-1/2.jpg",
    )  # fmt: skip


def test_a_sub_folder_is_a_person() -> None:
    found = rows_of_folders(("li/1.jpg", "王小明/a.jpg", "王小明/b.jpg", "loose.jpg"), SAID, ZONE)
    assert [(row.cells["label"], row.photos) for row in found if isinstance(row, Person)] == [
        ("li", ("li/1.jpg",)), ("王小明", ("王小明/a.jpg", "王小明/b.jpg")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("external_id,label\nr-1,\n", "label: it is empty"),
        ("external_id,label\n,Wang\n", "external_id: it is empty"),
        ("external_id,label\nr-1,Wang\n", "photos: there is none"),
        ("external_id,label,photos\nr-1,Wang,../../secret.jpg\n", "no file '../../secret.jpg'"),
        ("external_id,label,photos\nr-1,Wang,a.jpg;c.jpg\n", "no file 'c.jpg'"),
        ("external_id,label,photos\nr-1,Wang\n", "another number of cells"),
        ("external_id,label,expires_at\nr-1,Wang,soon\n", "expires_at: 'soon' is no time"),
        ("external_id,label,under_14\nr-1,Wang,perhaps\n", "under_14:"),
    ],
)
def test_a_row_that_cannot_be_sent_says_what_to_mend(text: str, said: str) -> None:
    assert said in problem(text, "a.jpg")


def test_more_photos_than_the_hub_takes_are_refused_before_any_is_sent() -> None:
    files = [f"r-1/{n}.jpg" for n in range(9)]
    assert "9 are too many: at most 8" in problem("external_id,label\nr-1,Wang\n", *files)


def test_an_id_is_one_persons() -> None:
    first, second = rows("external_id,label\nr-1,Wang\nr-1,Li\n", "r-1.jpg")
    assert isinstance(first, Person)
    assert isinstance(second, BadRow)
    assert second.problem == "external_id: row 2 has it too"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("external_id\nr-1\n", "the column 'label' is missing"),
        ("external_id,label,age\nr-1,Wang,44\n", "there is no column 'age'"),
        ("external_id,label,label\nr-1,a,b\n", "a column is there twice"),
        ('external_id,label\n"r-1,Wang\n', "this is no CSV"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows(text)


def test_what_was_refused_can_be_mended_and_read_again() -> None:
    (bad,) = rows("external_id,label,purpose\nr-1,=Wang,\n")
    assert isinstance(bad, BadRow)
    text = refused_csv([(bad.cells, bad.problem)])
    (cells,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (cells["label"], cells["purpose"]) == (
        "'=Wang",
        "",
    )  # what all rows share is not written into it
    assert cells["problem"].startswith("photos: there is none")
    assert only(text, "r-1.jpg").fields["label"] == "=Wang"
