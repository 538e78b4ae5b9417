"""Plates from frames or crops: detect, sharpen the corners, rectify, read, decode, calibrate.

In: BGR frames, or crops of plates. Out: :class:`PlateDetections` and :class:`PlateReading`. It keeps
nothing between calls; fusing the readings of a track is the edge's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image, check_image
from models.plates import weights
from models.plates.decode import CLASSES, COLOURS, Candidate, decode, support
from models.plates.detector import PlateDetector
from models.plates.province import ProvinceReader, cell_of, cut_cell, slot_of, taken_in
from models.plates.rectify import around, cut, cut_plate, grown, is_quad, loose_box, rectangle
from models.plates.types import PlateDetections, PlateReading
from models.sessions import Session, open_session
from wire.plates import MAX_LENGTH, PROVINCES

REFINER_SIZE = (64, 128)

UNSURE = 0.8
"""Below this probability a plate is read again by other corners, and the readings are averaged."""

AGAIN = ((0.06, 0.08), (-0.03, -0.05))
"""What an unsure plate is grown by, across and down, to be read more often: corners are never quite right."""

LOOKED_AT = 0.98
"""Below this probability a province is looked at closer, in the picture itself."""

PLATE_LIKELY = 0.95
"""Least probability, by the refiner, that a detection is a plate at all."""

LEGIBLE_PX = 48.0
"""A plate this wide in its frame can be read. A narrower one is believed by its looks alone, so that
what a sub-stream shows from afar is still tracked."""

LEGIBLE_LIKELY = 0.9
"""As :data:`PLATE_LIKELY`, for plates of :data:`LEGIBLE_PX`: the reader has its say as well."""

CERTAIN = 0.65
"""Detections of at least this score need not be read to be believed."""

LEGIBLE = 0.005
"""Least probability of the best valid text for the reader to agree that there is a plate. On the
plate-free pictures that may be trained on it never gave more than 0.0003."""


@dataclass(frozen=True, slots=True)
class Refined:
    """What the refiner says: ``corners`` (N, 4, 2) px, ``plate`` and ``two_rows`` (N,) 0 to 1."""

    corners: Floats
    plate: Floats
    two_rows: Floats


@dataclass(frozen=True, slots=True)
class _View:
    """One plate to read: the picture, its corners ``(4, 2)`` px in it, its rows."""

    picture: Image
    corners: Floats
    rows: int


def _sigmoid(x: NDArray[np.floating]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))), np.float32)


class PlateRecogniser:
    """All the networks together. Safe to share between threads."""

    def __init__(
        self,
        detector: PlateDetector,
        refiner: Session,
        readers: Mapping[int, Session],
        provinces: ProvinceReader,
        calibration: weights.Calibration,
    ) -> None:
        self._detector, self._provinces = detector, provinces
        self._refiner, self._readers = refiner, readers
        self._refiner_input = refiner.get_inputs()[0].name
        self._reader_input = readers[1].get_inputs()[0].name
        self.calibration = calibration
        self._unsure = calibrated(UNSURE, calibration)

    @classmethod
    def load(cls, threads: int = 1, providers: Sequence[str] = ("cpu",)) -> Self:
        """The networks shipped with the repository; on a processor alone their 8-bit variants.

        Args:
            threads: threads inside one operator.
            providers: as of :func:`models.sessions.open_session`.

        Raises:
            ModelError: a file is missing, altered or cannot be opened.
        """
        calibration = weights.calibration()
        int8 = tuple(providers) == ("cpu",)
        detector, refiner, reader, two_rows, province = (
            open_session(weights.verified(part, int8=int8), threads=threads, providers=providers)
            for part in weights.PARTS
        )
        finder = PlateDetector(detector, calibration.detector_threshold)
        readers = {1: reader, 2: two_rows}
        return cls(finder, refiner, readers, ProvinceReader(province), calibration)

    def detect(self, frames: Sequence[Image]) -> list[PlateDetections]:
        """Plates in each frame ``(H, W, 3)`` BGR uint8, corners sharpened, in px of the frame.

        Raises:
            ShapeError: a frame is no such array.
        """
        return [
            self._sharpen(frame, found)
            for frame, found in zip(frames, self._detector.detect(frames), strict=True)
        ]

    def read(self, frame: Image, detections: PlateDetections) -> list[PlateReading]:
        """What each of ``detections`` in ``frame`` says, in their order.

        Raises:
            ShapeError: the frame is no ``(H, W, 3)`` uint8 array.
        """
        check_image(frame, "frame")
        views = [
            _View(frame, quad, int(rows))
            for quad, rows in zip(detections.corners, detections.rows, strict=True)
        ]
        return self._read_views(views)

    def read_crops(self, crops: Sequence[Image]) -> list[PlateReading]:
        """What each crop of one plate says, rectified first; crops ``(H, W, 3)`` BGR uint8.

        Raises:
            ShapeError: a crop is no such array.
        """
        boxes = [
            np.array([0, 0, check_image(crop, "crop").shape[1], crop.shape[0]], np.float32)
            for crop in crops
        ]
        return self._read_views(self._views(crops, boxes))

    def refine(self, pictures: Sequence[Image], boxes: Sequence[Floats]) -> Refined:
        """The corners of the plate inside each loose xyxy box (4,) of its picture."""
        if not boxes:
            nothing = np.zeros(0, np.float32)
            return Refined(np.zeros((0, 4, 2), np.float32), nothing, nothing)
        crops = [
            cut(picture, rectangle(box), REFINER_SIZE)
            for picture, box in zip(pictures, boxes, strict=True)
        ]
        (out,) = self._refiner.run(None, {self._refiner_input: np.stack(crops)})
        low = np.stack(boxes)[:, None, :2]
        extent = np.stack(boxes)[:, None, 2:] - low
        corners = out[:, :8].reshape(-1, 4, 2) * extent + low
        return Refined(corners.astype(np.float32), _sigmoid(out[:, 8]), _sigmoid(out[:, 9]))

    def _sharpen(self, frame: Image, found: PlateDetections) -> PlateDetections:
        """``found`` with the refiner's corners, without what refiner or reader take for no plate."""
        if not len(found):
            return found
        boxes = [loose_box(quad) for quad in found.corners]
        refined = self.refine([frame] * len(boxes), boxes)
        good = [i for i in range(len(found)) if is_quad(refined.corners[i])]
        if not good:
            return PlateDetections.empty()
        corners = refined.corners[good]
        sharp = PlateDetections(
            np.stack([around(quad) for quad in corners]),
            found.score[good],
            corners,
            np.where(refined.two_rows[good] > 0.5, 2, 1).astype(np.int64),
        )
        believed = believe(
            sharp, refined.plate[good], lambda rows: self._legible(frame, sharp, rows)
        )
        return sharp.pick(believed)

    def _legible(self, frame: Image, found: PlateDetections, rows: Sequence[int]) -> list[bool]:
        """Whether the reader finds any valid plate in each of these ``rows`` of ``found``."""
        views = [_View(frame, found.corners[i], int(found.rows[i])) for i in rows]
        verdicts = []
        for slots, colour in zip(*self._distributions(views), strict=True):
            best = decode(slots, colour)[0]
            sure = whole_plate_probability(slots, best) >= LEGIBLE
            verdicts.append(bool(best.text) and sure)
        return verdicts

    def _views(self, pictures: Sequence[Image], boxes: Sequence[Floats]) -> list[_View]:
        """The plate inside each loose box, by the refiner; the box itself where that fails."""
        refined = self.refine(pictures, boxes)
        return [
            _View(picture, quad if is_quad(quad) else rectangle(box), 2 if two > 0.5 else 1)
            for picture, box, quad, two in zip(
                pictures, boxes, refined.corners, refined.two_rows, strict=True
            )
        ]

    def _read_views(self, views: list[_View]) -> list[PlateReading]:
        """Read each view; the unsure ones by other corners as well."""
        if not views:
            return []
        slots, colours = self._distributions(views)
        readings = [
            to_reading(*seen, view.rows, self.calibration)
            for seen, view in zip(zip(slots, colours, strict=True), views, strict=True)
        ]
        unsure = [i for i, reading in enumerate(readings) if reading.confidence < self._unsure]
        if unsure:
            doubted = [views[i] for i in unsure]
            first = slots[unsure], colours[unsure]
            for i, reading in zip(unsure, self._read_again(doubted, first), strict=True):
                readings[i] = reading
        self._look_closer(views, readings)
        return readings

    def _look_closer(self, views: Sequence[_View], readings: list[PlateReading]) -> None:
        """Take a closer look at each doubtful province into its reading, in place."""
        doubtful = [
            (i, slot)
            for i, reading in enumerate(readings)
            if reading.province_confidence < LOOKED_AT
            and (slot := slot_of(reading.text)) is not None
        ]
        if not doubtful:
            return
        cells = []
        for i, _ in doubtful:
            cell = cell_of(readings[i].text, readings[i].rows)
            cells.append(cut_cell(views[i].picture, views[i].corners, cell))
        for (i, slot), look in zip(doubtful, self._provinces.read(cells), strict=True):
            seen = readings[i]
            slots = taken_in(seen.distribution, slot, look)
            readings[i] = to_reading(slots, seen.colour_distribution, seen.rows, self.calibration)

    def _read_again(self, views: list[_View], first: tuple[Floats, Floats]) -> list[PlateReading]:
        """Each view by other corners too; ``first`` is what it gave by its own."""
        pictures = [view.picture for view in views]
        sharpened = self._views(pictures, [loose_box(v.corners, 0.1) for v in views])
        looks = [[s, *other_corners(v)] for v, s in zip(views, sharpened, strict=True)]
        slots, colours = self._distributions([look for some in looks for look in some])
        readings, at = [], 0
        for i, (view, some) in enumerate(zip(views, looks, strict=True)):
            seen = [(view.rows, (first[0][i], first[1][i]))]
            seen += [(x.rows, (slots[at + n], colours[at + n])) for n, x in enumerate(some)]
            readings.append(surest(seen, self.calibration))
            at += len(some)
        return readings

    def _distributions(self, views: list[_View]) -> tuple[Floats, Floats]:
        """``(N, 8, C)`` and ``(N, 6)`` probabilities of each view, by the reader of its rows."""
        slots = np.zeros((len(views), MAX_LENGTH, CLASSES), np.float32)
        colours = np.zeros((len(views), len(COLOURS)), np.float32)
        for rows, reader in self._readers.items():
            mine = [i for i, view in enumerate(views) if view.rows == rows]
            if not mine:
                continue
            crops = [cut_plate(views[i].picture, grown(views[i].corners), rows) for i in mine]
            slots[mine], colours[mine], _ = reader.run(None, {self._reader_input: np.stack(crops)})
        return slots, colours


