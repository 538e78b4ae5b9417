"""Where a rule watches, and which rules watch a place. Pure.

In: the place of a rule, the place of an observation. Out: whether one holds the other, and an index that
finds the rules of a place without asking all of them.
"""

import itertools
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

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
        """Where within its sites it watches: the condition that leaves the fewest rules to ask, by its name
        in `Spot`, and what it allows; the whole of its sites is ``""``."""
        for name in ("zone", "camera", "gate"):
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


_MOST_PAIRS: Final = 256


class PlaceIndex(Generic[R]):
    """Finds what is filed under a topic and may watch a spot. Immutable once made.

    Cameras of different sites have the same names: so what names both is filed under each site and camera
    together. Only where those are very many pairs is it filed under the cameras alone.
    """

    def __init__(self, filed: Iterable[Filed[R]]) -> None:
        self._boxes: dict[tuple[Hashable, str, str, str], list[Filed[R]]] = {}
        for one in filed:
            dimension, allowed = one.place.narrowest()
            sites = one.place.sites or frozenset({""})
            if len(sites) * len(allowed) > _MOST_PAIRS:
                sites = frozenset({""})
            for topic, site, value in itertools.product(one.topics, sites, allowed):
                self._boxes.setdefault((topic, site, dimension, value), []).append(one)

    def at(self, topics: Iterable[Hashable], spot: Spot) -> Iterator[R]:
        """What is filed under any of `topics` and watches `spot`, in its order."""
        found: dict[int, Filed[R]] = {}
        within = (("zone", spot.zone), ("camera", spot.camera), ("gate", spot.gate), ("", ""))
        for topic, site in itertools.product(topics, (spot.site, "")):
            for dimension, value in within:
                for one in self._boxes.get((topic, site, dimension, value), ()):
                    if one.place.holds(spot):
                        found[one.order] = one
        return (found[order].item for order in sorted(found))
