"""What the crops of one track say together of whether a living face was before the camera.

In: scores of crops with their qualities. Out: the `Liveness` that an observation carries. Pure.
"""

from dataclasses import dataclass
from typing import Literal

from models.faces.liveness_types import state_of
from wire.messages import Liveness

LivenessMode = Literal["observe", "enforce"]


@dataclass(slots=True)
class LivenessFusion:
    """Mean of the scores, weighted by quality: one crop with a glare makes no spoof of a person."""

    crops: int = 0
    _sum: float = 0.0
    _weight: float = 0.0

    def add(self, score: float, quality: float) -> None:
        """Take in the score of one crop, 0 to 1."""
        weight = max(quality, 0.05)
        self.crops += 1
        self._sum += weight * score
        self._weight += weight

    def verdict(self, mode: LivenessMode, pack_sha256: str) -> Liveness | None:
        """What is known; None while no crop was judged."""
        if not self.crops:
            return None
        score = min(1.0, max(0.0, self._sum / self._weight))
        return Liveness(
            score=round(score, 4),
            state=state_of(score),
            mode=mode,
            crops=self.crops,
            pack_sha256=pack_sha256,
        )
