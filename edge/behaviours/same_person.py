"""People under one name though their track broke: hidden for longer than a tracker waits. Pure.

In: the moments of one camera. Out: a name for each person, that of an ended track where a new one begins
soon and close by. It is for behaviours that take minutes; nobody is recognised by looks.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from edge.geometry import distance
from edge.moment import Moment, Tracked

GAP_S: Final = 6.0
_SLOW: Final = 0.5  # own heights a second: who walks on comes out elsewhere
_REACH_HEIGHTS: Final = 1.0  # from where they were last seen, whatever the gap: between parked cars


@dataclass(slots=True)
class SamePerson:
    """Names of the people of one camera."""

    _seen: dict[str, tuple[Tracked, datetime]] = field(default_factory=dict, init=False)
    _ended: dict[str, tuple[Tracked, datetime]] = field(default_factory=dict, init=False)
    _names: dict[str, str] = field(default_factory=dict, init=False)

    def step(self, moment: Moment) -> list[tuple[str, Tracked]]:
        """The people of this frame with their names."""
        for track in moment.ended:
            if track in self._seen:
                self._ended[track] = self._seen.pop(track)
        self._forget_ended(moment.at)
        people = [thing for thing in moment.objects if thing.label == "person"]
        for person in people:
            if person.id not in self._names:
                self._names[person.id] = self._successor(person, moment) or person.id
            self._seen[person.id] = person, moment.at
        return [(self._names[person.id], person) for person in people]

    @property
    def names(self) -> frozenset[str]:
        """Everyone who is in view, or may come back."""
        return frozenset(self._names[track] for track in (*self._seen, *self._ended))

    def forget(self) -> None:
        """Another scene begins."""
        self._seen.clear()
        self._ended.clear()
        self._names.clear()

    def _successor(self, person: Tracked, moment: Moment) -> str | None:
        """The name of the ended track that goes on here: the nearest one within reach."""
        reach = _REACH_HEIGHTS * person.height * moment.aspect
        near = [
            (apart, track)
            for track, (last, _) in self._ended.items()
            if last.speed <= _SLOW
            and (apart := distance(last.foot, person.foot, moment.aspect)) <= reach
        ]
        if not near:
            return None
        _, track = min(near)
        del self._ended[track]
        return self._names.pop(track)

    def _forget_ended(self, now: datetime) -> None:
        for track, (_, at) in tuple(self._ended.items()):
            if (now - at).total_seconds() > GAP_S:
                del self._ended[track]
                del self._names[track]