def other_corners(view: _View) -> list[_View]:
    """``view`` by its upright box, and by corners a little farther out and in."""
    quads = [rectangle(around(view.corners)), *(grown(view.corners, *by) for by in AGAIN)]
    return [_View(view.picture, quad, view.rows) for quad in quads]


def surest(
    views: Sequence[tuple[int, tuple[Floats, Floats]]], calibration: weights.Calibration
) -> PlateReading:
    """One reading from several ``(rows, (slots, colour))`` of one plate: their average.

    Views that take it for one row and views that take it for two are averaged apart, since they do
    not show the same characters at the same slots; of the two the surer reading counts.
    """
    readings = []
    for rows in sorted({rows for rows, _ in views}):
        same = [seen for number, seen in views if number == rows]
        slots, colour = (np.asarray(np.mean(x, 0), np.float32) for x in zip(*same, strict=True))
        readings.append(to_reading(slots, colour, rows, calibration))
    return max(readings, key=lambda reading: reading.confidence)


def believe(
    found: PlateDetections, plate: Floats, legible: Callable[[Sequence[int]], list[bool]]
) -> list[int]:
    """The rows of ``found`` that are plates; ``plate`` (N,) is the refiner's probability of it.

    Where a plate is wide enough to be read and the detector is less than certain, ``legible`` is
    asked: nothing else tells a grille or a line of print from a plate as well.
    """
    wide = found.boxes[:, 2] - found.boxes[:, 0] >= LEGIBLE_PX
    likely = plate >= np.where(wide, LEGIBLE_LIKELY, PLATE_LIKELY)
    asked = np.flatnonzero(likely & wide & (found.score < CERTAIN)).tolist()
    refused = (
        {i for i, good in zip(asked, legible(asked), strict=True) if not good} if asked else set()
    )
    return [i for i in np.flatnonzero(likely).tolist() if i not in refused]


