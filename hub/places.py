"""Where a rule watches, and which rules watch a place. Pure.

In: the place of a rule, the place of an observation. Out: whether one holds the other, and an index that
finds the rules of a place without asking all of them.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from wire.messages import Identifier

R = TypeVar("R")


class Spot(NamedTuple):
    """Where something was seen; `zone` is a zone or a line of the camera, "" where none is told."""

    site: str
    gate: str
    camera: str
    zone: str = ""


class Place(BaseModel):
    """Where a rule watches; empty means everywhere. `zones` are zones or lines of its cameras."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sites: frozenset[Identifier] = frozenset()
    gates: frozenset[Identifier] = frozenset()
    cameras: frozenset[Identifier] = frozenset()
    zones: frozenset[Identifier] = frozenset()

    def holds(self, spot: Spot) -> bool:
        """Whether the rule watches there."""
        return (
            (not self.sites or spot.site in self.sites)
            and (not self.gates or spot.gate in self.gates)
            and (not self.cameras or spot.camera in self.cameras)
            and (not self.zones or spot.zone in self.zones)
        )

    def narrowest(self) -> tuple[str, frozenset[str]]:
        """The condition that leaves the fewest rules to ask: its name in `Spot`, and what it allows."""
        for name in ("zone", "camera", "gate", "site"):
            allowed: frozenset[str] = getattr(self, f"{name}s")
            if allowed:
                return name, allowed
        return "", frozenset({""})


@dataclass(frozen=True, slots=True)
class Filed(Generic[R]):
    """Something to be found: `order` is kept, `topics` are what it is looked up by."""

    order: int
    topics: frozenset[Hashable]
    place: Place
    item: R


class PlaceIndex(Generic[R]):
    """Finds what is filed under a topic and may watch a spot. Immutable once made."""

    def __init__(self, filed: Iterable[Filed[R]]) -> None:
        self._boxes: dict[tuple[Hashable, str, str], list[Filed[R]]] = {}
        for one in filed:
            dimension, allowed = one.place.narrowest()
            for topic in one.topics:
                for value in allowed:
                    self._boxes.setdefault((topic, dimension, value), []).append(one)

    def at(self, topics: Iterable[Hashable], spot: Spot) -> Iterator[R]:
        """What is filed under any of `topics` and watches `spot`, in its order."""
        found: dict[int, Filed[R]] = {}
        where = (("zone", spot.zone), ("camera", spot.camera), ("gate", spot.gate))
        for topic in topics:
            for dimension, value in (*where, ("site", spot.site), ("", "")):
                for one in self._boxes.get((topic, dimension, value), ()):
                    if one.place.holds(spot):
                        found[one.order] = one
        return (found[order].item for order in sorted(found))
