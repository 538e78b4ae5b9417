"""Labelled pictures of plates on disk: what each picture shows, as its folder or its name says.

In: a folder. Out: :class:`Labelled` items, sorted by path. Three ways to label are understood: a
``labels.csv`` (``file,plate,color,layers,sure``), the names of CCPD, and a file name that is the
plate, if need be with ``_1``, ``-2`` or ``(3)`` behind it.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from models.arrays import Image
from models.plates.marks import NOTHING, Mark, easypr_marks, mark_of_ccpd, mark_of_row
from wire.errors import InputError
from wire.plates import PROVINCES, normalise, parse

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
TABLE = "labels.csv"

_TAIL = re.compile(r"(?:[_(（ -]+\d+[)）]?|_[a-z0-9]+)$", re.IGNORECASE)
_CCPD = re.compile(r"^[\d.]+-[\d_]+-[\d&_]+-[\d&_]+-([\d_]+)-\d+-\d+$")
_CCPD_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
_CCPD_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
_CCPD_SERIALS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture: its ``plates`` normalised; ``unsure`` ones are read but not counted.

    ``marks`` holds what else its label says, by plate.
    """

    path: Path
    plates: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def mark(self, plate: str) -> Mark:
        """What the label says of ``plate`` besides its text."""
        return self.marks.get(plate, NOTHING)


def read_picture(path: Path) -> Image | None:
    """``(H, W, 3)`` BGR uint8, or None where the file cannot be read as a picture."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def _ccpd_text(indices: str) -> str | None:
    """The plate that the label of a CCPD name spells; None where it counts past the alphabets."""
    first, second, *rest = (int(i) for i in indices.split("_"))
    try:
        serial = "".join(_CCPD_SERIALS[i] for i in rest)
        return normalise(_CCPD_PROVINCES[first] + _CCPD_LETTERS[second] + serial)
    except IndexError:
        return None


def text_of_name(stem: str) -> str | None:
    """The plate that a file name says, or None where it says none."""
    ccpd = _CCPD.match(stem)
    if ccpd:
        return _ccpd_text(ccpd.group(1))
    names = [normalise(_TAIL.sub("", stem)), normalise(stem)]
    for text in names:
        if parse(text) is not None:
            return text
    for text in names:
        # A label that the grammar refuses is still a label: it must not drop out of the count.
        if text and text[0] in PROVINCES and 6 <= len(text) <= 9 and text[1:].isalnum():
            return text
    return None


def _from_table(folder: Path) -> list[Labelled]:
    table = folder / TABLE
    rows: dict[str, list[dict[str, str]]] = {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"file", "plate"} <= set(reader.fieldnames or ()):
            raise InputError(f"{table}: needs the columns file and plate")
        for row in reader:
            if row["file"] and row["plate"]:
                rows.setdefault(row["file"].strip(), []).append(row)
    return [
        _from_rows(folder / name, rows[name]) for name in sorted(rows) if (folder / name).is_file()
    ]


def _from_rows(path: Path, rows: list[dict[str, str]]) -> Labelled:
    plates = {normalise(row["plate"]): row for row in rows}
    sure = {text: (row.get("sure") or "yes").strip() == "yes" for text, row in plates.items()}
    return Labelled(
        path,
        tuple(text for text in plates if sure[text]),
        tuple(text for text in plates if not sure[text]),
        {text: mark_of_row(row) for text, row in plates.items()},
    )


def _from_names(folder: Path) -> list[Labelled]:
    listed = easypr_marks(folder)
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES):
        text = text_of_name(path.stem)
        if text is not None and path.is_file():
            marks = dict(listed.get(path.stem, [(text, mark_of_ccpd(path.stem))]))
            found.append(Labelled(path, (text,), (), marks))
    return found


def load_labelled(folder: Path) -> list[Labelled]:
    """Every labelled picture under ``folder``; rows of a table whose picture is not there are passed over.

    Raises:
        InputError: the folder is missing or holds no labelled picture.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    if (folder / TABLE).is_file():
        found = _from_table(folder)
        if not found:
            raise InputError(f"{folder / TABLE}: none of its pictures is in {folder}")
    else:
        found = _from_names(folder)
    if not found:
        raise InputError(f"{folder}: no picture with a plate in its name, and no {TABLE}")
    return found
