"""The real, labelled pictures that may be trained on, and which part of them is left out.

In: the material folder. Out: paths with their labels, split by a digest of the file name, so that
the split is the same on every machine and for every session.

Trained on: three quarters of ``crops_lprnet_test`` and half of ``cars_easypr``, both marked S
(Apache-2.0). Left out, and never seen by any training: the rest of those two, and all of
``crops_chenweijiang``, ``cars_ccpd_named``, ``cars_special`` and the videos.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.plates.marks import easypr_marks
from models.training.draw import Floats, Picture
from wire.plates import Plate, normalise, parse

TRAIN_SHARE = {"crops_lprnet_test": 0.75, "cars_easypr": 0.5}


@dataclass(frozen=True)
class Labelled:
    """A picture and the plate in it, as its file name says."""

    path: Path
    text: str


def read_picture(path: Path) -> Picture | None:
    """``(H, W, 3)`` BGR uint8, or None where the file is no picture."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    if data.size == 0:
        return None
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, np.uint8)


def is_train(folder: str, name: str) -> bool:
    """Whether the picture ``name`` of ``folder`` is in the training part."""
    draw = int(hashlib.sha256(f"gatehouse:{name}".encode()).hexdigest()[:8], 16) / 2**32
    return draw < TRAIN_SHARE.get(folder, 0.0)


def labelled(folder: Path) -> list[Labelled]:
    """Every picture under ``folder`` whose file name is a plate, sorted by name."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        plate = parse(path.stem)
        if plate is not None and path.suffix.lower() in (".jpg", ".png", ".jpeg"):
            found.append(Labelled(path, plate.text))
    return found


def split(folder: Path) -> tuple[list[Labelled], list[Labelled]]:
    """Training part and left-out part of ``folder``."""
    every = labelled(folder)
    train = [item for item in every if is_train(folder.name, item.path.name)]
    return train, [item for item in every if item not in train]


TRACED = Path(__file__).with_name("easypr_corners.csv")
"""The corners of the plates of the training half of ``cars_easypr``, traced by eye: tl tr br bl, px. The
boxes that EasyPR lists are upright and cut through what is aslant."""


@dataclass(frozen=True)
class Traced:
    """A picture, one plate in it, on how many rows, and its corners ``(4, 2)`` px.

    The text of a plate does not say whether it is blue or yellow: ``plate`` has EasyPR's word for it.
    """

    path: Path
    plate: Plate
    rows: int
    corners: Floats


def traced(folder: Path) -> list[Traced]:
    """The plates of :data:`TRACED` whose picture is in ``folder``, all of the training half."""
    with TRACED.open(encoding="utf-8", newline="") as table:
        _, *rows = csv.reader(table)
    listed = easypr_marks(folder)
    found = []
    for name, text, on, *numbers in rows:
        path, corners = folder / name, np.array(numbers, np.float32).reshape(4, 2)
        if not path.is_file() or not is_train(folder.name, name):
            continue
        marks = {normalise(text): mark for text, mark in listed.get(path.stem, [])}
        plate = parse(text, marks[text].colour) if text in marks else None
        if plate is not None:
            found.append(Traced(path, plate, int(on), corners))
    return found
