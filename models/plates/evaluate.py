"""How well plates are read: exact match, wrong reads at the threshold, calibration, confusions.

In: what was read of each labelled plate. Out: a :class:`Score`, ready for JSON. The scoring is pure;
:func:`read_folder` runs a reader over a folder.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.arrays import Floats, Image
from models.boxes import overlap
from models.plates.marks import Box
from models.plates.recogniser import PlateRecogniser
from models.plates.truth import PICTURES, Labelled, load_labelled, read_picture
from models.plates.types import PlateReading
from wire.plates import PROVINCES, parse

BINS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """One labelled plate and what was read: ``text`` is ``""`` where nothing was.

    ``ms`` is processor time, summed over threads: what a plate costs one core, whatever else the
    machine is doing; ``search_ms`` the same for finding the plates of its picture, 0 for a crop. The
    rest is None where the label does not say it, or nothing was read: whether type, colour and rows
    came out right, and whether a detection lies on the plate. ``corners`` (4, 2) px are of what was read in
    a photograph.
    """

    path: Path
    truth: str
    text: str
    confidence: float
    ms: float
    note: str = ""
    search_ms: float = 0.0
    type_right: bool | None = None
    colour_right: bool | None = None
    rows_right: bool | None = None
    found: bool | None = None
    corners: Floats | None = None

    @property
    def exact(self) -> bool:
        """Whether every character is right and none is missing."""
        return self.text == self.truth

    @property
    def exact_without_province(self) -> bool:
        """The same, province characters apart."""
        return _bare(self.text) == _bare(self.truth)


def _bare(text: str) -> str:
    return "".join(c for c in text if c not in PROVINCES)


@dataclass(frozen=True)
class Score:
    """The figures of one set; counts unless the name says otherwise. ``ece`` is 0 to 1."""

    n: int
    exact: int
    exact_without_province: int
    wrong_at_threshold: int
    refused_at_threshold: int
    threshold: float
    ece: float
    ms_per_plate: float
    ms_per_plate_p95: float
    by_type: dict[str, tuple[int, int]]
    by_province: dict[str, tuple[int, int]]
    confusions: dict[str, int]
    ms_per_picture: float = 0.0
    types: tuple[int, int] = (0, 0)
    colours: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    found: tuple[int, int] = (0, 0)
    misread: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values; rates beside the counts that they come from."""
        count = max(1, self.n)
        return {
            "n": self.n,
            "exact": self.exact,
            "exact_rate": self.exact / count,
            "exact_without_province": self.exact_without_province,
            "exact_without_province_rate": self.exact_without_province / count,
            "wrong_at_threshold": self.wrong_at_threshold,
            "wrong_at_threshold_rate": self.wrong_at_threshold / count,
            "refused_at_threshold": self.refused_at_threshold,
            "threshold": self.threshold,
            "ece": self.ece,
            "ms_per_plate": self.ms_per_plate,
            "ms_per_plate_p95": self.ms_per_plate_p95,
            "ms_per_picture": self.ms_per_picture,
            "type": _counts("right", self.types),
            "colour": _counts("right", self.colours),
            "rows": _counts("right", self.rows),
            "found_at_iou_0.5": _counts("found", self.found),
            "by_type": {k: _counts("exact", v) for k, v in self.by_type.items()},
            "by_province": {k: _counts("exact", v) for k, v in self.by_province.items()},
            "confusions": self.confusions,
            "misread": self.misread,
        }


def _counts(name: str, pair: tuple[int, int]) -> dict[str, int]:
    return {"n": pair[0], name: pair[1]}


