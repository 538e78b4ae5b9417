"""A zone, a line and timelines of moments for the tests of behaviours."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from edge.behaviours import AnyBehaviour, BehaviourEvent, BehaviourSettings, Watch
from edge.grants import Grant, GrantBook
from edge.moment import Tracked
from edge.zones import Line, LineWatch, Places, Zone
from tests.unit.edge.fakes import T0
from tests.unit.edge.moments import RATE_HZ, moment

ALL = frozenset({"person", "bicycle", "motorcycle", "ebike", "car", "bus", "truck"})
ZONE = Zone("yard", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)), ALL)
LINE = Line("gate", (0.5, 1.0), (0.5, 0.0), ALL)  # to the right is in
PLACES = Places(zones=(ZONE,), lines=(LINE,))
SETTINGS: TypeAdapter[BehaviourSettings] = TypeAdapter(AnyBehaviour)
Scene = Callable[[float], Sequence[Tracked]]


def watch(kind: str, grants: GrantBook | None = None, **settings: Any) -> Watch:
    return SETTINGS.validate_python({"kind": kind, **settings}).watch(PLACES, grants or GrantBook())


def grants(*at_s: float) -> GrantBook:
    """Those of a gate whose signal has been there for long."""
    book = GrantBook()
    book.connected("gate", T0 - timedelta(hours=1))
    for at in at_s:
        book.add(Grant("gate", T0 + timedelta(seconds=at), "card"))
    return book


def play(
    watching: Watch, scene: Scene, lasts_s: float, *, from_s: float = 0.0
) -> list[tuple[float, BehaviourEvent]]:
    """Show the scene; what is told, and when."""
    told, lines, before = [], LineWatch(LINE), set[str]()
    for n in range(round(from_s * RATE_HZ), round((from_s + lasts_s) * RATE_HZ)):
        at_s = n / RATE_HZ
        things = scene(at_s)
        parked = tuple(thing for thing in things if thing.parked)
        ended = tuple(before - {thing.id for thing in things})
        before = {thing.id for thing in things}
        now = moment(at_s, *things, parked=parked, ended=ended)
        told += [(at_s, event) for event in watching.step(now, lines.step(now))]
    return told
