"""Faces that one camera lost a moment ago: who comes back, or turns round, need not be made out anew.

In: the fused crops of tracks that ended, embeddings of tracks that began, the time. Out: the crops of the one
face that is surely the same. A face that was seen well is remembered for seconds, in memory alone, and is
forgotten as soon as it is taken up. Pure.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from edge.face_fusion import Embedding, FaceFusion


@dataclass(frozen=True, slots=True, eq=False)
class LostFace:
    """A face whose track ended, with what its crops said together."""

    track_id: str
    lost_at: datetime
    fusion: FaceFusion


@dataclass(slots=True)
class RecentFaces:
    """The last `most` faces that were lost, each for `keep_s`. Not for use by two threads at once.

    A face is one of them when it is alike by `least` and by `lead` more than any other of them.
    """

    least: float
    lead: float
    keep_s: float = 30.0
    most: int = 32
    _faces: deque[LostFace] = field(default_factory=deque, init=False)

    def __len__(self) -> int:
        return len(self._faces)

    def add(self, face: LostFace) -> None:
        """Remember a face, unless nobody is to be; the one that was lost first makes room."""
        if self.keep_s <= 0:
            return
        self._faces.append(face)
        if len(self._faces) > self.most:
            self._faces.popleft()

    def forget(self, now: datetime) -> None:
        """Forget those that were lost too long before `now`."""
        while self._faces and now - self._faces[0].lost_at > timedelta(seconds=self.keep_s):
            self._faces.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._faces.clear()

    def take(self, embedding: Embedding) -> LostFace | None:
        """The face that `embedding` is surely of, which is then forgotten; None where there is none."""
        ranked = sorted(
            ((float(face.fusion.best() @ embedding), n) for n, face in enumerate(self._faces)),
            reverse=True,
        )
        if not ranked or ranked[0][0] < self.least:
            return None
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < self.lead:
            return None
        face = self._faces[ranked[0][1]]
        self._faces.remove(face)
        return face
