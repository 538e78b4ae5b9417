"""How large someone is who stands at a given place of the picture, and what is too small to be real.

In: the height of a person at two places, from the configuration. Out: the expected height anywhere, and
which detections are large enough. Pure. On level ground the height grows in proportion to the distance of
the feet from the horizon, so two places say all of it (Hoiem et al., Putting Objects in Perspective, 2006).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.objects import SeenObjects
from wire.messages import ObjectLabel

LEAST: Final = 0.5  # of the expected height: crouching, or cut off, but not a leaf
#: Heights of what is no person, in heights of a person.
_HEIGHTS: Final[Mapping[ObjectLabel, float]] = MappingProxyType(
    {
        "person": 1.0,
        "bicycle": 0.6,
        "motorcycle": 0.7,
        "ebike": 0.65,
        "car": 0.85,
        "bus": 1.7,
        "truck": 1.5,
    }
)


@dataclass(frozen=True, slots=True)
class Perspective:
    """Foot ``y`` and height of a person there, both 0 to 1 of the picture's height, far off and near.

    What is less than `least` of the height that it should have is not looked at.
    """

    far: tuple[float, float]
    near: tuple[float, float]
    least: float = LEAST

    def person_height(self, foot_y: float) -> float:
        """Expected height of a person whose feet are at `foot_y`; never below 0."""
        (y1, h1), (y2, h2) = self.far, self.near
        return max(0.0, h1 + (foot_y - y1) * (h2 - h1) / (y2 - y1))

    def large_enough(self, seen: SeenObjects, height_px: int) -> NDArray[np.intp]:
        """Indices of the objects that are at least half as high as such a thing is at that place."""
        feet, heights = (
            seen.boxes[:, 3] / height_px,
            (seen.boxes[:, 3] - seen.boxes[:, 1]) / height_px,
        )
        expected = [
            self.least * _HEIGHTS[label] * self.person_height(float(foot))
            for label, foot in zip(seen.labels, feet, strict=True)
        ]
        return np.flatnonzero(heights >= np.array(expected))
