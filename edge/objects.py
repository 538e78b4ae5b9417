"""Which people and vehicles one frame shows: the detections of an object network that matter here.

In: a picture. Out: `SeenObjects`, of the classes that the wire knows, each object once: a network may call
one van a car and a truck. Pure but for the network, which the caller brings. Networks of the COCO classes
know no e-bikes and call them motorcycles; one that was trained for them names the class ``ebike``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from edge.frame import Image
from wire.messages import ObjectLabel

LABELS: Final[tuple[ObjectLabel, ...]] = get_args(ObjectLabel)
VEHICLES: Final[frozenset[ObjectLabel]] = frozenset({"car", "bus", "truck"})
CYCLES: Final[frozenset[ObjectLabel]] = frozenset({"bicycle", "motorcycle", "ebike"})
PEOPLE: Final[frozenset[ObjectLabel]] = frozenset({"person"})

#: Classes that are taken for one another: an object of a group stays one object when its class flips.
GROUPS: Final = (PEOPLE, CYCLES, VEHICLES)
_SAME_OVERLAP: Final = 0.6


class FoundObjects(Protocol):
    """N objects as a network finds them: boxes ``(N, 4)`` xyxy px, score ``(N,)``, N class names."""

    @property
    def boxes(self) -> NDArray[np.float32]:
        """``(N, 4)`` float32, xyxy px."""
        ...

    @property
    def score(self) -> NDArray[np.float32]:
        """``(N,)`` float32, 0 to 1."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """N class names."""
        ...


class ObjectNetwork(Protocol):
    """Finds objects. Shared between threads."""

    def detect(
        self, image: Image, *, min_score: float | None = None, only: Collection[str] | None = None
    ) -> FoundObjects:
        """Objects in a ``(H, W, 3)`` uint8 BGR picture, best first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SeenObjects:
    """N objects of one frame: boxes ``(N, 4)`` float32 xyxy px, score ``(N,)`` 0 to 1, their labels."""

    boxes: NDArray[np.float32]
    score: NDArray[np.float32]
    labels: tuple[ObjectLabel, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def empty(cls) -> "SeenObjects":
        """Nothing seen."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())

    def select(self, index: NDArray[np.intp]) -> "SeenObjects":
        """The objects of these indices, in this order."""
        labels = tuple(self.labels[i] for i in index)
        return SeenObjects(self.boxes[index], self.score[index], labels)


def see_objects(network: ObjectNetwork, image: Image) -> SeenObjects:
    """What `network` finds in ``(H, W, 3)`` BGR, each object once."""
    found = network.detect(image, only=LABELS)
    labels = tuple(label for name in found.names for label in LABELS if label == name)
    return each_once(SeenObjects(found.boxes, found.score, labels))


def each_once(seen: SeenObjects) -> SeenObjects:
    """Of detections of one group that overlap nearly fully, the best alone."""
    order = np.argsort(-seen.score, kind="stable")
    kept: list[int] = []
    for index in order:
        group = group_of(seen.labels[index])
        rivals = [other for other in kept if seen.labels[other] in group]
        overlaps = overlap(seen.boxes[index], seen.boxes[rivals])
        if not len(overlaps) or overlaps.max() < _SAME_OVERLAP:
            kept.append(int(index))
    return seen.select(np.array(kept, np.intp))


def group_of(label: ObjectLabel) -> frozenset[ObjectLabel]:
    """The classes that `label` may be taken for, and itself."""
    return next(group for group in GROUPS if label in group)


def overlap(box: NDArray[Any], boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of ``(4,)`` with each of ``(N, 4)``; ``(N,)``, 0 to 1."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    shares: NDArray[np.float64] = shared / np.maximum(areas - shared, 1e-9)
    return shares
