"""The lane of plates: read, voted on per character, told as plate findings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from edge.closer import plate_again
from edge.detect import PlateNetworks, select_plates
from edge.findings import PlateFinding
from edge.lane import Lane, Shot, Track, View, box_within, common
from edge.observe import Known, PlateState, Policy, Reason
from edge.plate_fusion import FusedPlate, FusionState, PlateFusion, Verdict
from edge.quality import BestCrops, plate_quality
from edge.recognise import read_plates
from edge.track import PLATE_SCALE, ObjectTracker
from models.plates.types import PlateDetections, PlateReading
from wire.messages import PlateAlternative, PlateText

KEEP: Final = 8
FLOOR: Final = 0.05
POLICY: Final = Policy(wait_s=1.0, better_by=0.2)
LEGIBLE_AT: Final = 0.1
"""Least fused confidence that is told. Below it nine readings of ten are wrong: a lamp, a sign, a grille."""
_ALTERNATIVES: Final = 8
_STATES: Final[Mapping[FusionState, PlateState]] = MappingProxyType(
    {
        FusionState.PROVISIONAL: "provisional",
        FusionState.CONFIRMED: "confirmed",
        FusionState.REVISED: "revised",
    }
)


@dataclass(slots=True, eq=False)
class PlateTrack:
    """The vote of one track, how many crops were read for it, and the frames of those that count."""

    vote: PlateFusion[int] = field(default_factory=PlateFusion)
    reads: int = 0
    shots: dict[int, Shot] = field(default_factory=dict)

    def add(self, reading: PlateReading, shot: Shot) -> Verdict:
        """Take in one crop's reading, and keep the frame if it is the best evidence or the latest."""
        verdict = self.vote.add(reading, shot.quality, self.reads + 1)
        if verdict is Verdict.COUNTED:
            self.reads += 1
            self.shots[self.reads] = shot
            best = self.vote.best()
            wanted = {self.reads, best.frame_ref if best else self.reads}
            self.shots = {n: kept for n, kept in self.shots.items() if n in wanted}
        return verdict

    @property
    def evidence(self) -> Shot:
        """The best-readable frame that shows the plate as fused; the latest where that was let go."""
        best = self.vote.best()
        latest = self.shots[self.reads]
        return latest if best is None else self.shots.get(best.frame_ref, latest)


class PlateLane(Lane[PlateTrack]):
    """Plates of one camera."""

    def __init__(
        self,
        networks: PlateNetworks,
        *,
        new_id: Callable[[], str],
        rate_hz: float,
        lost_after_s: float,
        policy: Policy = POLICY,
    ) -> None:
        tracker = ObjectTracker(
            new_id, scale=PLATE_SCALE, rate_hz=rate_hz, lost_after_s=lost_after_s
        )
        super().__init__(tracker, policy, lambda: BestCrops(keep=KEEP, floor=FLOOR))
        self._networks = networks

    def _new_fusion(self) -> PlateTrack:
        return PlateTrack()

    def _quality(self, detections: PlateDetections, index: int, view: View) -> float:
        return plate_quality(
            view.frame.image,
            detections.boxes[index],
            int(detections.rows[index]),
            float(detections.score[index]),
        )

    def _recognise(
        self,
        tracks: Sequence[Track[PlateTrack]],
        detections: PlateDetections,
        wanted: Sequence[tuple[int, float]],
        view: View,
    ) -> None:
        plates = select_plates(detections, [index for index, _ in wanted])
        if view.closer:
            plates = plate_again(self._networks, view.frame.image, plates)
        readings = read_plates(self._networks, view.frame.image, plates)
        rows = zip(tracks, wanted, readings, strict=True)
        for row, (track, (_, quality), reading) in enumerate(rows):
            box = box_within(plates.boxes[row], view.frame)
            shot = Shot(view, box, quality, float(plates.score[row]))
            verdict = track.fusion.add(reading, shot)
            if verdict is Verdict.FOREIGN:
                track = self._split(track)
                verdict = track.fusion.add(reading, shot)
            if verdict is Verdict.COUNTED:
                self._took(track, quality)
                track.shot = track.fusion.evidence

    def _drop_shot(self, track: Track[PlateTrack]) -> None:
        track.shot = None
        track.fusion.shots.clear()

    def _known(self, track: Track[PlateTrack]) -> Known | None:
        best = track.fusion.vote.best()
        if best is None or track.first_crop_at is None or best.confidence < LEGIBLE_AT:
            return None
        state = _STATES[track.fusion.vote.state]
        return Known(
            quality=best.confidence,
            agrees=state != "provisional",
            first_crop_at=track.first_crop_at,
            text=best.text,
            state=state,
        )

    def _finding(
        self, track: Track[PlateTrack], shot: Shot, revision: int, reason: Reason
    ) -> PlateFinding:
        best = track.fusion.vote.best()
        assert best is not None  # `_known` has looked
        return PlateFinding(
            **common(track, shot, revision, reason),
            plate=plate_text(best),
            state=_STATES[track.fusion.vote.state],
            reads=track.fusion.reads,
        )


def plate_text(reading: FusedPlate[int]) -> PlateText:
    """A fused reading as the wire has it."""
    return PlateText(
        text=reading.text,
        plate_type=reading.type.value,
        colour=reading.colour.value,
        confidence=_unit(reading.confidence),
        province_confidence=_unit(reading.province_confidence),
        char_confidences=tuple(_unit(value) for value in reading.char_confidences),
        alternatives=tuple(
            PlateAlternative(text=text, probability=_unit(probability))
            for text, probability in reading.alternatives[:_ALTERNATIVES]
        ),
    )


def _unit(value: float) -> float:
    return min(1.0, max(0.0, float(value)))
