"""Is anything moving? A cheap gate before any network runs.

In: small grey pictures of one camera, in order. Out: whether this one differs from the background, which
is learnt as it goes. Pure: holds arrays only. Light that changes everywhere alike is not motion.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.frame import Grey

GREY_WIDTH_PX: Final = 160


@dataclass(slots=True)
class MotionGate:
    """Opens on motion and stays open `hold_s` after it.

    A pixel has changed when it differs from the background by `least_change` grey levels, or by
    `noise_factor` times the picture's own median change if that is more (a noisy night picture). The
    gate opens when `share` of the pixels have. The background takes over `learning` of each picture,
    so that what stays becomes part of it. Nothing is known of a first picture: it counts as motion.
    """

    hold_s: float = 1.0
    share: float = 0.002
    least_change: float = 12.0
    noise_factor: float = 6.0
    learning: float = 0.1
    _background: NDArray[np.float32] | None = field(default=None, init=False)
    _moved_s: float = field(default=0.0, init=False)

    def is_open(self, grey: Grey, now_s: float) -> bool:
        """Whether there is motion in `grey`, ``(h, w)`` uint8, or was until `hold_s` ago."""
        current = grey.astype(np.float32)
        if self._background is None or self._background.shape != current.shape:
            self._background, self._moved_s = current, now_s
            return True
        change = current - self._background
        self._background += self.learning * change
        if self._moves(change):
            self._moved_s = now_s
        return now_s - self._moved_s <= self.hold_s

    def _moves(self, change: NDArray[np.float32]) -> bool:
        change = np.abs(change - np.median(change))  # light that changed everywhere alike
        threshold = max(self.least_change, self.noise_factor * float(np.median(change)))
        return int(np.count_nonzero(change > threshold)) >= self.share * change.size

    def reset(self) -> None:
        """Forget the background: another scene begins."""
        self._background = None
