"""Detections of one frame: its faces, its plates, its people and vehicles.

In: a `Frame`. Out: `Detections`, with every face that the detector found (bystanders are blurred by
them) and the indices of those large enough to recognise. Runs a network only where the camera wants it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.frame import Frame, Image
from edge.objects import ObjectNetwork, SeenObjects, see_objects
from models.faces.types import FaceDetections, FaceDetector
from models.plates.types import PlateDetections, PlateReading


class PlateNetworks(Protocol):
    """Finds plates and reads them. Shared between threads."""

    def detect(self, frames: Sequence[Image]) -> list[PlateDetections]:
        """Plates of each ``(H, W, 3)`` uint8 BGR picture, best first."""
        ...

    def read(self, frame: Image, detections: PlateDetections) -> list[PlateReading]:
        """Read each detection in `frame`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What one frame shows. `faces_looked_for` is False where no detector looked for faces."""

    faces: FaceDetections
    plates: PlateDetections
    objects: SeenObjects
    faces_looked_for: bool


class Detect:
    """The detection step of one camera."""

    def __init__(
        self,
        faces: FaceDetector | None,
        plates: PlateNetworks | None,
        objects: ObjectNetwork | None = None,
    ) -> None:
        self._faces, self._plates, self._objects = faces, plates, objects

    def __call__(self, frame: Frame) -> Detections:
        """Run the networks that this camera wants on `frame`."""
        faces = FaceDetections.empty() if self._faces is None else self._faces.detect(frame.image)
        plates = (
            PlateDetections.empty()
            if self._plates is None
            else self._plates.detect([frame.image])[0]
        )
        objects = (
            SeenObjects.empty()
            if self._objects is None
            else see_objects(self._objects, frame.image)
        )
        return Detections(faces, plates, objects, self._faces is not None)


def select_faces(faces: FaceDetections, chosen: Sequence[int]) -> FaceDetections:
    """The faces of these indices, in this order."""
    index = np.asarray(chosen, dtype=np.intp)
    return FaceDetections(faces.boxes[index], faces.score[index], faces.landmarks[index])


def select_plates(plates: PlateDetections, chosen: Sequence[int]) -> PlateDetections:
    """The plates of these indices, in this order."""
    index = np.asarray(chosen, dtype=np.intp)
    return PlateDetections(
        plates.boxes[index], plates.score[index], plates.corners[index], plates.rows[index]
    )


def large_enough(faces: FaceDetections, least_px: int) -> list[int]:
    """Indices of the faces whose box is at least `least_px` on its longer side."""
    sides = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(axis=1, initial=0.0)
    return [int(index) for index in np.flatnonzero(sides >= least_px)]
