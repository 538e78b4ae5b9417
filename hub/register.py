"""The register: what belongs to a site, and who is responsible for it. Pure.

In: rows, from the API or from CSV. Out: validated, frozen rows; for each kind of them its key, which other
rows it refers to, and whether a row is about a person or a plate, so that looking at it needs a purpose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from hub.alerts import Level
from hub.grid import check_polygon, parse_polygon
from wire.messages import Identifier
from wire.plates import parse
from wire.schedule import Day, TimeOfDay, ZoneName

Title = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(max_length=400)]
UnitId = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\s:/?#%]+$")]
Phone = Annotated[str, Field(pattern=r"^(\+?[0-9 -]{3,20})?$")]


def _words(value: Any) -> Any:
    """A cell of CSV holds a list as words."""
    return value.split() if isinstance(value, str) else value


def _polygon(value: Any) -> Any:
    return parse_polygon(value) if isinstance(value, str) else value


def _plate(text: str) -> str:
    plate = parse(text)
    if plate is None:
        raise ValueError("this is no plate that the grammar knows")
    return plate.text


Plate = Annotated[str, Field(min_length=1, max_length=32), AfterValidator(_plate)]
#: Longitude and latitude. Described as a list of two: few programs that read OpenAPI know of tuples.
_PAIR: Final = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Corner = Annotated[tuple[float, float], WithJsonSchema(_PAIR)]
Corners = Annotated[tuple[Corner, ...], BeforeValidator(_polygon), AfterValidator(check_polygon)]
CellIds = Annotated[tuple[Identifier, ...], BeforeValidator(_words)]
Days = Annotated[frozenset[Day], Field(min_length=1), BeforeValidator(_words)]


class Row(BaseModel):
    """One row. Unknown columns are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False
    )

    #: The columns that tell rows apart.
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    #: Column -> the kind of row that it names; where that has a site, it is this row's.
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({})
    #: Whether looking at it is looking somebody up.
    PERSONAL: ClassVar[bool] = False


class Site(Row):
    """A community (小区)."""

    id: Identifier
    title: Title
    address: Text = ""


class Gate(Row):
    """An entrance."""

    KEY: ClassVar[tuple[str, ...]] = ("site", "id")
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"site": "sites"})

    site: Identifier
    id: Identifier
    title: Title


class Camera(Row):
    """Where a camera is. Its grid cell is `cell`, or the smallest that holds its place on the map."""

    KEY: ClassVar[tuple[str, ...]] = ("site", "id")
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"site": "sites", "gate": "gates", "cell": "cells"}
    )

    site: Identifier
    id: Identifier
    gate: str = ""
    title: Title
    place: Text = ""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    cell: str = ""

    @model_validator(mode="after")
    def _a_place_has_both(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude go together")
        return self


class Cell(Row):
    """A grid cell (网格). `polygon` is ``lon lat; lon lat; …`` in CSV; without it, cameras name the cell."""

    id: Identifier
    title: Title
    polygon: Corners | None = None


class Person(Row):
    """Somebody on the rosters of the three levels. `role` is what they are called (网格长, 社区民警 …).

    `cells` are those they are responsible for; none are all. `token` is the name of their API token.
    """

    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"cells": "cells"})

    id: Identifier
    name: Title
    role: Title
    level: Level
    cells: CellIds = ()
    phone: Phone = ""
    token: Annotated[str, Field(max_length=63)] = ""


class Shift(Row):
    """When a person is on duty: hours of some days; `until` before `since` is past midnight.

    `first_day` and `last_day`, both included, bound it.
    """

    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"person": "people"})

    id: Identifier
    person: Identifier
    days: Days
    since: TimeOfDay
    until: TimeOfDay
    zone: ZoneName = "Asia/Shanghai"
    first_day: date | None = None
    last_day: date | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.since == self.until:
            raise ValueError("since and until are the same: a whole day is 00:00 to 24:00")
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError("last_day is before first_day")
        return self


class Building(Row):
    """A building of a site."""

    KEY: ClassVar[tuple[str, ...]] = ("site", "id")
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"site": "sites", "cell": "cells"})

    site: Identifier
    id: UnitId
    title: Title
    cell: str = ""


class Unit(Row):
    """A flat or a shop, as meters, residents and passes name it."""

    KEY: ClassVar[tuple[str, ...]] = ("site", "id")
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"site": "sites", "building": "buildings"}
    )

    site: Identifier
    id: UnitId
    building: str = ""
    title: Text = ""
    occupancy: Literal["occupied", "vacant", "unknown"] = "unknown"


class Resident(Row):
    """Somebody who lives in a unit, by their recorded consent.

    `subject_id` is their enrolment, where they consented to that too. `welfare_since` is when somebody who
    lives alone asked to be looked after, when not seen for `welfare_hours`.
    """

    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"site": "sites", "unit": "units"})
    PERSONAL: ClassVar[bool] = True

    id: Identifier
    site: Identifier
    unit: UnitId
    name: Title
    consent_reference: Title
    subject_id: Annotated[str, Field(max_length=36)] | None = None
    lives_alone: bool = False
    welfare_since: AwareDatetime | None = None
    welfare_hours: Annotated[int, Field(ge=1, le=24 * 60)] | None = None

    @model_validator(mode="after")
    def _welfare_is_asked_for(self) -> Self:
        if (self.welfare_since is None) != (self.welfare_hours is None):
            raise ValueError("welfare_since and welfare_hours go together")
        if self.welfare_since is not None and not self.lives_alone:
            raise ValueError("welfare_since is for those who live alone")
        return self


class Vehicle(Row):
    """A vehicle that belongs to a unit. Without `valid_until` it does so for good."""

    KEY: ClassVar[tuple[str, ...]] = ("site", "plate")
    REFERS: ClassVar[Mapping[str, str]] = MappingProxyType({"site": "sites", "unit": "units"})
    PERSONAL: ClassVar[bool] = True

    site: Identifier
    plate: Plate
    unit: str = ""
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be after valid_from")
        return self


KINDS: Final[Mapping[str, type[Row]]] = MappingProxyType(
    {
        "sites": Site,
        "gates": Gate,
        "cells": Cell,
        "cameras": Camera,
        "people": Person,
        "shifts": Shift,
        "buildings": Building,
        "units": Unit,
        "residents": Resident,
        "vehicles": Vehicle,
    }
)
"""Every kind of row by its name, each after those that it refers to."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A row that another names: its kind and the values of its key."""

    column: str
    kind: str
    key: tuple[str, ...]


def key_of(row: Row) -> tuple[str, ...]:
    """The values that tell this row from others of its kind."""
    return tuple(str(getattr(row, name)) for name in type(row).KEY)


def references(row: Row) -> list[Reference]:
    """The rows that this one names."""
    found = []
    for column, kind in type(row).REFERS.items():
        value = getattr(row, column)
        for name in (value,) if isinstance(value, str) else value:
            if name:
                in_site = KINDS[kind].KEY[0] == "site"
                key = (getattr(row, "site"), name) if in_site else (name,)  # noqa: B009 - not of every row
                found.append(Reference(column, kind, key))
    return found


def join_key(key: tuple[str, ...]) -> str:
    """The key as paths name it."""
    return ":".join(key)


def split_key(kind: str, text: str) -> tuple[str, ...] | None:
    """The values of a key that a path names; None when it can be none of this kind."""
    parts = tuple(text.split(":"))
    return parts if len(parts) == len(KINDS[kind].KEY) else None
