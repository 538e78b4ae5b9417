"""How much of one face is covered: by a mask, a hand, sunglasses, somebody in front.

In: a face aligned by its landmarks. Out: 0 to 1 and what is covered. Pure. ISO/IEC 29794-5 names the parts
(mouth occlusion prevention, eyes visible, face occlusion prevention); it measures them with networks, we with
what an uncovered face always has: contrast at the mouth about as at the eyes, brighter skin between the dark
of the eyes, and two sides of one colour. Each compares a face with itself, so that a dark one is no more
covered than a fair one, nor a bearded one: a beard has a mouth in it. The ramps were set on the development
pictures, and on those covered by drawing (docs/models.md).
"""

from typing import Any, Final

import cv2
import numpy as np

from models.arrays import Image

# Parts of the aligned face of 112 px: x1, y1, x2, y2.
_MOUTH: Final = (40, 82, 72, 100)
_EYES: Final = ((28, 44, 48, 60), (64, 44, 84, 60))
_BAND: Final = (24, 45, 88, 60)
_FACE: Final = (26, 28, 86, 104)
_SKIN: Final = ((32, 60, 46, 70), (66, 60, 80, 70), (49, 52, 63, 64))
_SIDES: Final = (
    ((32, 60, 46, 70), (66, 60, 80, 70)),
    ((36, 80, 46, 92), (66, 80, 76, 92)),
    ((30, 46, 46, 58), (66, 46, 82, 58)),
    ((40, 88, 54, 97), (58, 88, 72, 97)),
)
_DARKER: Final = 0.35
"""By how much of the face's range eyes and brows are darker than its skin."""
_LIGHT_WEIGHT: Final = 0.12
"""Light falls from one side more often than colour: what a step of brightness counts beside one of colour."""

Part = tuple[int, int, int, int]


def uncovered(face: Image) -> tuple[float, str]:
    """How much is to be seen of a face, ``(112, 112, 3)`` uint8 BGR aligned to the template.

    1 is all, 0 where a part is covered; and what is, for a person: "mouth and nose are covered" ….
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(face, (3, 3), 0), cv2.COLOR_BGR2LAB)
    light = lab[..., 0]
    eyes = _contrast(*(_cut(light, part) for part in _EYES))
    ratio = _contrast(_cut(light, _MOUTH)) / max(eyes, 12.0)
    skin = float(np.median([_mean(light, part)[0] for part in _SKIN]))
    dark = skin - _DARKER * max(_contrast(_cut(light, _FACE)), 25.0)
    shadow = float((_cut(light, _BAND) < dark).mean())
    values = (
        (ramp(ratio, 0.2, 0.45), "mouth and nose are covered"),
        (min(ramp(ratio, 3.5, 1.9), ramp(shadow, 0.92, 0.82)), "the eyes are covered"),
        (ramp(_difference(lab), 50, 30), "one side is covered"),
    )
    return min(values)


def _cut(picture: Any, part: Part) -> Any:
    x1, y1, x2, y2 = part
    return picture[y1:y2, x1:x2]


def _contrast(*parts: Any) -> float:
    """Between the darkest and the brightest twentieth of some parts, in grey levels."""
    values = np.concatenate([part.ravel() for part in parts])
    twentieth = values.size // 20
    ordered = np.partition(values, (twentieth, values.size - 1 - twentieth))
    return float(ordered[-1 - twentieth]) - float(ordered[twentieth])


def _difference(lab: Any) -> float:
    """How unlike the two sides are: the median over pairs of parts, mostly by colour."""
    means = np.array([(_mean(lab, left), _mean(lab, right)) for left, right in _SIDES])
    steps = (means[:, 0] - means[:, 1]) * (_LIGHT_WEIGHT, 1.0, 1.0, 0.0)
    return float(np.median(np.linalg.norm(steps, axis=1)))


def _mean(picture: Any, part: Part) -> tuple[float, ...]:
    """Of each channel; four numbers, of which what the picture lacks is 0."""
    return tuple(cv2.mean(_cut(picture, part)))


def ramp(x: float, zero: float, one: float) -> float:
    """0 at `zero`, 1 at `one`, in between along the line, beyond them no more."""
    return min(1.0, max(0.0, (x - zero) / (one - zero)))
