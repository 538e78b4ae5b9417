"""How well a face pack tells people apart, on pictures whose people are known.

In: a pack, and labelled pictures (sub-folders are the identities, or a ``labels.csv`` of ``file,identity``).
Out: a `FaceReport`. Every picture counts by its largest face. Scoring is pure; reading pictures and running
the networks is in `embed_folder`.

Terms as in ISO/IEC 19795: genuine and impostor comparisons, FMR (strangers taken for each other), FNMR (one
person not recognised), failure to acquire (no face found). With no error in n the 95 % bound is 3/n.
"""

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats
from models.faces.types import FacePack
from wire.errors import InputError

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `n`, with the upper end of its 95 % interval."""

    errors: int
    n: int

    @property
    def value(self) -> float:
        """The observed rate; 0 for nothing observed."""
        return self.errors / self.n if self.n else 0.0

    @property
    def upper(self) -> float:
        """The rule of three without an error, else Wilson's score bound (Wilson, JASA 1927)."""
        if not self.n:
            return 1.0
        if not self.errors:
            return min(1.0, 3 / self.n)
        p, n, z = self.value, self.n, _Z95
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (p + z * z / (2 * n) + spread) / (1 + z * z / n)


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embedded pictures: `embeddings` ``(N, D)``, N identities, and what could not be acquired."""

    embeddings: Floats
    identities: tuple[str, ...]
    failed: tuple[str, ...]
    detect_ms: float
    embed_ms: float


@dataclass(frozen=True, slots=True)
class FaceReport:
    """What docs/models.md shows of one pack; times are medians per picture and per face."""

    pack: str
    pack_sha256: str
    people: int
    pictures: int
    threshold: float
    genuine_mean: float
    genuine_min: float
    impostor_mean: float
    impostor_sd: float
    impostor_max: float
    auc: float
    fmr: Rate
    fnmr: Rate
    fnmr_at_fmr_1e_3: float
    failure_to_acquire: Rate
    misnamed: Rate
    detect_ms: float
    embed_ms: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the keys that issue trackers and CI know (``fnmr_at_fmr_1e-3`` …)."""
        values = asdict(self)
        values["fnmr_at_fmr_1e-3"] = values.pop("fnmr_at_fmr_1e_3")
        values["ms_per_face"] = self.detect_ms + self.embed_ms
        for name in ("fmr", "fnmr", "failure_to_acquire", "misnamed"):
            rate: Rate = getattr(self, name)
            values[name] = {
                "errors": rate.errors,
                "n": rate.n,
                "value": rate.value,
                "upper_95": rate.upper,
            }
        return values


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
    found = tuple(
        (path, path.parent.name)
        for path in sorted(folder.glob("*/*"))
        if path.suffix.lower() in _SUFFIXES
    )
    if not found:
        raise InputError(
            f"{folder}: no sub-folders with pictures (one per person) and no labels.csv"
        )
    return found


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
        largest = int(np.argmax(np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)))
        started = time.perf_counter()
        crop = pack.embedder.crop(image, found.landmarks[largest])
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


def report(pack: FacePack, data: Embedded) -> FaceReport:
    """Score `data` at the pack's own threshold and margin.

    Raises:
        InputError: fewer than two people, or nobody with two pictures.
    """
    genuine, impostor = comparisons(data)
    if not len(genuine) or not len(impostor):
        raise InputError("needs two people or more, and one of them with two pictures or more")
    return FaceReport(
        pack=pack.name,
        pack_sha256=pack.embedder.pack_sha256,
        people=len(set(data.identities)),
        pictures=len(data.identities) + len(data.failed),
        threshold=pack.threshold,
        genuine_mean=float(genuine.mean()),
        genuine_min=float(genuine.min()),
        impostor_mean=float(impostor.mean()),
        impostor_sd=float(impostor.std()),
        impostor_max=float(impostor.max()),
        auc=auc(genuine, impostor),
        fmr=Rate(int((impostor >= pack.threshold).sum()), len(impostor)),
        fnmr=Rate(int((genuine < pack.threshold).sum()), len(genuine)),
        fnmr_at_fmr_1e_3=fnmr_at(genuine, impostor, 1e-3),
        failure_to_acquire=Rate(len(data.failed), len(data.identities) + len(data.failed)),
        misnamed=not_named(data, pack.threshold, pack.margin),
        detect_ms=data.detect_ms,
        embed_ms=data.embed_ms,
    )


def comparisons(data: Embedded) -> tuple[Floats, Floats]:
    """Similarities of all pairs of one person, and of all pairs of two."""
    similarity = data.embeddings @ data.embeddings.T
    names = np.array(data.identities)
    same = names[:, None] == names[None, :]
    pair = np.triu(np.ones(same.shape, dtype=bool), 1)
    return similarity[pair & same], similarity[pair & ~same]


def auc(genuine: Floats, impostor: Floats) -> float:
    """Chance that a genuine pair is more similar than an impostor pair; ties count half."""
    order = np.sort(impostor)
    below = np.searchsorted(order, genuine, side="left")
    upto = np.searchsorted(order, genuine, side="right")
    return float((below + upto).sum() / 2 / len(genuine) / len(impostor))


def fnmr_at(genuine: Floats, impostor: Floats, fmr: float) -> float:
    """FNMR at the lowest threshold at which no more than `fmr` of the impostors match."""
    allowed = int(fmr * len(impostor))
    threshold = np.sort(impostor)[::-1][allowed]
    return float((genuine <= threshold).mean())


def not_named(data: Embedded, threshold: float, margin: float) -> Rate:
    """Pictures not given their right name when each is searched among all the others.

    A name is given when the best picture reaches `threshold` and leads the best of any other person by
    `margin`. People with one picture only are strangers: naming them is an error too.
    """
    similarity: NDArray[np.float32] = data.embeddings @ data.embeddings.T
    np.fill_diagonal(similarity, -1)
    names = np.array(data.identities)
    errors = 0
    for row, name in zip(similarity, names, strict=True):
        best = names[int(np.argmax(row))]
        lead = row.max() - row[names != best].max(initial=-1)
        given = best if row.max() >= threshold and lead >= margin else None
        expected = name if (names == name).sum() > 1 else None
        errors += given != expected
    return Rate(errors, len(names))
