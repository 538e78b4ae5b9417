"""Is anything moving? A cheap gate before any network runs.

In: small grey pictures of one camera, in order. Out: whether this one is worth looking at. The background
is learnt as it goes. Pure: holds arrays only. Light that changes everywhere alike is not motion. When in
doubt the gate is open: it costs time, a missed passage cannot be had back.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Grey

GREY_WIDTH_PX: Final = 160


@dataclass(slots=True)
class MotionGate:
    """Opens on motion and stays open `hold_s` after it; and once every `look_every_s` in any case.

    A pixel, smoothed with its neighbours, has changed when it differs from the background by
    `least_change` grey levels. There is motion when `share` of the pixels have. The background takes
    over `learning` of each picture, so that what stays becomes part of it. Nothing is known of a
    first picture: it counts as motion.
    """

    hold_s: float = 1.0
    look_every_s: float = 5.0
    share: float = 0.002
    least_change: float = 12.0
    learning: float = 0.1
    _background: NDArray[np.float32] | None = field(default=None, init=False)
    _moved_s: float = field(default=0.0, init=False)
    _looked_s: float = field(default=0.0, init=False)

    def is_open(self, grey: Grey, now_s: float) -> bool:
        """Whether to look at `grey`, ``(h, w)`` uint8."""
        if self._moves(cv2.blur(grey, (3, 3)).astype(np.float32)):
            self._moved_s = now_s
        is_open = (
            now_s - self._moved_s <= self.hold_s or now_s - self._looked_s >= self.look_every_s
        )
        if is_open:
            self._looked_s = now_s
        return is_open

    def _moves(self, current: NDArray[np.float32]) -> bool:
        if self._background is None or self._background.shape != current.shape:
            self._background = current
            return True
        change = current - self._background
        self._background += self.learning * change
        change = np.abs(change - np.median(change))  # light that changed everywhere alike
        changed = int(np.count_nonzero(change > self.least_change))
        return bool(changed >= self.share * change.size)

    def reset(self) -> None:
        """Forget the background: another scene begins."""
        self._background = None
