"""Tracks of people and vehicles: which detections of successive frames are one object.

In: the objects of one frame of one camera, with its time. Out: a track id for each that is followed, and the
ids that ended. Association is ByteTrack's (Zhang et al., ECCV 2022), from Roboflow's ``trackers``, apart for
people, cycles and vehicles. A track begins with its second detection, for what a network sees once is often
nothing; unsure detections continue a track and begin none; what is hidden for a moment is found again.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker

from edge.objects import GROUPS, SeenObjects
from edge.track import TrackUpdate

SURE: Final = 0.45
HIDDEN_FOR_S: Final = 2.5
#: Grown by this share on each side before association: someone who walks across the view at 5 Hz moves half
#: a width of the box between frames (buffered IoU, Yang et al., WACV 2023).
_GROW: Final = 0.25


class ObjectsTracker:
    """Follows the objects of one camera. Not for use by two threads at once."""

    def __init__(self, new_id: Callable[[], str], *, rate_hz: float) -> None:
        self._new_id, self._rate_hz = new_id, rate_hz
        self._names: dict[tuple[int, int], str] = {}
        self._trackers = self._new_trackers()

    def update(self, seen: SeenObjects, time_s: float) -> TrackUpdate:
        """Associate the objects of the frame at `time_s`, which must increase.

        Returns:
            An id for each object in its order, "" for one that is not followed, and the ids that ended.
        """
        ids, alive = [""] * len(seen), set()
        for number, (group, tracker) in enumerate(zip(GROUPS, self._trackers, strict=True)):
            index = np.flatnonzero([label in group for label in seen.labels])
            detections = sv.Detections(
                xyxy=_grown(seen.boxes[index]),
                confidence=seen.score[index],
                data={"index": index},
            )
            tracked: Any = tracker.update(detections, timestamp=time_s)
            if len(tracked):
                for where, track in zip(tracked.data["index"], tracked.tracker_id, strict=True):
                    ids[int(where)] = self._name(number, int(track))
            alive |= {(number, track.tracker_id) for track in tracker.tracks}
        return TrackUpdate(tuple(ids), self._ended(alive))

    def end_all(self) -> tuple[str, ...]:
        """End every track: another scene begins. Returns their ids."""
        ended = tuple(self._names.values())
        self._names.clear()
        self._trackers = self._new_trackers()
        return ended

    def _new_trackers(self) -> list[Any]:
        return [
            ByteTrackTracker(
                lost_track_buffer=round(30 * HIDDEN_FOR_S),
                frame_rate=self._rate_hz,
                track_activation_threshold=SURE,
                high_conf_det_threshold=SURE,
                minimum_consecutive_frames=2,
            )
            for _ in GROUPS
        ]

    def _name(self, group: int, track: int) -> str:
        if track < 0:
            return ""
        if (group, track) not in self._names:
            self._names[group, track] = self._new_id()
        return self._names[group, track]

    def _ended(self, alive: set[tuple[int, int]]) -> tuple[str, ...]:
        gone = [key for key in self._names if key not in alive]
        return tuple(self._names.pop(key) for key in gone)


def _grown(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """``(N, 4)`` boxes with `_GROW` of their size more on each side."""
    margin = _GROW * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1).astype(np.float64)
