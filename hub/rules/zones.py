"""What the kinds about zones and lines share: whom they are about, and how a zone is named. Pure."""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import RuleDocument
from wire.messages import ObjectLabel

Labels = Annotated[frozenset[ObjectLabel], Field(min_length=1)]

VEHICLES: Final[frozenset[ObjectLabel]] = frozenset({"car", "bus", "truck", "motorcycle"})
NAMES: Final[dict[str, str]] = {
    "person": "a person", "bicycle": "a bicycle", "motorcycle": "a motorcycle",
    "ebike": "an e-bike", "car": "a car", "bus": "a bus", "truck": "a lorry",
}  # fmt: skip


class ZoneRule(RuleDocument):
    """A rule that zones or lines of a camera may narrow."""

    SEES_ZONES: ClassVar[bool] = True


def zone_key(seen: Sighting) -> str:
    """Name a zone or line for de-duplication."""
    return f"zone:{seen.site}:{seen.camera}:{seen.spot.zone}"


def where(seen: Sighting) -> str:
    """Name a zone or line for a person."""
    return (
        f"{seen.spot.zone} of camera {seen.camera}" if seen.spot.zone else f"camera {seen.camera}"
    )


def span(seconds: float) -> str:
    """A time for a person: seconds, minutes, hours or days."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172800 else f"{seconds / 86400:.0f} days"


def at_least(column: str, least: float) -> dict[str, float | frozenset[str]]:
    """A need, where there is one."""
    return {column: least} if least else {}
