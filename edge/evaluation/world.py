"""A made yard seen by a fixed camera: who walks where, as the detections an object network would give.

In: actors with their paths on the ground, in metres and seconds, and a seeded source of chance. Out:
`SeenObjects` for each frame, with what real detections have: boxes that tremble, misses, who is hidden
behind others, wrong classes, things that are not there. Pure. The camera hangs 4 m high and looks 18
degrees down.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, radians, sin
from random import Random
from types import MappingProxyType
from typing import Final

import numpy as np

from edge.objects import SeenObjects
from wire.messages import ObjectLabel

SIZE_PX: Final = (1280, 720)
RATE_HZ: Final = 5.0
_FOCAL_PX: Final = 900.0
_HEIGHT_M: Final = 4.0
_PITCH: Final = radians(18.0)
_TREMBLE: Final = 0.025  # of the box's size, standard deviation of each side
_MISSED: Final = 0.06
_HIDDEN: Final = 0.7  # covered by as much, it is not detected
_GHOSTS: Final = 0.01  # false detections per frame

#: Width, height and length in metres; the length lies across the view.
_SIZES: Final[Mapping[ObjectLabel, tuple[float, float, float]]] = MappingProxyType(
    {
        "person": (0.5, 1.7, 0.5),
        "bicycle": (0.5, 1.1, 1.7),
        "motorcycle": (0.7, 1.2, 1.8),
        "ebike": (0.6, 1.1, 1.7),
        "car": (1.8, 1.5, 4.5),
        "bus": (2.5, 3.0, 11.0),
        "truck": (2.4, 3.0, 7.0),
    }
)
_FLIPS: Final[Mapping[ObjectLabel, ObjectLabel]] = MappingProxyType(
    {"car": "truck", "truck": "car", "bus": "truck", "motorcycle": "bicycle"}
)
_FLIPPED: Final = 0.08

Place = tuple[float, float]
"""On the ground: metres to the right of the camera, metres before it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something: where it is at a time, None where it is not in view."""

    label: ObjectLabel
    place: Callable[[float], Place | None]


def along(points: Sequence[tuple[float, float, float]]) -> Callable[[float], Place | None]:
    """A path through ``(seconds, x, z)``, straight and even between them; None before and after."""
    times, xs, zs = (np.array(column, np.float64) for column in zip(*points, strict=True))

    def place(at_s: float) -> Place | None:
        if not times[0] <= at_s <= times[-1]:
            return None
        return float(np.interp(at_s, times, xs)), float(np.interp(at_s, times, zs))

    return place


def project(x: float, y: float, z: float) -> tuple[float, float]:
    """A point, metres right of, above and before the foot of the camera, in pixels."""
    down, depth = _HEIGHT_M - y, max(0.5, z * cos(_PITCH) + (_HEIGHT_M - y) * sin(_PITCH))
    v = down * cos(_PITCH) - z * sin(_PITCH)
    return SIZE_PX[0] / 2 + _FOCAL_PX * x / depth, SIZE_PX[1] / 2 + _FOCAL_PX * v / depth


def relative(place: Place) -> tuple[float, float]:
    """A place on the ground, as configurations name it: parts of the picture, kept within it."""
    u, v = project(place[0], 0.0, place[1])
    return min(1.0, max(0.0, u / SIZE_PX[0])), min(1.0, max(0.0, v / SIZE_PX[1]))


def frame_at(actors: Sequence[Actor], at_s: float, random: Random) -> SeenObjects:
    """What a network finds at that time."""
    present = [(a, place) for a in actors if (place := a.place(at_s)) is not None]
    present.sort(key=lambda pair: pair[1][1])  # the nearest first: it hides those behind
    rows: list[tuple[ObjectLabel, np.ndarray]] = []
    for actor, place in present:
        box = _box(actor.label, place)
        if box is None or any(_covered(box, nearer) for _, nearer in rows):
            continue
        rows.append((actor.label, box))
    found = [_detected(label, box, random) for label, box in rows if random.random() > _MISSED]
    if random.random() < _GHOSTS:
        found.append(_ghost(random))
    if not found:
        return SeenObjects.empty()
    return SeenObjects(
        np.array([box for _, _, box in found], np.float32),
        np.array([score for _, score, _ in found], np.float32),
        tuple(label for label, _, _ in found),
    )


def _box(label: ObjectLabel, place: Place) -> np.ndarray | None:
    """``(4,)`` px of the part that is in the picture; None where less than a third is."""
    width, height, length = _SIZES[label]
    corners = product((-length / 2, length / 2), (0.0, height), (-width / 2, width / 2))
    points = np.array([project(place[0] + dx, y, place[1] + dz) for dx, y, dz in corners])
    whole = np.concatenate([points.min(axis=0), points.max(axis=0)])
    box: np.ndarray = np.clip(whole, 0, np.tile(SIZE_PX, 2))
    if (box[2:] - box[:2]).prod() < (whole[2:] - whole[:2]).prod() / 3:
        return None
    return box


def _covered(box: np.ndarray, nearer: np.ndarray) -> bool:
    shared = np.clip(np.minimum(box[2:], nearer[2:]) - np.maximum(box[:2], nearer[:2]), 0, None)
    return bool(shared.prod() > _HIDDEN * (box[2:] - box[:2]).prod())


def _detected(
    label: ObjectLabel, box: np.ndarray, random: Random
) -> tuple[ObjectLabel, float, np.ndarray]:
    size = np.tile(box[2:] - box[:2], 2)
    tremble = np.array([random.gauss(0.0, _TREMBLE) for _ in range(4)])
    flipped = _FLIPS.get(label, label) if random.random() < _FLIPPED else label
    return flipped, min(0.95, max(0.26, random.gauss(0.7, 0.15))), box + size * tremble


def _ghost(random: Random) -> tuple[ObjectLabel, float, np.ndarray]:
    """Something that is not there, anywhere, of any class."""
    label = random.choice(tuple(_SIZES))
    x, y = random.uniform(0, SIZE_PX[0] - 120), random.uniform(0, SIZE_PX[1] - 120)
    side = random.uniform(40, 120)
    return label, random.uniform(0.26, 0.6), np.array([x, y, x + side, y + side])