def _share(verdicts: Iterable[bool | None]) -> tuple[int, int]:
    """How many verdicts there are, and how many of them are good."""
    known = [verdict for verdict in verdicts if verdict is not None]
    return len(known), sum(known)


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error, 0 to 1, over ten bins of equal width (arXiv 1706.04599)."""
    if not confidences:
        return 0.0
    values, hits = np.asarray(confidences), np.asarray(right, float)
    bins = np.minimum((values * BINS).astype(int), BINS - 1)
    total = 0.0
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            total += inside.mean() * abs(hits[inside].mean() - values[inside].mean())
    return float(total)


def _tally(outcomes: Sequence[Outcome], key: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        name = key(outcome.truth)
        n, exact = counts.get(name, (0, 0))
        counts[name] = (n + 1, exact + outcome.exact)
    return dict(sorted(counts.items(), key=lambda item: -item[1][0]))


def type_of(text: str) -> str:
    """The series of a labelled plate, or ``"none"`` where the grammar has no such plate."""
    plate = parse(text)
    return "none" if plate is None else plate.type.value


def score(outcomes: Sequence[Outcome], threshold: float) -> Score:
    """The figures of ``outcomes``; a reading counts as acted on from ``threshold`` up."""
    confusions: Counter[str] = Counter()
    for o in outcomes:
        if len(o.text) == len(o.truth):
            confusions.update(f"{a}->{b}" for a, b in zip(o.truth, o.text, strict=True) if a != b)
    sure = [o for o in outcomes if o.text and o.confidence >= threshold]
    read = [o for o in outcomes if o.text]
    times = [o.ms for o in outcomes if o.ms > 0] or [0.0]
    wrong = sorted((o for o in outcomes if not o.exact), key=lambda o: -o.confidence)
    return Score(
        n=len(outcomes),
        exact=sum(o.exact for o in outcomes),
        exact_without_province=sum(o.exact_without_province for o in outcomes),
        wrong_at_threshold=sum(not o.exact for o in sure),
        refused_at_threshold=len(outcomes) - len(sure),
        threshold=threshold,
        ece=calibration_error([o.confidence for o in read], [o.exact for o in read]),
        ms_per_plate=float(np.median(times)),
        ms_per_plate_p95=float(np.percentile(times, 95)),
        by_type=_tally(outcomes, type_of),
        by_province=_tally(outcomes, lambda t: next((c for c in t if c in PROVINCES), "-")),
        confusions=dict(confusions.most_common()),
        ms_per_picture=float(
            np.median([o.search_ms for o in outcomes if o.search_ms > 0] or [0.0])
        ),
        types=_share(o.type_right for o in outcomes),
        colours=_share(o.colour_right for o in outcomes),
        rows=_share(o.rows_right for o in outcomes),
        found=_share(o.found for o in outcomes),
        misread=[
            {
                "file": o.path.name,
                "truth": o.truth,
                "read": o.text,
                "confidence": round(o.confidence, 4),
                "note": o.note,
            }
            for o in wrong
        ],
    )


def outcome_of(item: Labelled, truth: str, reading: PlateReading | None, ms: float) -> Outcome:
    """What came of the plate ``truth`` of ``item``, with what its label says besides the text."""
    if reading is None or not reading.text:
        return Outcome(item.path, truth, "", 0.0, ms)
    mark = item.mark(truth)
    kind, colour = mark.type_of(truth), mark.colour_of(truth)
    return Outcome(
        item.path,
        truth,
        reading.text,
        reading.confidence,
        ms,
        type_right=None if kind is None else reading.type is kind,
        colour_right=None if colour is None else reading.colour is colour,
        rows_right=None if mark.rows is None else reading.rows == mark.rows,
    )


def _crop_outcomes(recogniser: PlateRecogniser, item: Labelled, picture: Image) -> list[Outcome]:
    began = time.process_time()
    (reading,) = recogniser.read_crops([picture])
    ms = (time.process_time() - began) * 1e3
    return [outcome_of(item, truth, reading, ms) for truth in item.plates]


def pick_for(truth: str, readings: Sequence[PlateReading], others: set[str]) -> PlateReading | None:
    """The reading to hold against ``truth``: the one equal to it, else the surest one left over."""
    for reading in readings:
        if reading.text == truth:
            return reading
    left = [r for r in readings if r.text and r.text not in others]
    return max(left, key=lambda r: r.confidence, default=None)


def _photograph_outcomes(
    recogniser: PlateRecogniser, item: Labelled, picture: Image
) -> list[Outcome]:
    began = time.process_time()
    (seen,) = recogniser.detect([picture])
    searched = time.process_time()
    readings = recogniser.read(picture, seen)
    ms = (time.process_time() - searched) * 1e3 / max(1, len(seen))
    labelled = {*item.plates, *item.unsure}
    outcomes = []
    for truth in item.plates:
        box = item.mark(truth).box
        reading = pick_for(truth, readings, labelled - {truth})
        outcome = outcome_of(item, truth, reading, ms)
        outcomes.append(
            replace(
                outcome,
                note="" if len(seen) else "no plate found",
                search_ms=(searched - began) * 1e3,
                found=None if box is None else lies_on(seen.boxes, box),
                corners=None if reading is None else seen.corners[readings.index(reading)],
            )
        )
    return outcomes


def lies_on(boxes: Floats, box: Box) -> bool:
    """Whether any of ``boxes`` (N, 4) has an IoU of at least 0.5 with ``box``, xyxy."""
    return bool((overlap(np.array(box, np.float32), boxes) >= 0.5).any())


def read_folder(
    recogniser: PlateRecogniser,
    folder: Path,
    *,
    crops: bool,
    keep: Callable[[Path], bool] = lambda _: True,
) -> list[Outcome]:
    """What ``recogniser`` reads of every labelled plate of ``folder`` whose picture ``keep`` takes.

    A picture that cannot be decoded counts as not read.

    Raises:
        InputError: the folder is missing or holds no labelled picture.
    """
    of_one = _crop_outcomes if crops else _photograph_outcomes
    outcomes: list[Outcome] = []
    for item in load_labelled(folder):
        if not keep(item.path):
            continue
        picture = read_picture(item.path)
        if picture is None:
            outcomes += [Outcome(item.path, t, "", 0.0, 0.0, "not a picture") for t in item.plates]
        else:
            outcomes += of_one(recogniser, item, picture)
    return outcomes


@dataclass(frozen=True, slots=True)
class EmptyScore:
    """What was found where no plate is: counts over ``frames`` frames without one."""

    frames: int
    plates: int
    reads_at_threshold: int
    threshold: float
    texts: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the rates per 100 and per 1,000 frames."""
        count = max(1, self.frames)
        return {
            "frames": self.frames,
            "false_plates": self.plates,
            "false_plates_per_100": 100 * self.plates / count,
            "false_reads_at_threshold": self.reads_at_threshold,
            "false_reads_per_1000": 1000 * self.reads_at_threshold / count,
            "threshold": self.threshold,
            "texts": list(self.texts),
        }


def frames_of(folder: Path, every: int) -> Iterator[Image]:
    """Every picture under ``folder``, and every ``every``-th frame of each video there."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix.lower() in (".mp4", ".avi", ".mkv"):
            video = cv2.VideoCapture(str(path))
            index, more = 0, True
            while more:
                more, frame = video.read()
                if more and index % every == 0:
                    yield np.asarray(frame, np.uint8)
                index += 1
            video.release()
        else:
            picture = read_picture(path) if path.suffix.lower() in PICTURES else None
            if picture is not None:
                yield picture


def read_empty(recogniser: PlateRecogniser, frames: Iterable[Image]) -> EmptyScore:
    """What ``recogniser`` finds and reads in ``frames`` that hold no plate."""
    threshold = recogniser.calibration.threshold
    count = plates = 0
    texts: list[str] = []
    for frame in frames:
        count += 1
        (found,) = recogniser.detect([frame])
        plates += len(found)
        sure = [r for r in recogniser.read(frame, found) if r.text and r.confidence >= threshold]
        texts += [r.text for r in sure]
    return EmptyScore(count, plates, len(texts), threshold, tuple(texts))
