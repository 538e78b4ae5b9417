"""What the readings of one track say together: per-position voting under the plate grammar.

In: readings of one track, each with a quality and a reference to its frame. Out: one plate with its
confidence, provisional, then confirmed, revised if better evidence overturns it. A fusion belongs to
one track for life: that two plates look alike never merges two cars, and a track whose readings turn
into another plate is told apart by :attr:`Verdict.FOREIGN`. Pure: no clock, no I/O.

Voting is over distributions, not strings: a frame that wavers between 8 and B gives each its share.
A frame's vote weighs its quality times its confidence, and no frame's certainty counts for more
than :data:`FusionPolicy.trust`, so that one glaring misread cannot outvote the rest. Frames of one
track err alike (same dirt, same light), so evidence grows with the logarithm of their number.
"""

from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.plates.decode import Candidate, decode, support
from models.plates.types import PlateReading
from wire.plates import PROVINCES, PlateColour, PlateType

FrameRef = TypeVar("FrameRef")


class FusionState(StrEnum):
    """How far the plate of a track is settled."""

    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    REVISED = "revised"
    """Confirmed once as another plate, and now as this one."""


class Verdict(StrEnum):
    """What became of one reading."""

    COUNTED = "counted"
    EMPTY = "empty"
    """No plate was read: nothing to count."""
    FOREIGN = "foreign"
    """The last readings agree on a plate unlike this track's: another vehicle, so a new track."""


@dataclass(frozen=True, slots=True)
class FusionPolicy:
    """When a plate is confirmed and when readings are another vehicle's."""

    confirm_at: float = 0.9
    """Least fused confidence, 0 to 1."""
    confirm_readings: int = 2
    """Least number of readings that agree with the fused text."""
    trust: float = 0.94
    """Most that any one frame's distribution is believed, 0 to 1."""
    foreign_run: int = 3
    """So many sure readings in a row that agree with each other are another vehicle's ..."""
    foreign_distance: int = 3
    """... where they differ from the track's plate in at least so many characters."""
    foreign_confidence: float = 0.8


@dataclass(frozen=True, slots=True)
class FusedPlate(Generic[FrameRef]):
    """The plate of a track so far.

    ``confidence`` is 0 to 1; ``readings`` counts those that agree with ``text`` out of ``of``;
    ``frame_ref`` is the best-readable frame among them: the evidence.
    """

    text: str
    type: PlateType
    colour: PlateColour
    rows: int
    confidence: float
    char_confidences: tuple[float, ...]
    province_confidence: float
    alternatives: tuple[tuple[str, float], ...]
    readings: int
    of: int
    frame_ref: FrameRef
    evidence_quality: float


@dataclass(frozen=True, slots=True)
class _Kept(Generic[FrameRef]):
    """The best frame that gave a text: its score, frame, and the rows seen."""

    score: float
    frame_ref: FrameRef
    rows: int


def distance(a: str, b: str) -> int:
    """Positions at which ``a`` and ``b`` differ, plus the difference of their lengths."""
    return sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))


