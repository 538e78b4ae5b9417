"""Which grant of a door or barrier each crossing used: running a barrier and tailgating, but for their words.
Pure.

In: crossings of one line in one direction, and the grants of its device. Out: each crossing, once word of a
late grant can have come, with how it went: on a grant of its own, on that of another, on none, or nobody
can say.

    grants of the device                        outcome
    it was not heard all that while             unknown
    one in time that nobody has used            granted
    one in time, used by another                followed
    none in time                                nobody
"""

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from edge.behaviours.base import AtLine, BehaviourEvent, Watch
from edge.grants import Grant, GrantBook
from edge.moment import Moment, Tracked
from edge.zones import PlaceEvent, Places
from wire.messages import Identifier, ObjectLabel

Outcome = Literal["granted", "followed", "nobody", "unknown"]
LATE: Final = timedelta(seconds=3)  # word of a grant may come after the one it was for has crossed


@dataclass(frozen=True, slots=True)
class Settled:
    """One crossing and how it went; `ahead` used the grant that this one followed on."""

    thing: Tracked
    at: datetime
    outcome: Outcome
    ahead: tuple[str, ...] = ()


@dataclass(slots=True)
class OnGrant:
    """Crossings of one line against the grants of one device, which hold for `open_s` each."""

    device: str
    open_s: float
    grants: GrantBook
    _waiting: deque[tuple[Tracked, datetime]] = field(default_factory=deque, init=False)
    _used: dict[Grant, list[str]] = field(default_factory=dict, init=False)

    def crossed(self, thing: Tracked, at: datetime) -> None:
        """Someone went over the line in the direction that wants a grant."""
        self._waiting.append((thing, at))

    def settle(self, now: datetime) -> list[Settled]:
        """The crossings that are old enough to say how they went, in their order."""
        settled = []
        while self._waiting and self._waiting[0][1] + LATE <= now:
            settled.append(self._settle(*self._waiting.popleft()))
        return settled

    def forget(self) -> None:
        """Another scene begins."""
        self._waiting.clear()

    def _settle(self, thing: Tracked, at: datetime) -> Settled:
        since = at - timedelta(seconds=self.open_s)
        found = self.grants.since(self.device, since, at + LATE)
        for grant in [grant for grant in self._used if grant.at < since]:
            del self._used[grant]
        if found is None:
            return Settled(thing, at, "unknown")
        unused = next((grant for grant in found if grant not in self._used), None)
        if unused is not None:
            self._used[unused] = [thing.id]
            return Settled(thing, at, "granted")
        if not found:
            return Settled(thing, at, "nobody")
        ahead = tuple(self._used[found[-1]])
        self._used[found[-1]].append(thing.id)
        return Settled(thing, at, "followed", ahead)


class AtDevice(AtLine):
    """The settings of a behaviour at a door or barrier. A grant of `device` holds for `open_s`."""

    #: Which crossings are told.
    TELLS: ClassVar[Outcome]

    device: Identifier
    open_s: Annotated[float, Field(ge=1, le=600)]
    labels: Annotated[frozenset[ObjectLabel], Field(min_length=1)]

    def watch(self, places: Places, grants: GrantBook) -> Watch:
        """Begin to watch the line."""
        del places
        return _DeviceWatch(self, OnGrant(self.device, self.open_s, grants))

    @abstractmethod
    def event(self, settled: Settled) -> BehaviourEvent:
        """What is told of a crossing."""


class _DeviceWatch(Watch):
    """Those who go over one line."""

    def __init__(self, settings: AtDevice, on_grant: OnGrant) -> None:
        self._settings, self._on_grant = settings, on_grant

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[BehaviourEvent]:
        """Take one frame."""
        settings = self._settings
        for crossing in crossings:
            if settings.concerns(crossing, settings.labels):
                self._on_grant.crossed(crossing.object, moment.at)
        settled = self._on_grant.settle(moment.at)
        return [settings.event(one) for one in settled if one.outcome == settings.TELLS]

    def forget(self) -> None:
        """Another scene begins."""
        self._on_grant.forget()
