"""Pictures whose people are known, and their embeddings: what packs are measured on.

In: a folder and a pack. Its sub-folders are the identities, or it has a ``labels.csv`` of ``file,identity``;
without either, the pictures in it are named after their person, with or without a number. Out: `Embedded`.
Every picture counts by its largest face; one without a face, or that cannot be read, is a failure to acquire.
Reads pictures; writes nothing.
"""

import csv
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.arrays import Floats
from models.faces.types import FaceDetections, FacePack
from wire.errors import InputError

_NUMBER: Final = re.compile(r"(?<=.)[ _.-]+\d+$")  # Ross_2 is Ross, img2 is img2
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embedded pictures: `embeddings` ``(N, D)``, N identities, and what could not be acquired.

    Times are medians, in ms: of detection per picture, of crop and embedding per face.
    """

    embeddings: Floats
    identities: tuple[str, ...]
    failed: tuple[str, ...] = ()
    detect_ms: float = 0.0
    embed_ms: float = 0.0


def labelled_faces(folder: Path) -> tuple[tuple[Path, str], ...]:
    """Pictures and who is on them; InputError when `folder` is not labelled."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    table = folder / "labels.csv"
    if table.is_file():
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or not {"file", "identity"} <= set(rows[0]):
            raise InputError(f"{table}: needs the columns file and identity")
        return tuple((folder / row["file"], row["identity"]) for row in rows)
    found = [(path, path.parent.name) for path in _pictures(folder, "*/*")]
    found = found or [(path, _NUMBER.sub("", path.stem)) for path in _pictures(folder, "*")]
    if not found:
        raise InputError(
            f"{folder}: no sub-folders with pictures (one per person), no labels.csv, no pictures"
        )
    return tuple(found)


def _pictures(folder: Path, pattern: str) -> list[Path]:
    return [path for path in sorted(folder.glob(pattern)) if path.suffix.lower() in _SUFFIXES]


def embed_folder(pack: FacePack, items: Sequence[tuple[Path, str]]) -> Embedded:
    """Embed the largest face of every picture."""
    rows: list[Floats] = []
    identities, failed = [], []
    detect_s, embed_s = [], []
    for path, identity in items:
        image = cv2.imread(str(path))
        if image is None:
            failed.append(str(path))
            continue
        started = time.perf_counter()
        found = pack.detector.detect(image)
        detect_s.append(time.perf_counter() - started)
        if not len(found):
            failed.append(str(path))
            continue
        started = time.perf_counter()
        crop = pack.embedder.crop(image, found.landmarks[largest(found)])
        rows.append(pack.embedder.embed([crop]))
        embed_s.append(time.perf_counter() - started)
        identities.append(identity)
    return Embedded(
        np.concatenate(rows) if rows else np.zeros((0, pack.embedder.dimension), np.float32),
        tuple(identities),
        tuple(failed),
        1000 * float(np.median(detect_s)) if detect_s else 0.0,
        1000 * float(np.median(embed_s)) if embed_s else 0.0,
    )


def largest(found: FaceDetections) -> int:
    """Index of the face with the largest box; there must be one."""
    return int(np.argmax(np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)))