class PlateFusion(Generic[FrameRef]):
    """The readings of one track. Not safe to share between threads."""

    def __init__(self, policy: FusionPolicy | None = None) -> None:
        self._policy = policy or FusionPolicy()
        self._log_slots: NDArray[np.float64] | None = None
        self._log_colour: NDArray[np.float64] | None = None
        self._weight = 0.0
        self._count = 0
        self._texts: Counter[str] = Counter()
        self._kept: dict[str, _Kept[FrameRef]] = {}
        self._recent: deque[tuple[str, float]] = deque(maxlen=self._policy.foreign_run)
        self._best: FusedPlate[FrameRef] | None = None
        self._confirmed: list[str] = []

    @property
    def state(self) -> FusionState:
        """Provisional until first confirmed; revised once a second text was confirmed."""
        if not self._confirmed:
            return FusionState.PROVISIONAL
        return FusionState.CONFIRMED if len(self._confirmed) == 1 else FusionState.REVISED

    def best(self) -> FusedPlate[FrameRef] | None:
        """The plate so far, or None while nothing was read."""
        return self._best

    def add(self, reading: PlateReading, quality: float, frame_ref: FrameRef) -> Verdict:
        """Count one ``reading`` of a crop of ``quality`` (0 to 1), seen in ``frame_ref``.

        A reading that proves another vehicle is not counted, and neither is any after it that
        agrees with it: start a new fusion for them.
        """
        if not reading.text:
            return Verdict.EMPTY
        self._recent.append((reading.text, reading.confidence))
        if self._is_foreign():
            return Verdict.FOREIGN
        weight = max(0.02, min(1.0, quality)) * max(0.02, reading.confidence)
        self._vote(reading, weight)
        self._count += 1
        self._texts[reading.text] += 1
        score = quality * reading.confidence
        kept = self._kept.get(reading.text)
        if kept is None or score > kept.score:
            self._kept[reading.text] = _Kept(score, frame_ref, reading.rows)
        self._best = self._decide(frame_ref)
        self._settle(self._best)
        return Verdict.COUNTED

    def _is_foreign(self) -> bool:
        policy = self._policy
        if self._best is None or len(self._recent) < policy.foreign_run:
            return False
        if self._texts[self._best.text] < policy.confirm_readings:
            return False
        first = self._recent[0][0]
        return distance(first, self._best.text) >= policy.foreign_distance and all(
            text == first and confidence >= policy.foreign_confidence
            for text, confidence in self._recent
        )

    def _vote(self, reading: PlateReading, weight: float) -> None:
        trust = self._policy.trust
        slots = reading.distribution.astype(np.float64)
        colour = reading.colour_distribution.astype(np.float64)
        log_slots = np.log(trust * slots + (1 - trust) / slots.shape[1]) * weight
        log_colour = np.log(trust * colour + (1 - trust) / len(colour)) * weight
        if self._log_slots is None or self._log_colour is None:
            self._log_slots, self._log_colour = log_slots, log_colour
        else:
            self._log_slots += log_slots
            self._log_colour += log_colour
        self._weight += weight

    def _decide(self, frame_ref: FrameRef) -> FusedPlate[FrameRef]:
        assert self._log_slots is not None
        assert self._log_colour is not None
        # As many independent frames as the logarithm of their summed weight allows.
        evidence = 1.0 + float(np.log2(1.0 + self._weight))
        slots = _normalised(self._log_slots * (evidence / self._weight))
        colour = _normalised(self._log_colour * (evidence / self._weight))
        best, *others = decode(slots, colour)
        if not best.text:
            best = next(c for c in others if c.text)
        return self._fused(best, others, slots, frame_ref)

    def _fused(
        self,
        best: Candidate,
        others: list[Candidate],
        slots: NDArray[np.float64],
        frame_ref: FrameRef,
    ) -> FusedPlate[FrameRef]:
        by_slot = support(slots, best)
        characters = tuple(float(by_slot[i]) for i, c in enumerate(best.slots) if c)
        province = [p for c, p in zip(best.text, characters, strict=True) if c in PROVINCES]
        kept = self._kept.get(best.text) or _nearest(self._kept, best.text)
        return FusedPlate(
            text=best.text,
            type=best.type,
            colour=best.colour,
            rows=kept.rows if kept else 1,
            confidence=float(np.prod(by_slot.astype(np.float64))),
            char_confidences=characters,
            province_confidence=province[0] if province else 1.0,
            alternatives=tuple((c.text, c.probability) for c in others if c.text),
            readings=self._texts[best.text],
            of=self._count,
            frame_ref=kept.frame_ref if kept else frame_ref,
            evidence_quality=kept.score if kept else 0.0,
        )

    def _settle(self, best: FusedPlate[FrameRef]) -> None:
        policy = self._policy
        sure = best.confidence >= policy.confirm_at and best.readings >= policy.confirm_readings
        if sure and (not self._confirmed or self._confirmed[-1] != best.text):
            self._confirmed.append(best.text)


def _nearest(kept: dict[str, _Kept[FrameRef]], text: str) -> _Kept[FrameRef] | None:
    """The evidence of the text closest to ``text``, where no single frame read just that."""
    if not kept:
        return None
    return kept[min(kept, key=lambda other: (distance(other, text), -kept[other].score))]


def _normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    shifted = np.exp(logs - logs.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True))
