"""What all behaviours share: their settings, what they tell, and how they are stepped. Pure.

A behaviour's file has its settings, as the configuration states them, and its watch, which takes the scene
of one camera frame by frame. A watch holds no picture and knows no clock but the frames' own.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from edge.grants import GrantBook
from edge.moment import Moment, Tracked
from edge.zones import PlaceEvent, Places, Zone
from wire.messages import Behaviour, Direction, Identifier, ObjectLabel


@dataclass(frozen=True, slots=True)
class BehaviourEvent:
    """What one object, or several together, did.

    `object` is who is shown, as it was at `at`. `tracks` are all that took part, `count` is what the
    behaviour counts. `since` is when it began, `reason` says it to a person.
    """

    behaviour: Behaviour
    object: Tracked
    at: datetime
    tracks: tuple[str, ...]
    count: int
    since: datetime
    reason: str
    zone: str | None = None
    line: str | None = None

    @property
    def stay_s(self) -> float:
        """For how long it has gone on."""
        return (self.at - self.since).total_seconds()


class Watch(ABC):
    """One behaviour of one camera. Not for use by two threads at once."""

    @abstractmethod
    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame, and what crossed any of the camera's lines in it."""

    @abstractmethod
    def forget(self) -> None:
        """Another scene begins."""


class BehaviourSettings(BaseModel, ABC):
    """One ``[[cameras.behaviours]]`` of the configuration; `kind` says which. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch for it. `places` holds the zone or line that it names."""


class InZone(BehaviourSettings):
    """A behaviour in one zone of the camera."""

    zone: Identifier

    def zone_of(self, places: Places) -> Zone:
        """The zone that it names."""
        return next(zone for zone in places.zones if zone.id == self.zone)


class AtLine(BehaviourSettings):
    """A behaviour at one line of the camera, in one direction over it."""

    line: Identifier
    direction: Direction

    def concerns(self, crossing: PlaceEvent, labels: frozenset[ObjectLabel]) -> bool:
        """Whether this is a crossing of that line, that way, by one of `labels`."""
        at_ours = (crossing.place, crossing.direction) == (self.line, self.direction)
        return at_ours and crossing.object.label in labels
