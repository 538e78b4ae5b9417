"""How fit one face is for recognition: 0 to 1, with a named reason for every lack.

In: the image, one face's box, landmarks and detector score. Out: `FaceQuality`. Pure. The edge ranks crops
by `value`; enrolment tells a person `verdicts()`, such as "too dark: 38, want 60".

The components follow ISO/IEC 29794-5 (inter-eye distance, sharpness, pose, exposure as dynamic range, what is
covered: `models.faces.occlusion`).
Exposure looks at the range of grey levels, not at their mean: a mean would mark dark skin down. The ramps
were set on the development pictures (LFW, InspireFace's test set, and copies of them darkened, brightened,
blurred and shrunk); docs/models.md shows what they give.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import cv2
import numpy as np

from models.arrays import Floats, Image, check_floats
from models.faces.align import align
from models.faces.occlusion import ramp, uncovered

Name = Literal["size", "sharpness", "pose", "exposure", "occlusion", "detector"]

WANTED: Final = 0.6
"""What each component should reach in a photo for enrolment."""

_WEIGHTS: Final[Mapping[Name, float]] = MappingProxyType(
    {
        "size": 0.15,
        "sharpness": 0.25,
        "pose": 0.20,
        "exposure": 0.30,
        "occlusion": 0.20,
        "detector": 0.10,
    }
)

# Weights and floor: the best of twelve tried for ranking 400 pictures (50 of LFW in eight conditions) by
# their similarity to others of the same person. That of occlusion, set later, takes nothing from a face that
# is not covered; one that is loses about what one of 30 px does, as it does of its similarity.
_FLOOR: Final = 0.05
"""A component counts for at least this in the product, so that poor crops keep an order."""


@dataclass(frozen=True, slots=True)
class Component:
    """One side of quality.

    Attributes:
        name: which.
        value: 0 (useless) to 1 (nothing to be gained).
        lack: what is wrong when `value` is low, for a person: "too dark", "turned away" ….
    """

    name: Name
    value: float
    lack: str


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Quality of one face: the weighted geometric mean of its components, so that one lack weighs."""

    value: float
    components: tuple[Component, ...]

    def __getitem__(self, name: Name) -> float:
        """The value of one component."""
        return next(part.value for part in self.components if part.name == name)

    def verdicts(self, wanted: float = WANTED) -> tuple[str, ...]:
        """What a person should mend, worst first: ("too dark: 38, want 60",); () when all is well."""
        poor = sorted((p for p in self.components if p.value < wanted), key=lambda p: p.value)
        return tuple(
            f"{p.lack}: {math.floor(p.value * 100)}, want {round(wanted * 100)}" for p in poor
        )


def assess(image: Image, landmarks: Floats, score: float) -> FaceQuality:
    """Judge one face.

    Args:
        image: ``(H, W, 3)`` uint8 BGR, the one the embedder's crop would be cut from.
        landmarks: ``(5, 2)`` float32, px, in the order of `models.faces.types`.
        score: the detector's, 0 to 1.
    """
    check_floats(landmarks, (5, 2), "landmarks")
    eyes_px = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    face = align(image, landmarks)
    inner = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[28:104, 26:86]
    components = (
        Component("size", ramp(eyes_px, 6, 36), "too small or too far away"),
        Component("sharpness", _sharpness(inner), "blurred"),
        Component(
            "pose", _pose(landmarks.astype(np.float64), eyes_px), "turned away from the camera"
        ),
        _exposure(inner),
        Component("occlusion", *uncovered(face)),
        Component("detector", ramp(score, 0.4, 0.8), "hardly to be recognised as a face"),
    )
    value = math.prod(max(part.value, _FLOOR) ** _WEIGHTS[part.name] for part in components)
    return FaceQuality(value, components)


def _range(inner: Any) -> float:
    """Grey levels between the darkest and the brightest twentieth of the face."""
    low, high = np.percentile(inner, (5, 95))
    return float(high - low)


def _sharpness(inner: Any) -> float:
    """Deviation of the Laplacian, relative to the range, so that a dark face is not called blurred."""
    edges = float(cv2.Laplacian(inner, cv2.CV_32F).std())
    return ramp(edges / max(_range(inner), 8.0), 0.02, 0.10)


def _pose(landmarks: Any, eyes_px: float) -> float:
    """1 when frontal. The nose wanders from between the eyes (yaw) and from midway to the mouth (pitch).

    Roll costs nothing: alignment turns the face upright.
    """
    if eyes_px == 0:
        return 0.0
    right, down = (landmarks[1] - landmarks[0]) / eyes_px, np.zeros(2)
    down[:] = -right[1], right[0]
    middle = landmarks[:2].mean(axis=0)
    nose, mouth = landmarks[2] - middle, landmarks[3:].mean(axis=0) - middle
    yaw = abs(float(nose @ right)) / eyes_px
    height = float(mouth @ down)
    pitch = abs(float(nose @ down) / height - 0.5) if height > 0 else 1.0
    return ramp(yaw, 0.8, 0.15) * ramp(pitch, 0.45, 0.15)


def _exposure(inner: Any) -> Component:
    burnt = float((inner >= 250).mean())
    value = ramp(_range(inner), 20, 90) * ramp(burnt, 0.5, 0.05)
    middle = float(np.median(inner))
    if burnt > 0.05 or middle > 200:
        lack = "too bright"
    elif middle < 90:
        lack = "too dark"
    else:
        lack = "too little contrast"
    return Component("exposure", value, lack)
