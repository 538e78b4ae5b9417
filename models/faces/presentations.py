"""Pictures of which it is known whether a living face was before the camera, and a judge's rates on them.

In: a folder, a face detector, a judge. Out: `LivenessReport`, in the terms of ISO/IEC 30107-3: APCER is the
share of attack presentations of one kind that are not seen as such, BPCER that of living faces that are taken
for attacks. The worst kind counts, not their mean. Reads pictures; writes nothing.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from models.faces.labelled import largest
from models.faces.liveness_types import LIVE_FROM, SPOOF_BELOW, LivenessJudge, state_of
from models.faces.rates import Rate
from models.faces.types import FaceDetector
from wire.errors import InputError

LIVE: Final = "live"
UNNAMED_ATTACK: Final = "attack"
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_TRUE_OR_FALSE: Final = re.compile(r"_([TF])\d*$")


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture; `score` is None where no face was found."""

    path: Path
    kind: str
    score: float | None


@dataclass(frozen=True, slots=True)
class LivenessReport:
    """Rates of one judge. `apcer` is per kind of attack; `no_face` counts pictures without a face found."""

    pack: str
    pack_sha256: str
    apcer: dict[str, Rate]
    bpcer: Rate
    unsure: int
    no_face: int
    pictures: tuple[Judged, ...]

    @property
    def worst(self) -> Rate | None:
        """The APCER of the kind that is seen least; None without attacks."""
        return max(self.apcer.values(), key=lambda rate: (rate.value, rate.upper), default=None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        worst = self.worst
        return {
            "pack": self.pack,
            "pack_sha256": self.pack_sha256,
            "spoof_below": SPOOF_BELOW,
            "live_from": LIVE_FROM,
            "apcer": {kind: rate.value for kind, rate in self.apcer.items()},
            "apcer_worst": None if worst is None else worst.value,
            "bpcer": self.bpcer.value if self.bpcer.n else None,
            "unsure": self.unsure,
            "no_face": self.no_face,
            "counts": {
                "apcer": {kind: [rate.errors, rate.n] for kind, rate in self.apcer.items()},
                "bpcer": [self.bpcer.errors, self.bpcer.n],
            },
            "intervals_95": {
                "apcer": {kind: list(rate.interval) for kind, rate in self.apcer.items()},
                "bpcer": list(self.bpcer.interval),
            },
            "pictures": [
                {"file": str(item.path), "kind": item.kind, "score": item.score}
                for item in self.pictures
            ],
        }


def presentations(folder: Path) -> tuple[tuple[Path, str], ...]:
    """Pictures and their kind, ``live`` or that of an attack.

    From a ``labels.csv`` of ``file,kind``; or sub-folders, ``live`` and one per kind of attack; or the end of
    file names, ``_T`` for a living face and ``_F`` for an attack, as Minivision's samples have it.

    Raises:
        InputError: the folder is labelled in none of these ways.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    table = folder / "labels.csv"
    if table.is_file():
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or not {"file", "kind"} <= set(rows[0]):
            raise InputError(f"{table}: needs the columns file and kind")
        return tuple((folder / row["file"], row["kind"]) for row in rows)
    found = [(path, path.parent.name) for path in _pictures(folder.glob("*/*"))]
    if not found:
        ends = ((path, _TRUE_OR_FALSE.search(path.stem)) for path in _pictures(folder.glob("*")))
        kinds = {"T": LIVE, "F": UNNAMED_ATTACK}
        found = [(path, kinds[end[1]]) for path, end in ends if end is not None]
    if not found:
        raise InputError(
            f"{folder}: needs a labels.csv of file,kind, sub-folders (live, and one per kind of attack),"
            " or file names that end in _T (live) and _F (attack)"
        )
    return tuple(found)


def live_pictures(folder: Path) -> tuple[tuple[Path, str], ...]:
    """All pictures in `folder` and below it, each of a living face; InputError when there is none."""
    found = tuple((path, LIVE) for path in _pictures(folder.rglob("*")))
    if not found:
        raise InputError(f"{folder}: no pictures")
    return found


def judge_pictures(
    items: Sequence[tuple[Path, str]], detector: FaceDetector, judge: LivenessJudge
) -> tuple[Judged, ...]:
    """Judge the largest face of every picture."""
    judged = []
    for path, kind in items:
        image = cv2.imread(str(path))
        score = None
        if image is not None and len(faces := detector.detect(image)):
            best = largest(faces)
            score = float(judge.score(image, faces.boxes[best : best + 1])[0])
        judged.append(Judged(path, kind, score))
    return tuple(judged)


def report_of(judged: Sequence[Judged], judge: LivenessJudge) -> LivenessReport:
    """The rates; a picture without a face counts in none of them."""
    seen = [(item.kind, state_of(item.score)) for item in judged if item.score is not None]
    attacks = sorted({kind for kind, _ in seen} - {LIVE})
    live = [state for kind, state in seen if kind == LIVE]
    apcer = {}
    for attack in attacks:
        states = [state for kind, state in seen if kind == attack]
        apcer[attack] = Rate(sum(state != "spoof" for state in states), len(states))
    return LivenessReport(
        pack=judge.pack,
        pack_sha256=judge.pack_sha256,
        apcer=apcer,
        bpcer=Rate(live.count("spoof"), len(live)),
        unsure=sum(state == "unsure" for _, state in seen),
        no_face=sum(item.score is None for item in judged),
        pictures=tuple(judged),
    )


def _pictures(paths: Iterable[Path]) -> list[Path]:
    return [path for path in sorted(paths) if path.suffix.lower() in _SUFFIXES]
