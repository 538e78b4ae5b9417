"""Tracks: which detections of successive frames are one object.

In: the boxes of one class in one frame of one camera, with its time. Out: a track id for each box and the
ids that ended. Association is ByteTrack's (Zhang et al., ECCV 2022), from Roboflow's ``trackers``, on
boxes expanded to squares: a face or a plate is small and moves several times its own width between two
frames at 5 Hz, so the boxes themselves would not overlap (the buffered IoU of Yang et al., WACV 2023).
Ids come from the caller, so that they are unique per worker run. Holds no picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker
from trackers.core.bytetrack.tracklet import ByteTrackTracklet

#: Side of the square that is associated, in longer sides of the box. A plate is 0.44 m wide and two of
#: them are a car's width apart at least; faces come closer together.
FACE_SCALE: Final = 2.0
PLATE_SCALE: Final = 4.0
_LEAST_IOU: Final = 0.1


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """Ids in the order of the boxes given, and the tracks that ended with this frame."""

    ids: tuple[str, ...]
    ended: tuple[str, ...]


class _InstantByteTrack(ByteTrackTracker):  # type: ignore[misc]  # the package is untyped to us
    """ByteTrack whose tracks have an id from their first detection on.

    The original waits for a second one, and so would lose a face that one analysed frame shows, and
    every still picture. False detections cost nothing here: recognition judges crops by quality.
    """

    def _spawn_new_tracks(
        self,
        detection_boxes: NDArray[np.float64],
        confidences: NDArray[np.float64],  # noqa: ARG002 - the detector has judged already
        unmatched_high_local: list[int],
        high_indices: NDArray[np.intp],
        out_det_indices: list[int],
        out_tracker_ids: list[int],
    ) -> None:
        for local in unmatched_high_local:
            index = int(high_indices[local])
            tracklet = ByteTrackTracklet(detection_boxes[index], self.state_estimator_class)
            tracklet.tracker_id = self._allocate_tracker_id()
            self.tracks.append(tracklet)
            out_det_indices.append(index)
            out_tracker_ids.append(tracklet.tracker_id)


class ObjectTracker:
    """Tracks one class of objects in one camera. Not for use by two threads at once."""

    def __init__(
        self, new_id: Callable[[], str], *, scale: float, rate_hz: float, lost_after_s: float
    ) -> None:
        """`new_id` names a track; one not seen for `lost_after_s` has ended."""
        self._new_id, self._scale = new_id, scale
        self._rate_hz, self._lost_after_s = rate_hz, lost_after_s
        self._tracker = self._new_tracker()
        self._names: dict[int, str] = {}

    @property
    def alive(self) -> bool:
        """Whether any track may still go on."""
        return bool(self._names)

    def update(self, boxes: NDArray[np.float32], time_s: float) -> TrackUpdate:
        """Associate the boxes of the frame at `time_s`, which must increase.

        Args:
            boxes: ``(N, 4)`` float32 xyxy px; N may be 0.
            time_s: when the frame was captured.
        """
        detections = sv.Detections(
            xyxy=_expand(boxes, self._scale),
            confidence=np.ones(len(boxes), np.float32),
            data={"index": np.arange(len(boxes))},
        )
        tracked: Any = self._tracker.update(detections, timestamp=time_s)
        numbers = [-1] * len(boxes)
        if len(tracked):
            pairs = zip(tracked.data["index"], tracked.tracker_id, strict=True)
            for index, number in pairs:
                numbers[int(index)] = int(number)
        ids = tuple(self._name(number) for number in numbers)
        return TrackUpdate(ids, self._ended({t.tracker_id for t in self._tracker.tracks}))

    def split(self, track_id: str) -> str:
        """What goes on under `track_id` is another object: give it an id of its own and return that."""
        number = next(n for n, name in self._names.items() if name == track_id)
        self._names[number] = self._new_id()
        return self._names[number]

    def end_all(self) -> Sequence[str]:
        """End every track: another scene begins. Returns their ids."""
        ended = tuple(self._names.values())
        self._names.clear()
        self._tracker = self._new_tracker()
        return ended

    def _new_tracker(self) -> Any:
        return _InstantByteTrack(
            lost_track_buffer=round(30 * self._lost_after_s),
            frame_rate=self._rate_hz,
            minimum_iou_threshold=_LEAST_IOU,
            minimum_consecutive_frames=1,
        )

    def _name(self, number: int) -> str:
        if number not in self._names:
            self._names[number] = self._new_id()
        return self._names[number]

    def _ended(self, alive: set[int]) -> tuple[str, ...]:
        gone = [number for number in self._names if number not in alive]
        return tuple(self._names.pop(number) for number in gone)


def _expand(boxes: NDArray[np.float32], scale: float) -> NDArray[np.float64]:
    """``(N, 4)`` boxes -> squares around the same centres, `scale` longer sides wide."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=1.0)
    half = scale * sides / 2.0
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float64)
