"""Passages: who came through a gate together, over one line in one direction, and who they may be.

In: crossings of the camera's lines; the faces and plates that were told, with where and when they were
seen. Out: one passage for all who crossed within `together_s` of one another, each member with the ids of
the observations of its face or plate. Pure. Who they are is the hub's to say; how many were let in, the
grants of the door say.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from edge.grants import GrantBook
from edge.moment import Moment, RelativeBox, Tracked
from edge.zones import PlaceEvent
from wire.messages import Direction, Identifier

_MOST_MEMBERS: Final = 64
_KEPT: Final = timedelta(seconds=30)  # as long after it was seen a face may still be told
_MOST_IDS: Final = 4
_SAME_TIME: Final = timedelta(seconds=0.3)
_LEAST_SHARE: Final = 0.5
_HEAD: Final = 0.45  # a face is in this upper part of its person's box


class PassageSettings(BaseModel):
    """One ``[[cameras.passages]]``. `device` is the door or barrier at the line; grants hold for `open_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: Identifier
    together_s: Annotated[float, Field(ge=0.5, le=30)] = 3.0
    device: Identifier | None = None
    open_s: Annotated[float, Field(ge=1, le=600)] = 10.0


@dataclass(frozen=True, slots=True)
class Member:
    """One person or vehicle of a passage."""

    thing: Tracked
    crossed_at: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """Those who crossed together, first one first; `grants` is None where no signal is connected."""

    line: str
    direction: Direction
    members: tuple[Member, ...]
    grants: int | None


@dataclass(slots=True)
class PassageWatch:
    """Who crosses one line together. Not for use by two threads at once."""

    settings: PassageSettings
    grants: GrantBook
    _groups: dict[Direction, list[Member]] = field(default_factory=dict, init=False)

    def step(self, moment: Moment, crossings: Sequence[PlaceEvent]) -> list[Passage]:
        """Take one frame, and what crossed in it; the passages that are complete."""
        for crossing in crossings:
            if crossing.place == self.settings.line and crossing.direction is not None:
                members = self._groups.setdefault(crossing.direction, [])
                if all(member.thing.id != crossing.object.id for member in members):
                    members.append(Member(crossing.object, moment.at))
        quiet = timedelta(seconds=self.settings.together_s)
        done = [
            direction
            for direction, members in self._groups.items()
            if moment.at - members[-1].crossed_at >= quiet or len(members) >= _MOST_MEMBERS
        ]
        return [self._passage(direction, self._groups.pop(direction)) for direction in done]

    def end_all(self) -> list[Passage]:
        """Another scene begins: who has crossed, has crossed."""
        groups = dict(self._groups)
        self._groups.clear()
        return [self._passage(direction, members) for direction, members in groups.items()]

    def _passage(self, direction: Direction, members: Sequence[Member]) -> Passage:
        return Passage(self.settings.line, direction, tuple(members), self._granted(members))

    def _granted(self, members: Sequence[Member]) -> int | None:
        if self.settings.device is None:
            return None
        since = members[0].crossed_at - timedelta(seconds=self.settings.open_s)
        until = members[-1].crossed_at + timedelta(seconds=self.settings.together_s)
        found = self.grants.since(self.settings.device, since, until)
        return None if found is None else len(found)


@dataclass(slots=True)
class _Known:
    """What was told of one person or vehicle."""

    seen_at: datetime
    faces: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_IDS))
    plates: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_IDS))


@dataclass(frozen=True, slots=True)
class _Note:
    """A face or plate that was told, and where and when it was seen."""

    observation_id: str
    box: RelativeBox
    at: datetime
    is_face: bool


@dataclass(slots=True)
class Companions:
    """Whose face, and which vehicle's plate, an observation shows: by where both were at that moment.

    A face may be told in a person's first frame, before anyone is followed: so whose it is, is decided a
    moment later.
    """

    _moments: deque[Moment] = field(default_factory=deque, init=False)
    _notes: list[_Note] = field(default_factory=list, init=False)
    _known: dict[str, _Known] = field(default_factory=dict, init=False)

    def see(self, moment: Moment) -> None:
        """Remember where everyone is, and decide whose the latest faces and plates are."""
        self._moments.append(moment)
        while self._moments[0].at < moment.at - _KEPT:
            self._moments.popleft()
        for thing in moment.objects:
            if thing.id in self._known:
                self._known[thing.id].seen_at = moment.at
        for note in [note for note in self._notes if note.at + _SAME_TIME <= moment.at]:
            self._notes.remove(note)
            self._decide(note)
        late = [name for name, known in self._known.items() if known.seen_at < moment.at - _KEPT]
        for name in late:
            del self._known[name]

    def face(self, observation_id: str, box: RelativeBox, at: datetime) -> None:
        """A face was told that was in `box` at that time."""
        self._notes.append(_Note(observation_id, box, at, is_face=True))

    def plate(self, observation_id: str, box: RelativeBox, at: datetime) -> None:
        """A plate was told that was in `box` at that time."""
        self._notes.append(_Note(observation_id, box, at, is_face=False))

    def faces(self, track_id: str) -> tuple[str, ...]:
        """Ids of the observations of this one's face, latest last."""
        return tuple(self._known[track_id].faces) if track_id in self._known else ()

    def plates(self, track_id: str) -> tuple[str, ...]:
        """Ids of the observations of this one's plate, latest last."""
        return tuple(self._known[track_id].plates) if track_id in self._known else ()

    def forget(self) -> None:
        """Another scene begins."""
        self._moments.clear()
        self._notes.clear()
        self._known.clear()

    def _decide(self, note: _Note) -> None:
        """It is of the person or vehicle that held it best about then, or of none."""
        shares = [
            (_held(note.box, _head(thing.box) if note.is_face else thing.box), thing.id)
            for moment in self._moments
            if abs(moment.at - note.at) <= _SAME_TIME
            for thing in moment.objects
            if (thing.label == "person") == note.is_face
        ]
        share, owner = max(shares, default=(0.0, ""))
        if share >= _LEAST_SHARE:
            known = self._known.setdefault(owner, _Known(note.at))
            (known.faces if note.is_face else known.plates).append(note.observation_id)


def _head(box: RelativeBox) -> RelativeBox:
    """The upper part of a person's box."""
    x1, y1, x2, y2 = box
    return x1, y1 - 0.1 * (y2 - y1), x2, y1 + _HEAD * (y2 - y1)


def _held(inner: RelativeBox, outer: RelativeBox) -> float:
    """The share of `inner` that is in `outer`, less a little for each that is larger than it need be."""
    width = min(inner[2], outer[2]) - max(inner[0], outer[0])
    height = min(inner[3], outer[3]) - max(inner[1], outer[1])
    area = (inner[2] - inner[0]) * (inner[3] - inner[1])
    if width <= 0 or height <= 0 or area <= 0:
        return 0.0
    larger = (outer[2] - outer[0]) * (outer[3] - outer[1])
    return width * height / area - 0.1 * larger
