"""Faces made unrecognisable: the edge hides bystanders so, the hub what a role may not see."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCKS: Final = 5  # a face of five blocks a side is nobody's


def pixelate(image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> None:
    """Make the faces in `boxes` ``(N, 4)`` xyxy px unrecognisable, in place, with a margin of a fifth.

    `image` is ``(H, W, 3)`` uint8; boxes may reach past its border.
    """
    height, width = image.shape[:2]
    for box in boxes:
        margin = 0.2 * (box[2:] - box[:2])
        low, high = np.rint(box[:2] - margin), np.rint(box[2:] + margin)
        x1, x2 = (int(np.clip(x, 0, width)) for x in (low[0], high[0]))
        y1, y2 = (int(np.clip(y, 0, height)) for y in (low[1], high[1]))
        if x1 < x2 and y1 < y2:
            area = image[y1:y2, x1:x2]
            blocks = cv2.resize(area, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
            area[:] = cv2.resize(blocks, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