def calibrated(probability: float, calibration: weights.Calibration) -> float:
    """The chance that a reading of ``probability`` is right, 0 to 1."""
    p = min(max(probability, 1e-7), 1 - 1e-7)
    logit = float(np.log(p / (1 - p)))
    return float(1 / (1 + np.exp(-(calibration.slope * logit + calibration.offset))))


def whole_plate_probability(slots: NDArray[np.floating], best: Candidate) -> float:
    """The probability of ``best`` under the grammar, times that any valid plate is there.

    The second factor keeps a picture that fits no series from being read with certainty.
    """
    alone = float(np.prod(support(slots, best).astype(np.float64)))
    return float(np.sqrt(best.probability * alone))


def to_reading(
    slots: Floats, colour: Floats, rows: int, calibration: weights.Calibration
) -> PlateReading:
    """Decode one crop: ``slots`` (8, C) and ``colour`` (6,) probabilities."""
    best, *others = decode(slots, colour)
    confidence = calibrated(whole_plate_probability(slots, best), calibration)
    by_slot = support(slots, best)
    characters = tuple(float(by_slot[i]) for i, c in enumerate(best.slots) if c)
    province = [p for c, p in zip(best.text, characters, strict=True) if c in PROVINCES]
    return PlateReading(
        text=best.text,
        type=best.type,
        colour=best.colour,
        confidence=confidence if best.text else 0.0,
        char_confidences=characters,
        province_confidence=province[0] if province else 1.0,
        alternatives=tuple((c.text, c.probability) for c in others if c.text),
        distribution=slots,
        colour_distribution=colour,
        rows=rows,
    )
