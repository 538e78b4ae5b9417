"""The lane of people and vehicles: followed, placed, watched at zones and lines, told as object findings.

In: the objects of successive frames of one camera. Out: findings. The steps are `edge.object_track`,
`edge.whereabouts` and `edge.zones`; this passes each frame from one to the next.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from edge.evidence import Box
from edge.findings import Finding, ObjectFinding
from edge.frame import Frame
from edge.lane import View
from edge.moment import Moment, Tracked
from edge.object_track import ObjectsTracker
from edge.objects import SeenObjects
from edge.whereabouts import Whereabouts
from edge.zones import LineWatch, PlaceEvent, Places, ZoneWatch


class ObjectLane:
    """People and vehicles of one camera. Not for use by two threads at once."""

    def __init__(self, places: Places, *, new_id: Callable[[], str], rate_hz: float) -> None:
        self._places = places
        self._tracker = ObjectsTracker(new_id, rate_hz=rate_hz)
        self._whereabouts = Whereabouts()
        self._watches: tuple[ZoneWatch | LineWatch, ...] = (
            *(ZoneWatch(zone) for zone in places.zones),
            *(LineWatch(line) for line in places.lines),
        )

    @property
    def alive(self) -> bool:
        """Whether anything is in view that may go on without motion in the picture."""
        return self._whereabouts.alive

    def process(
        self, seen: SeenObjects, frame: Frame, view: Callable[[], View]
    ) -> Sequence[Finding]:
        """Take one frame's objects through all steps; `view` is what to show of it, if it is shown."""
        moment = self._moment(seen, frame)
        events = [event for watch in self._watches for event in watch.step(moment)]
        if not events:
            return ()
        shown = view()
        return [_finding(event, shown, moment.at) for event in events]

    def end_all(self) -> Sequence[Finding]:
        """Another scene begins: what was in this one is forgotten."""
        self._tracker.end_all()
        self._whereabouts.end_all()
        for watch in self._watches:
            watch.forget()
        return ()

    def _moment(self, seen: SeenObjects, frame: Frame) -> Moment:
        width, height = frame.size_px
        if self._places.perspective is not None:
            seen = seen.select(self._places.perspective.large_enough(seen, height))
        tracks = self._tracker.update(seen, frame.captured_at.timestamp())
        return self._whereabouts.update(seen, tracks, (width, height), frame.captured_at)


def _finding(event: PlaceEvent, view: View, at: datetime) -> ObjectFinding:
    thing = event.object
    return ObjectFinding(
        track_id=thing.id,
        revision=0,
        reason=sentence(event),
        first_seen_at=min(thing.first_seen_at, view.frame.captured_at),
        last_seen_at=max(at, view.frame.captured_at),
        frames=thing.frames,
        frame=view.frame,
        box=box_px(thing, view.frame),
        quality=_unit(thing.score),
        detector_score=_unit(thing.score),
        faces=view.faces,
        event=event,
    )


def box_px(thing: Tracked, frame: Frame) -> Box:
    """Where the object is in `frame`, in its pixels, at least a pixel wide and high."""
    width, height = frame.size_px
    x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in thing.box)
    left, top = min(x1 * width, width - 1.0), min(y1 * height, height - 1.0)
    right, bottom = max(x2 * width, left + 1.0), max(y2 * height, top + 1.0)
    return round(left, 1), round(top, 1), round(right, 1), round(bottom, 1)


def sentence(event: PlaceEvent) -> str:
    """The event in words."""
    what, where = event.object.label, f"{event.place_kind} {event.place}"
    match event.event:
        case "crossed":
            return f"a {what} crossed {where}, {event.direction}"
        case "dwelt":
            return f"a {what} has been in {where} for {event.stay_s or 0:.0f} s"
        case _:
            return f"a {what} {event.event} {where}"


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
