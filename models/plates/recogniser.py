"""Plates from frames or crops: detect, sharpen the corners, rectify, read, decode, calibrate.

In: BGR frames, or crops of plates. Out: :class:`PlateDetections` and :class:`PlateReading`. It keeps
nothing between calls; fusing the readings of a track is the edge's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image, check_image
from models.plates import weights
from models.plates.decode import Candidate, decode, support
from models.plates.detector import PlateDetector
from models.plates.rectify import around, cut, is_quad, loose_box, rectangle
from models.plates.types import PlateDetections, PlateReading
from models.sessions import Session, open_session
from wire.plates import PROVINCES

READER_SIZE = (48, 144)
"""Height and width that the reader takes, px; as in ``models.training.nets``."""

REFINER_SIZE = (64, 128)

UNSURE = 0.9
"""Below this a crop is read again from other corners, and the more probable reading wins."""

PLATE_LIKELY = 0.4
"""Least probability, by the refiner, that a detection is a plate at all."""


@dataclass(frozen=True, slots=True)
class Refined:
    """What the refiner says: ``corners`` (N, 4, 2) px, ``plate`` and ``two_rows`` (N,) 0 to 1."""

    corners: Floats
    plate: Floats
    two_rows: Floats


def _sigmoid(x: NDArray[np.floating]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))), np.float32)


class PlateRecogniser:
    """All three networks together. Safe to share between threads."""

    def __init__(
        self,
        detector: PlateDetector,
        refiner: Session,
        reader: Session,
        calibration: weights.Calibration,
    ) -> None:
        self._detector = detector
        self._refiner, self._reader = refiner, reader
        self._refiner_input = refiner.get_inputs()[0].name
        self._reader_input = reader.get_inputs()[0].name
        self.calibration = calibration

    @classmethod
    def load(cls, threads: int = 1, providers: Sequence[str] = ("cpu",)) -> Self:
        """The networks shipped with the repository.

        Args:
            threads: threads inside one operator.
            providers: as of :func:`models.sessions.open_session`.

        Raises:
            ModelError: a file is missing, altered or cannot be opened.
        """
        calibration = weights.calibration()
        detector, refiner, reader = (
            open_session(weights.verified(part), threads=threads, providers=providers)
            for part in ("detector", "refiner", "reader")
        )
        threshold = calibration.detector_threshold
        return cls(PlateDetector(detector, threshold), refiner, reader, calibration)

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
        readings = self._read_quads([frame] * len(detections), list(detections.corners))
        unsure = [i for i, r in enumerate(readings) if r.confidence < UNSURE]
        if unsure:
            again = self.refine(
                [frame] * len(unsure), [loose_box(detections.corners[i], 0.06) for i in unsure]
            )
            usable = [(i, q) for i, q in zip(unsure, again.corners, strict=True) if is_quad(q)]
            self._keep_better(readings, [(i, frame, q) for i, q in usable])
        return readings

    def read_crops(self, crops: Sequence[Image]) -> list[PlateReading]:
        """What each crop of one plate says, rectified first; crops ``(H, W, 3)`` BGR uint8.

        Raises:
            ShapeError: a crop is no such array.
        """
        boxes = [
            np.array([0, 0, check_image(crop, "crop").shape[1], crop.shape[0]], np.float32)
            for crop in crops
        ]
        whole = [rectangle(box) for box in boxes]
        refined = self.refine(crops, boxes)
        quads = [q if is_quad(q) else w for q, w in zip(refined.corners, whole, strict=True)]
        readings = self._read_quads(list(crops), quads)
        unsure = [i for i, r in enumerate(readings) if r.confidence < UNSURE]
        self._keep_better(readings, [(i, crops[i], whole[i]) for i in unsure])
        return readings

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
        """``found`` with the refiner's corners, without what it takes for no plate."""
        if not len(found):
            return found
        boxes = [loose_box(quad) for quad in found.corners]
        refined = self.refine([frame] * len(boxes), boxes)
        good = [
            i
            for i in range(len(found))
            if refined.plate[i] >= PLATE_LIKELY and is_quad(refined.corners[i])
        ]
        if not good:
            return PlateDetections.empty()
        corners = refined.corners[good]
        return PlateDetections(
            np.stack([around(quad) for quad in corners]),
            found.score[good],
            corners,
            np.where(refined.two_rows[good] > 0.5, 2, 1).astype(np.int64),
        )

    def _keep_better(
        self, readings: list[PlateReading], again: list[tuple[int, Image, Floats]]
    ) -> None:
        """Read ``again`` (index, picture, corners); replace in place what is now more probable."""
        second = self._read_quads([p for _, p, _ in again], [q for _, _, q in again])
        for (index, _, _), reading in zip(again, second, strict=True):
            if reading.confidence > readings[index].confidence:
                readings[index] = reading

    def _read_quads(self, pictures: list[Image], quads: list[Floats]) -> list[PlateReading]:
        if not quads:
            return []
        crops = [cut(p, q, READER_SIZE) for p, q in zip(pictures, quads, strict=True)]
        slots, colours, rows = self._reader.run(None, {self._reader_input: np.stack(crops)})
        return [
            to_reading(s, c, 2 if r[1] > r[0] else 1, self.calibration)
            for s, c, r in zip(slots, colours, rows, strict=True)
        ]


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
