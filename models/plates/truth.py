"""Labelled pictures of plates on disk: what each picture shows, as its folder or its name says.

In: a folder. Out: :class:`Labelled` items, sorted by name. Three ways to label are understood: a
``labels.csv`` (``file,plate,color,layers,sure``), the names of CCPD, and a file name that is the
plate, if need be with ``_1``, ``-2`` or ``(3)`` behind it.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.arrays import Image
from wire.errors import InputError
from wire.plates import PROVINCES, normalise, parse

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_TAIL = re.compile(r"(?:[_(（ -]+\d+[)）]?|_[a-z0-9]+)$", re.IGNORECASE)
_CCPD = re.compile(r"^\d+-[\d_]+-[\d&_]+-[\d&_]+-([\d_]+)-\d+-\d+$")
_CCPD_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
_CCPD_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
_CCPD_SERIALS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture: its ``plates`` normalised; ``unsure`` ones are read but not counted."""

    path: Path
    plates: tuple[str, ...]
    unsure: tuple[str, ...] = ()


def read_picture(path: Path) -> Image | None:
    """``(H, W, 3)`` BGR uint8, or None where the file cannot be read as a picture."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def text_of_name(stem: str) -> str | None:
    """The plate that a file name says, or None where it says none."""
    ccpd = _CCPD.match(stem)
    if ccpd:
        first, second, *rest = (int(i) for i in ccpd.group(1).split("_"))
        serial = "".join(_CCPD_SERIALS[i] for i in rest)
        return normalise(_CCPD_PROVINCES[first] + _CCPD_LETTERS[second] + serial)
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
    plates: dict[str, list[str]] = {}
    unsure: dict[str, list[str]] = {}
    with (folder / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if "file" not in row or "plate" not in row:
                raise InputError(f"{folder / 'labels.csv'}: needs the columns file and plate")
            sure = (row.get("sure") or "yes").strip() == "yes"
            (plates if sure else unsure).setdefault(row["file"], []).append(normalise(row["plate"]))
    return [
        Labelled(folder / name, tuple(plates.get(name, ())), tuple(unsure.get(name, ())))
        for name in sorted({*plates, *unsure})
    ]


def load_labelled(folder: Path) -> list[Labelled]:
    """Every labelled picture of ``folder``.

    Raises:
        InputError: the folder is missing or holds no labelled picture.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    if (folder / "labels.csv").is_file():
        found = _from_table(folder)
    else:
        found = []
        for path in sorted(folder.iterdir()):
            text = text_of_name(path.stem) if path.suffix.lower() in PICTURES else None
            if text is not None:
                found.append(Labelled(path, (text,)))
    if not found:
        raise InputError(f"{folder}: no picture with a plate in its name, and no labels.csv")
    return found
