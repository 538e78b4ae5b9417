"""For how long each object has been in a zone: what loitering, crowding and e-bikes indoors count. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from edge.geometry import contains
from edge.moment import Tracked
from edge.zones import Zone

OUT_AFTER_S: Final = 2.0  # unseen, or beside the zone, for as long: gone


@dataclass(slots=True)
class Stay:
    """One object in the zone: since when, and when and as what it was last seen there."""

    last: Tracked
    since: datetime
    seen_at: datetime
    told: bool = False


@dataclass(slots=True)
class Stays:
    """Who is in one zone, by name. `out_after_s`: for how long one may be out of sight and stay."""

    zone: Zone
    out_after_s: float = OUT_AFTER_S
    _stays: dict[str, Stay] = field(default_factory=dict, init=False)

    def step(self, things: Iterable[tuple[str, Tracked]], at: datetime) -> Mapping[str, Stay]:
        """Take those of one frame, with their names; who is in the zone, longest first."""
        for name, thing in things:
            if contains(self.zone.polygon, thing.foot):
                stay = self._stays.setdefault(name, Stay(thing, at, at))
                stay.last, stay.seen_at = thing, at
        gone = [
            name
            for name, stay in self._stays.items()
            if (at - stay.seen_at).total_seconds() > self.out_after_s
        ]
        for name in gone:
            del self._stays[name]
        return self._stays

    def forget(self) -> None:
        """Another scene begins."""
        self._stays.clear()
