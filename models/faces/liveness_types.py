"""What judges whether a face is a living one, and what its scores mean. Pure: knows no network."""

from typing import Final, Literal, Protocol

from models.arrays import Floats, Image

SPOOF_BELOW: Final = 0.4
LIVE_FROM: Final = 0.7

State = Literal["live", "spoof", "unsure"]


def state_of(score: float) -> State:
    """What a score means: between the two limits nobody should rely on it."""
    if score < SPOOF_BELOW:
        return "spoof"
    return "live" if score >= LIVE_FROM else "unsure"


class LivenessJudge(Protocol):
    """Judges faces. Every implementation of ours may be shared between threads.

    Attributes:
        pack: name of the pack.
        pack_sha256: digest of all that decides the score.
    """

    @property
    def pack(self) -> str: ...  # noqa: D102 - documented above
    @property
    def pack_sha256(self) -> str: ...  # noqa: D102

    def score(self, image: Image, boxes: Floats) -> Floats:
        """How live each of N faces looks: ``(N,)`` float32, 0 to 1.

        Args:
            image: ``(H, W, 3)`` uint8 BGR, the whole picture.
            boxes: ``(N, 4)`` float32 xyxy px; N may be 0.
        """
        ...
