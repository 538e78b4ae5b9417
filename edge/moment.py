"""The scene of one camera at one frame: which objects are where, and what they do. Values.

`edge.whereabouts` makes them; zones, behaviours and passages decide by them. Coordinates are relative to
the picture, so that they hold for the main stream and the sub-stream alike.
"""

from dataclasses import dataclass
from datetime import datetime

from edge.geometry import Point
from wire.messages import ObjectLabel

RelativeBox = tuple[float, float, float, float]
"""x1, y1, x2, y2, 0 to 1 of the picture's width and height."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """One object at one moment.

    Attributes:
        id: of its track.
        label: its class, by the vote of all its frames.
        box: x1, y1, x2, y2, 0 to 1 of the picture's width and height.
        score: the detector's for this frame, 0 to 1.
        first_seen_at: when its track began.
        frames: in how many frames it was seen.
        speed: of its foot over the last second, in its own heights a second.
        still_s: for how long it has stood, seconds.
        has_moved: whether it was ever seen to move.
        parked: a vehicle that has stood for a while, and not left since.
        unseen_s: for how long it has not been seen: a parked vehicle may be hidden by another.
    """

    id: str
    label: ObjectLabel
    box: RelativeBox
    score: float
    first_seen_at: datetime
    frames: int
    speed: float
    still_s: float
    has_moved: bool
    parked: bool
    unseen_s: float = 0.0

    @property
    def foot(self) -> Point:
        """Where it stands: the middle of the lower side of its box."""
        return (self.box[0] + self.box[2]) / 2.0, self.box[3]

    @property
    def height(self) -> float:
        """Of its box, 0 to 1 of the picture's height."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is in view at one frame.

    `objects` were seen in this frame; `parked` are all vehicles that are parked, seen just now or hidden.
    `aspect` is the picture's height / width. `ended` are the tracks that have ended with this frame.
    """

    at: datetime
    aspect: float
    objects: tuple[Tracked, ...]
    parked: tuple[Tracked, ...] = ()
    ended: tuple[str, ...] = ()
