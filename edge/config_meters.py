"""``[[meters]]`` of the edge's file: which message of a meter gateway is which household's reading.

In: tables of TOML. Out: frozen, checked values. Gateways differ in little but the names of their fields, so a
meter is a topic and a path to the number in its JSON.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.messages import Identifier

Medium = Literal["water", "electricity"]
#: What a gateway counts in, of which medium that is, and how much of m3 or kWh it is.
COUNTS: Final[dict[str, tuple[Medium, float]]] = {
    "m3": ("water", 1.0),
    "l": ("water", 0.001),
    "kWh": ("electricity", 1.0),
    "Wh": ("electricity", 0.001),
}
Name = Annotated[str, Field(min_length=1, max_length=64)]
JsonPath = Annotated[str, Field(max_length=200, pattern=r"^([^.\s]+(\.[^.\s]+)*)?$")]


class MeterSection(BaseModel):
    """One meter of one unit; `unit` is the register's name of the flat.

    `value` is the path of what the meter stands at, names and places of lists joined by dots, "" where the
    message is the bare number; `counts` is what it is counted in. `time` is the path of when it was read,
    without which it is when the message came. At most one reading in `every_s` is told. `gateway` is what the
    hub knows the meters' gateway as, in the place of a camera.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    unit: Name
    medium: Medium
    topic: Annotated[str, Field(min_length=1, max_length=400)]
    value: JsonPath = ""
    counts: Literal["m3", "l", "kWh", "Wh"]
    time: Annotated[JsonPath, Field(min_length=1)] | None = None
    every_s: Annotated[float, Field(ge=1, le=86400)] = 900.0
    gateway: Identifier = "meters"

    @model_validator(mode="after")
    def _is_one_meter(self) -> Self:
        if any(sign in self.topic for sign in "+#"):
            raise ValueError("topic: one meter has one topic, without + and #")
        if COUNTS[self.counts][0] != self.medium:
            raise ValueError(f"counts: {self.medium} is not counted in {self.counts}")
        return self


def check_meters(meters: Sequence[MeterSection], cameras: Collection[str]) -> None:
    """ValueError where two meters are one, or a gateway is called like a camera."""
    names = [meter.id for meter in meters]
    for meter in meters:
        if names.count(meter.id) > 1:
            raise ValueError(f"two meters are called {meter.id!r}")
        if meter.gateway in cameras:
            raise ValueError(f"meter {meter.id!r}: gateway {meter.gateway!r} is a camera's name")
