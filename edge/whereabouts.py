"""Where each object is, how it moves, whether it is parked: what tracks mean to zones and behaviours.

In: the objects of each frame with their track ids. Out: a `Moment`, the state of the scene at that frame,
in coordinates relative to the picture. Pure: time comes with the frame. A vehicle that has stood for a while
is parked, and stays the same one, under the same id, while others pass before it or its detection fails.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import hypot
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.moment import Moment, Tracked
from edge.objects import VEHICLES, SeenObjects, overlap
from edge.track import TrackUpdate
from wire.messages import ObjectLabel

PARKED_AFTER_S: Final = 8.0
REMEMBERED_S: Final = 900.0
_STANDS_OVERLAP: Final = 0.7  # with the box where it came to stand: detections jitter
_SAME_PLACE: Final = 0.5
_PARKED_ELSEWHERE: Final = 0.3
_SPEED_OVER_S: Final = 1.0
_STAYS_OVERLAP: Final = 0.85  # more is jitter and is smoothed, less is movement and is not
_SMOOTH: Final = 0.5


@dataclass(slots=True, eq=False)
class _Track:
    """What is known of one object."""

    id: str
    box: NDArray[np.float64]
    stood_at: NDArray[np.float64]
    first_seen_at: datetime
    stands_since: datetime
    seen_at: datetime
    votes: dict[ObjectLabel, float] = field(default_factory=dict)
    feet: deque[tuple[datetime, float, float]] = field(default_factory=deque)
    frames: int = 0
    score: float = 0.0
    has_moved: bool = False
    parked: bool = False

    def see(self, box: NDArray[np.float64], score: float, label: ObjectLabel, at: datetime) -> None:
        """It is in this frame."""
        self.votes[label] = self.votes.get(label, 0.0) + score
        stays = self.frames and float(overlap(box, self.box[None])[0]) >= _STAYS_OVERLAP
        self.box = self.box + _SMOOTH * (box - self.box) if stays else box
        self.frames, self.score, self.seen_at = self.frames + 1, score, at
        self._follow_stand(at)
        self.feet.append((at, float(self.box[0] + self.box[2]) / 2.0, float(self.box[3])))
        while (at - self.feet[0][0]).total_seconds() > _SPEED_OVER_S:
            self.feet.popleft()

    def _follow_stand(self, at: datetime) -> None:
        """Does it still stand where it stood? A parked one is moved off only by more than a shadow."""
        least = _PARKED_ELSEWHERE if self.parked else _STANDS_OVERLAP
        if float(overlap(self.box, self.stood_at[None])[0]) < least:
            self.has_moved = self.has_moved or self.frames > 2
            self.stood_at, self.stands_since, self.parked = self.box, at, False
        elif self._stood_s(at) >= PARKED_AFTER_S and self.label in VEHICLES:
            self.parked = True

    def _stood_s(self, at: datetime) -> float:
        return (at - self.stands_since).total_seconds()

    @property
    def label(self) -> ObjectLabel:
        return max(self.votes, key=self.votes.__getitem__)

    def _speed(self, aspect: float) -> float:
        """Own heights a second, from the first to the second half of the last second's steps."""
        count = len(self.feet) // 2
        if not count:
            return 0.0
        early, late = list(self.feet)[:count], list(self.feet)[-count:]
        seconds = _mean_s(late, early[0][0]) - _mean_s(early, early[0][0])
        dx = _mean([x for _, x, _ in late]) - _mean([x for _, x, _ in early])
        dy = _mean([y for _, _, y in late]) - _mean([y for _, _, y in early])
        height = max(1e-6, float(self.box[3] - self.box[1]) * aspect)
        return hypot(dx, dy * aspect) / height / seconds if seconds > 0 else 0.0

    def at(self, now: datetime, aspect: float) -> Tracked:
        """It as a value."""
        x1, y1, x2, y2 = (float(v) for v in self.box)
        return Tracked(
            id=self.id,
            label=self.label,
            box=(x1, y1, x2, y2),
            score=self.score,
            first_seen_at=self.first_seen_at,
            frames=self.frames,
            speed=self._speed(aspect),
            still_s=self._stood_s(now),
            has_moved=self.has_moved,
            parked=self.parked,
            unseen_s=(now - self.seen_at).total_seconds(),
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_s(feet: Sequence[tuple[datetime, float, float]], since: datetime) -> float:
    return _mean([(at - since).total_seconds() for at, _, _ in feet])


class Whereabouts:
    """The objects of one camera over time. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}
        self._hidden: dict[str, _Track] = {}
        self._known_as: dict[str, str] = {}

    def update(
        self, seen: SeenObjects, tracks: TrackUpdate, size_px: tuple[int, int], at: datetime
    ) -> Moment:
        """Take one frame's objects, their tracks in their order; what is in view now."""
        boxes = seen.boxes / np.tile(np.array(size_px, np.float64), 2)
        aspect = size_px[1] / size_px[0]
        ended = self._end(tracks.ended)
        in_view = []
        for box, score, label, track_id in zip(
            boxes, seen.score, seen.labels, tracks.ids, strict=True
        ):
            track = self._track(track_id, box, label, at)
            if track is not None:
                track.see(box, float(score), label, at)
                in_view.append(track)
        gone = self._forget_hidden(at)
        parked = [t for t in (*self._tracks.values(), *self._hidden.values()) if t.parked]
        return Moment(
            at=at,
            aspect=aspect,
            objects=tuple(track.at(at, aspect) for track in in_view),
            parked=tuple(track.at(at, aspect) for track in parked),
            ended=(*ended, *gone),
        )

    @property
    def alive(self) -> bool:
        """Whether anything is in view that may go on without motion in the picture: not what is parked."""
        return any(not track.parked for track in self._tracks.values())

    def end_all(self) -> None:
        """Another scene begins: nothing of this one is in it."""
        self._tracks.clear()
        self._hidden.clear()
        self._known_as.clear()

    def _track(
        self, track_id: str, box: NDArray[np.float64], label: ObjectLabel, at: datetime
    ) -> _Track | None:
        """What is known of a detection; None where it is not followed, and is nothing parked either."""
        name = self._known_as.get(track_id, track_id)
        if name in self._tracks:
            return self._tracks[name]
        found = self._parked_at(box) if label in VEHICLES else None
        if not track_id:  # seen too rarely to be followed, while nothing moves
            return found
        if found is None:
            self._tracks[name] = _Track(name, box, box, at, at, at)
        else:
            self._known_as[track_id] = name = found.id
            self._tracks[name] = self._hidden.pop(name)
        return self._tracks[name]

    def _parked_at(self, box: NDArray[np.float64]) -> _Track | None:
        """The hidden parked vehicle that stands where `box` is."""
        if not self._hidden:
            return None
        tracks = list(self._hidden.values())
        overlaps = overlap(box, np.stack([track.stood_at for track in tracks]))
        best = int(overlaps.argmax())
        return tracks[best] if overlaps[best] >= _SAME_PLACE else None

    def _end(self, track_ids: Sequence[str]) -> list[str]:
        """Ids of the tracks that are really over; what was parked is only hidden."""
        over = []
        for track_id in track_ids:
            name = self._known_as.pop(track_id, track_id)
            track = self._tracks.pop(name, None)
            if track is not None and track.parked:
                self._hidden[name] = track
            elif track is not None:
                over.append(name)
        return over

    def _forget_hidden(self, at: datetime) -> list[str]:
        limit = at - timedelta(seconds=REMEMBERED_S)
        gone = [name for name, track in self._hidden.items() if track.seen_at < limit]
        for name in gone:
            del self._hidden[name]
        return gone
