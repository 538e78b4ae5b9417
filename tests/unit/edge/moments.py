"""Moments made by hand: what zones, behaviours and passages decide by, without pictures or tracks."""

from datetime import timedelta

from edge.moment import Moment, Tracked
from tests.unit.edge.fakes import T0
from wire.messages import ObjectLabel

ASPECT = 0.5
RATE_HZ = 5


def thing(
    name: str,
    foot: tuple[float, float],
    label: ObjectLabel = "person",
    *,
    height: float = 0.3,
    width: float = 0.06,
    speed: float = 0.0,
    **more: object,
) -> Tracked:
    """An object that stands with its foot there."""
    x, y = foot
    known = {
        "score": 0.9,
        "first_seen_at": T0,
        "frames": 10,
        "still_s": 0.0,
        "has_moved": True,
        "parked": False,
        **more,
    }
    box = (x - width / 2, y - height, x + width / 2, y)
    return Tracked(id=name, label=label, box=box, speed=speed, **known)  # type: ignore[arg-type]


def moment(
    at_s: float,
    *objects: Tracked,
    parked: tuple[Tracked, ...] = (),
    ended: tuple[str, ...] = (),
) -> Moment:
    """What is in view at that time."""
    return Moment(T0 + timedelta(seconds=at_s), ASPECT, objects, parked, ended)
