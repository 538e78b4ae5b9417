"""The real, labelled pictures that may be trained on, and which part of them is left out.

In: the material folder. Out: paths with their labels, split by a digest of the file name, so that
the split is the same on every machine and for every session.

Trained on: three quarters of ``crops_lprnet_test`` and half of ``cars_easypr``, both marked S
(Apache-2.0). Left out, and never seen by any training: the rest of those two, and all of
``crops_chenweijiang``, ``cars_ccpd_named``, ``cars_special`` and the videos.
"""

import hashlib
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.training.draw import Picture
from wire.plates import normalise, parse

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


def easypr_boxes(folder: Path) -> dict[str, list[tuple[str, tuple[int, int, int, int]]]]:
    """By picture stem: text and box (centre x, y, width, height; px) of each plate that is listed.

    The file's ``x`` and ``y`` are the centre, as its pictures show, and its rotation is not to be
    relied on.
    """
    # The file says ISO-8859-1 and holds UTF-8; trusted, from the pinned material.
    text = (folder / "GroundTruth_others.xml").read_bytes().decode("utf-8", "replace")
    tree = ElementTree.fromstring(text.split("?>", 1)[1])  # noqa: S314
    boxes: dict[str, list[tuple[str, tuple[int, int, int, int]]]] = {}
    for image in tree.iter("image"):
        name = image.findtext("imageName") or ""
        plates = []
        for rectangle in image.iter("taggedRectangle"):
            x, y, w, h = (int(rectangle.get(k, "0")) for k in ("x", "y", "width", "height"))
            plates.append((normalise((rectangle.text or "").split(":")[-1]), (x, y, w, h)))
        boxes[name] = plates
    return boxes
