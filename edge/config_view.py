"""What one camera's picture means: zones, lines, privacy zones and perspective, as the file states them.

In: tables of TOML. Out: frozen, checked values. All coordinates are relative to the picture, ``[x, y]``, 0
to 1 from its top left corner, so that they hold for the main stream and the sub-stream alike.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from edge.geometry import Point, area, crosses_itself
from edge.objects import LABELS
from edge.perspective import Perspective
from edge.zones import Line, Places, Zone
from wire.messages import Identifier, ObjectLabel

Part = Annotated[float, Field(ge=0.0, le=1.0)]
RelativePoint = tuple[Part, Part]
_LEAST_AREA = 0.0005


def _is_polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if crosses_itself(points):
        raise ValueError("its sides cross: give the corners in their order around it")
    if area(points) < _LEAST_AREA:
        raise ValueError("it has no area; corners are [x, y] from 0 to 1, not pixels")
    return points


PolygonPoints = Annotated[
    tuple[RelativePoint, ...], Field(min_length=3, max_length=32), AfterValidator(_is_polygon)
]
Labels = Annotated[frozenset[ObjectLabel], Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ZoneSection(_Section):
    """A named part of the picture. What stands in it with its foot is inside.

    `dwell_s`: who stays as long as this is told; without it nobody is.
    """

    id: Identifier
    title: str = ""
    polygon: PolygonPoints
    labels: Labels = frozenset(LABELS)
    dwell_s: Annotated[float, Field(gt=0, le=86400)] | None = None

    @property
    def zone(self) -> Zone:
        """As the zones' step takes it."""
        return Zone(self.id, self.polygon, self.labels, self.dwell_s)


class LineSection(_Section):
    """A named line. Looking from `start` to `end`, who crosses it to the right goes ``in``."""

    id: Identifier
    title: str = ""
    start: RelativePoint
    end: RelativePoint
    labels: Labels = frozenset(LABELS)

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if abs(self.start[0] - self.end[0]) + abs(self.start[1] - self.end[1]) < 0.02:
            raise ValueError("start and end are the same place")
        return self

    @property
    def line(self) -> Line:
        """As the zones' step takes it."""
        return Line(self.id, self.start, self.end, self.labels)


class PerspectiveSection(_Section):
    """Where a person's feet are and how high they are there, ``[y, height]``, far off and near.

    What is less than half as high as it should be where it stands is not looked at.
    """

    far: tuple[Part, Annotated[float, Field(gt=0, le=1)]]
    near: tuple[Part, Annotated[float, Field(gt=0, le=2)]]

    @model_validator(mode="after")
    def _near_is_lower_and_higher(self) -> Self:
        if self.near[0] - self.far[0] < 0.05:
            raise ValueError("near must be lower in the picture than far: its y larger by 0.05")
        if self.near[1] < self.far[1]:
            raise ValueError("a person is higher when near than when far off")
        return self

    @property
    def perspective(self) -> Perspective:
        """As the object lane takes it."""
        return Perspective(self.far, self.near)


def missing_place(section: BaseModel, places: Places) -> str | None:
    """The zone or line that a section names and that is not there, in words; None when all are."""
    zone, line = getattr(section, "zone", None), getattr(section, "line", None)
    if zone is not None and zone not in {known.id for known in places.zones}:
        return f"this camera has no zone {zone!r}"
    if line is not None and line not in {known.id for known in places.lines}:
        return f"this camera has no line {line!r}"
    return None
