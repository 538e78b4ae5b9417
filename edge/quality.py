"""Which crops of a track are worth recognising.

In: the fitness of a crop, 0 to 1 (`models.faces.quality` for faces, `plate_quality` here). Out: yes or
no. The best K of the whole track are kept, however long it was far away before: there is no number of
attempts to be used up. Pure.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Image

_READABLE_HEIGHT_PX: Final = (
    32.0  # a row of characters loses little below this, and gains little above
)
_SHARP: Final = 250.0  # variance of the Laplacian of a plate scaled to that height, in focus


@dataclass(slots=True)
class BestCrops:
    """The qualities of the crops of one track that have been recognised: the best `keep` of them.

    A crop is wanted while there are fewer than `keep`, and later when it beats the worst of them by
    `gain`. It must have at least `floor`, and `share` of the best: a poor crop beside a good one
    would only blur what is known. Each replacement raises the sum by `gain`, so they are bounded.
    Every `recheck_s` one more is wanted, to notice that another object has taken the track over.
    """

    keep: int
    floor: float
    gain: float = 0.05
    share: float = 0.5
    recheck_s: float = 2.0
    _kept: list[float] = field(default_factory=list, init=False)
    _last_s: float = field(default=0.0, init=False)

    def wants(self, quality: float, now_s: float) -> bool:
        """Whether a crop of this quality is worth recognising."""
        if quality < self.floor:
            return False
        if not self._kept:
            return True
        if quality < self.share * self._kept[0]:
            return False
        return (
            len(self._kept) < self.keep
            or quality >= self._kept[-1] + self.gain
            or now_s - self._last_s >= self.recheck_s
        )

    def took(self, quality: float, now_s: float) -> None:
        """A crop of this quality has been recognised, and was of this object."""
        self._kept = sorted((*self._kept, quality), reverse=True)[: self.keep]
        self._last_s = now_s


def plate_quality(image: Image, box: NDArray[np.float32], rows: int, score: float) -> float:
    """Fitness of a plate's crop for reading, 0 to 1: its size, its sharpness, the detector's score.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        box: ``(4,)`` xyxy px.
        rows: 1 or 2 rows of characters.
        score: the detector's, 0 to 1.
    """
    height, width = image.shape[:2]
    x1, y1 = np.floor(box[:2]).astype(int).clip(0)
    x2, y2 = np.ceil(box[2:]).astype(int).clip(None, (width, height))
    if x2 - x1 < 8 or y2 - y1 < 4:
        return 0.0
    size = min(1.0, float(y2 - y1) / rows / _READABLE_HEIGHT_PX)
    crop = cv2.cvtColor(image[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY)
    sharp = min(1.0, float(cv2.Laplacian(crop, cv2.CV_32F).var()) / _SHARP)
    cut = 0.5 if min(x1, y1) == 0 or x2 == width or y2 == height else 1.0
    return float(np.clip(size * (0.5 + 0.5 * sharp) * score * cut, 0.0, 1.0))
