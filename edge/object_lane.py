"""The lane of people and vehicles: followed, placed, watched, told.

In: the objects of successive frames of one camera. Out: findings. The steps are `edge.object_track`,
`edge.whereabouts`, `edge.zones`, `edge.behaviours` and `edge.passages`; this passes each frame from one to
the next, and keeps the latest frames in which a line was crossed, for what is told of them some seconds
later.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from edge.behaviours import BehaviourEvent, Watch
from edge.evidence import Box
from edge.findings import (
    BehaviourFinding,
    FaceFinding,
    Finding,
    ObjectFinding,
    PassageFinding,
    PlateFinding,
)
from edge.frame import Frame
from edge.lane import View
from edge.moment import Moment, RelativeBox, Tracked
from edge.object_track import ObjectsTracker
from edge.objects import SeenObjects
from edge.passages import Companions, Passage, PassageWatch
from edge.sentences import passage_sentence, place_sentence
from edge.whereabouts import Whereabouts
from edge.zones import LineWatch, PlaceEvent, Places, ZoneWatch
from wire.messages import PassageMember

_SHOTS: Final = 6


class ObjectLane:
    """People and vehicles of one camera. Not for use by two threads at once."""

    def __init__(
        self,
        places: Places,
        behaviours: Sequence[Watch] = (),
        passages: Sequence[PassageWatch] = (),
        *,
        new_id: Callable[[], str],
        rate_hz: float,
    ) -> None:
        self._places, self._behaviours, self._passages = places, behaviours, passages
        self._tracker = ObjectsTracker(new_id, rate_hz=rate_hz)
        self._whereabouts = Whereabouts()
        self._zones = [ZoneWatch(zone) for zone in places.zones]
        self._lines = [LineWatch(line) for line in places.lines]
        self._companions = Companions()
        self._shots: OrderedDict[datetime, View] = OrderedDict()

    @property
    def alive(self) -> bool:
        """Whether anything is in view that may go on without motion in the picture."""
        return self._whereabouts.alive

    def process(
        self, seen: SeenObjects, frame: Frame, view: Callable[[], View]
    ) -> Sequence[Finding]:
        """Take one frame's objects through all steps; `view` is what to show of it, if it is shown."""
        moment = self._moment(seen, frame)
        self._companions.see(moment)
        crossings = [event for watch in self._lines for event in watch.step(moment)]
        places = [event for watch in self._zones for event in watch.step(moment)] + crossings
        behaviours = [e for watch in self._behaviours for e in watch.step(moment, crossings)]
        passages = [
            passage for watch in self._passages for passage in watch.step(moment, crossings)
        ]
        if not (places or behaviours or passages):
            return ()
        shown = view()
        if crossings:
            self._keep(shown, moment.at)
        return [
            *(_object(event, shown, moment.at) for event in places),
            *(self._behaviour(event, shown) for event in behaviours),
            *(self._passage(passage, shown) for passage in passages),
        ]

    def told(self, finding: Finding, observation_id: str) -> None:
        """A face or a plate of this camera was told: whose it is, a passage says."""
        if isinstance(finding, FaceFinding):
            note = self._companions.face
        elif isinstance(finding, PlateFinding):
            note = self._companions.plate
        else:
            return
        note(observation_id, _relative(finding.box, finding.frame), finding.frame.captured_at)

    def end_all(self) -> Sequence[Finding]:
        """Another scene begins: who has crossed is told, and what was in this one is forgotten."""
        passages = [passage for watch in self._passages for passage in watch.end_all()]
        findings = [
            self._passage(passage, shot)
            for passage in passages
            if (shot := self._shots.get(passage.members[0].crossed_at)) is not None
        ]
        self._tracker.end_all()
        self._whereabouts.end_all()
        self._companions.forget()
        self._shots.clear()
        for zone in self._zones:
            zone.forget()
        for line in self._lines:
            line.forget()
        for behaviour in self._behaviours:
            behaviour.forget()
        return findings

    def _moment(self, seen: SeenObjects, frame: Frame) -> Moment:
        width, height = frame.size_px
        if self._places.perspective is not None:
            seen = seen.select(self._places.perspective.large_enough(seen, height))
        tracks = self._tracker.update(seen, frame.captured_at.timestamp())
        return self._whereabouts.update(seen, tracks, (width, height), frame.captured_at)

    def _keep(self, shown: View, at: datetime) -> None:
        if self._behaviours or self._passages:
            self._shots[at] = shown
            while len(self._shots) > _SHOTS:
                self._shots.popitem(last=False)

    def _behaviour(self, event: BehaviourEvent, now: View) -> BehaviourFinding:
        view = self._shots.get(event.at, now)
        return BehaviourFinding(
            **_common(event.object, view, event.at, event.reason, since=event.since), event=event
        )

    def _passage(self, passage: Passage, now: View) -> PassageFinding:
        first, last = passage.members[0], passage.members[-1]
        view = self._shots.get(first.crossed_at, now)
        members = tuple(
            PassageMember(
                track_id=member.thing.id,
                label=member.thing.label,
                crossed_at=member.crossed_at,
                faces=self._companions.faces(member.thing.id),
                plates=self._companions.plates(member.thing.id),
            )
            for member in passage.members
        )
        return PassageFinding(
            **_common(first.thing, view, last.crossed_at, passage_sentence(passage)),
            passage=passage,
            members=members,
        )


def _object(event: PlaceEvent, view: View, at: datetime) -> ObjectFinding:
    return ObjectFinding(**_common(event.object, view, at, place_sentence(event)), event=event)


def _common(
    thing: Tracked, view: View, at: datetime, reason: str, *, since: datetime | None = None
) -> dict[str, Any]:
    """The fields that every finding has."""
    captured_at = view.frame.captured_at
    return {
        "track_id": thing.id,
        "revision": 0,
        "reason": reason,
        "first_seen_at": min(thing.first_seen_at, captured_at, since or captured_at),
        "last_seen_at": max(at, captured_at),
        "frames": thing.frames,
        "frame": view.frame,
        "box": box_px(thing, view.frame),
        "quality": _unit(thing.score),
        "detector_score": _unit(thing.score),
        "faces": view.faces,
    }


def box_px(thing: Tracked, frame: Frame) -> Box:
    """Where the object is in `frame`, in its pixels, at least a pixel wide and high."""
    width, height = frame.size_px
    x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in thing.box)
    left, top = min(x1 * width, width - 1.0), min(y1 * height, height - 1.0)
    right, bottom = max(x2 * width, left + 1.0), max(y2 * height, top + 1.0)
    return round(left, 1), round(top, 1), round(right, 1), round(bottom, 1)


def _relative(box: Box, frame: Frame) -> RelativeBox:
    width, height = frame.size_px
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
