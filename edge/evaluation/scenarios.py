"""Made scenarios with known truth: of each behaviour those that show it, and ordinary ones that look like
it. Pure.

In: a seed. Out: a `Scenario`: the camera's settings, the actors, the grants of the door or barrier, and
whether the behaviour is there. One function makes those that show a behaviour, another those that do not;
chance varies places, speeds, pauses and company.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Final

from edge.evaluation.world import Actor, Place, along, relative
from wire.messages import Behaviour, ObjectLabel

LOITER_S: Final = 30.0
BLOCKED_S: Final = 40.0

_ZONE: Final = ((-6.0, 9.0), (6.0, 9.0), (6.0, 18.0), (-6.0, 18.0))  # metres
_NEAR, _FAR = 9.0, 18.0
#: Across the view, 12 m off, drawn from right to left: who goes away from the camera goes in.
_LINE: Final = ((8.0, 12.0), (-8.0, 12.0))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One made stretch of time before a camera.

    `settings` are those of the behaviour; `grants` when its device was released, and when word of it came.
    """

    behaviour: Behaviour
    settings: Mapping[str, Any]
    actors: Sequence[Actor]
    lasts_s: float
    shows_it: bool
    grants: Sequence[tuple[float, float]] = field(default=())


Make = Callable[[Random], Scenario]


def zone_points() -> list[list[float]]:
    """The zone of all scenarios, as the configuration has it."""
    return [list(relative(corner)) for corner in _ZONE]


def line_points() -> tuple[list[float], list[float]]:
    """Start and end of the line of all scenarios."""
    start, end = (list(relative(place)) for place in _LINE)
    return start, end


# What actors do -------------------------------------------------------------------------------


def _walk_past(random: Random, start_s: float, label: ObjectLabel = "person") -> Actor:
    """Across the whole view at an even pace."""
    speed = random.uniform(0.9, 1.8) if label == "person" else random.uniform(2.0, 5.0)
    z, side = random.uniform(_NEAR, _FAR), random.choice((-1, 1))
    return Actor(label, along([(start_s, -14 * side, z), (start_s + 28 / speed, 14 * side, z)]))


def _stay(random: Random, start_s: float, stay_s: float, *, around: Place | None = None) -> Actor:
    """Walks in, stands and shifts about within some metres for `stay_s`, walks out."""
    x, z = around or (random.uniform(-4, 4), random.uniform(_NEAR + 1.5, _FAR - 2))
    side = random.choice((-1, 1))
    points = [(start_s, 14.0 * side, z)]
    at_s = start_s + abs(14.0 * side - x) / 1.3
    until_s = at_s + stay_s
    points.append((at_s, x, z))
    while at_s < until_s:
        rest_s = min(random.uniform(2, 10), until_s - at_s)
        go_s = random.uniform(1, 3)
        here = points[-1][1:]
        there = _within(x + random.uniform(-1.5, 1.5), z + random.uniform(-1, 1))
        points += [(at_s + rest_s, *here), (at_s + rest_s + go_s, *there)]
        at_s += rest_s + go_s
    points.append((at_s + 10, 14.0 * side, z))
    return Actor("person", along(points))


def _within(x: float, z: float) -> Place:
    return min(5.0, max(-5.0, x)), min(_FAR - 1.0, max(_NEAR + 1.0, z))


def _stands(label: ObjectLabel, place: Place, lasts_s: float) -> Actor:
    return Actor(label, along([(0.0, *place), (lasts_s, *place)]))


def _over_line(
    random: Random, at_s: float, *, away: bool, label: ObjectLabel, x: float | None = None
) -> Actor:
    """Straight over the line at that time, away from the camera or towards it."""
    person = label == "person"
    speed, x = random.uniform(0.9, 1.6) if person else random.uniform(1.5, 4.0), x or 0.0
    x += random.uniform(-0.5, 0.5)
    near, far = 8.5, 24.0
    before, after = (12.0 - near, far - 12.0) if away else (far - 12.0, 12.0 - near)
    start, end = (near, far) if away else (far, near)
    points = [(at_s - before / speed, x, start), (at_s + after / speed, x, end)]
    return Actor(label, along(points))


def _company(random: Random, lasts_s: float, most: int) -> list[Actor]:
    """People who walk past meanwhile."""
    count = random.randint(0, most)
    return [_walk_past(random, random.uniform(0, max(1.0, lasts_s - 15))) for _ in range(count)]


# Loitering ------------------------------------------------------------------------------------

_LOITERING: Final = MappingProxyType({"kind": "loitering", "zone": "zone", "stay_s": LOITER_S})


def loitering(random: Random) -> Scenario:
    """One person stays for a third longer or more."""
    stay_s = random.uniform(1.35, 2.2) * LOITER_S
    lasts_s = stay_s + 30
    actors = [_stay(random, 0.0, stay_s), *_company(random, lasts_s, 3)]
    return Scenario("loitering", _LOITERING, actors, lasts_s, shows_it=True)


def no_loitering(random: Random) -> Scenario:
    """Some wait, for less than the time with coming and going; others walk past one after another."""
    waits = [
        _stay(random, random.uniform(0, 30), random.uniform(0.1, 0.3) * LOITER_S)
        for _ in range(random.randint(0, 2))
    ]
    passers = [_walk_past(random, 5.0 * n + random.uniform(0, 4)) for n in range(10)]
    return Scenario("loitering", _LOITERING, [*waits, *passers], 80.0, shows_it=False)


# Crowding -------------------------------------------------------------------------------------

_CROWDING: Final = MappingProxyType(
    {"kind": "crowding", "zone": "zone", "people": 5, "hold_s": 10.0}
)


def crowding(random: Random) -> Scenario:
    """Six to nine come and stay together."""
    count = random.randint(6, 9)
    places = random.sample([(x, z) for x in (-4, -2, 0, 2, 4) for z in (11, 13.5, 16)], count)
    actors = [
        _stay(random, random.uniform(0, 6), random.uniform(25, 40), around=(float(x), float(z)))
        for x, z in places
    ]
    return Scenario("crowding", _CROWDING, actors, 60.0, shows_it=True)


def no_crowding(random: Random) -> Scenario:
    """Up to two stay, and others stream past without stopping."""
    actors = [_stay(random, 0.0, 40.0) for _ in range(random.randint(0, 2))]
    actors += [_walk_past(random, 9.0 * n + random.uniform(0, 3)) for n in range(5)]
    return Scenario("crowding", _CROWDING, actors, 60.0, shows_it=False)


# Vehicle prowling -----------------------------------------------------------------------------

_PROWLING: Final = MappingProxyType({"kind": "vehicle_prowling", "vehicles": 3, "pause_s": 1.5})
_ROW_Z: Final = 15.0


def _row(random: Random, lasts_s: float) -> tuple[list[Actor], list[float]]:
    """Cars parked in a row, and where their middles are."""
    count = random.randint(4, 5)
    xs = [(n - (count - 1) / 2) * 5.3 + random.uniform(-0.2, 0.2) for n in range(count)]
    xs = [x for x in xs if abs(x) < 8.2]
    return [_stands("car", (x, _ROW_Z), lasts_s) for x in xs], xs


def _calls_at(random: Random, start_s: float, stops: Sequence[tuple[float, float]]) -> Actor:
    """Walks along the row, on its near side, and stops at each ``(x, seconds)``."""
    z = _ROW_Z - random.uniform(1.2, 1.5)
    at_s, x = start_s, stops[0][0] - 6.0
    points = [(at_s, x, z)]
    for stop_x, pause_s in stops:
        at_s += max(0.5, abs(stop_x - x) / random.uniform(1.0, 1.5))
        points += [(at_s, stop_x, z), (at_s + pause_s, stop_x, z)]
        at_s, x = at_s + pause_s, stop_x
    points.append((at_s + 12 / 1.3, x + 12.0, z - 2.0))
    return Actor("person", along(points))


def vehicle_prowling(random: Random) -> Scenario:
    """One person stops at three cars or more, for two to six seconds each."""
    lasts_s = 70.0
    cars, xs = _row(random, lasts_s)
    count = random.randint(3, len(xs))
    tried = sorted(random.sample(xs, count))
    stops = [(x + random.uniform(-1.2, 1.2), random.uniform(2.2, 6.0)) for x in tried]
    thief = _calls_at(random, random.uniform(12, 18), stops)
    actors = [*cars, thief, *_company(random, lasts_s, 2)]
    return Scenario("vehicle_prowling", _PROWLING, actors, lasts_s, shows_it=True)


def no_vehicle_prowling(random: Random) -> Scenario:
    """People walk along the row; owners get in or unload; one looks for their car and stops at two."""
    lasts_s = 70.0
    cars, xs = _row(random, lasts_s)
    passers = [_calls_at(random, random.uniform(5, 45), [(x, 0.0) for x in sorted(xs)])
               for _ in range(random.randint(1, 3))]  # fmt: skip
    owners = [
        _calls_at(random, random.uniform(10, 25), [(random.choice(xs), random.uniform(5, 25))])
        for _ in range(random.randint(0, 2))
    ]
    two = sorted(random.sample(xs, 2))
    seeker = _calls_at(random, 12.0, [(x, random.uniform(1, 4)) for x in two])
    seekers = [seeker] if random.random() < 0.5 else []
    actors = [*cars, *passers, *owners, *seekers]
    return Scenario("vehicle_prowling", _PROWLING, actors, lasts_s, shows_it=False)


# Blocked lane ---------------------------------------------------------------------------------

_BLOCKED: Final = MappingProxyType({"kind": "blocked_lane", "zone": "zone", "stay_s": BLOCKED_S})


def _stops(random: Random, start_s: float, stop_s: float, *, z: float | None = None) -> Actor:
    """A vehicle drives in, stops and drives on."""
    label: ObjectLabel = random.choice(("car", "car", "truck"))
    x, z = random.uniform(-2.5, 2.5), z or random.uniform(11.0, 15.0)
    side, speed = random.choice((-1, 1)), random.uniform(2.5, 5.0)
    there_s = start_s + (16.0 + side * x) / speed
    left_s = there_s + stop_s
    points = [(start_s, -16.0 * side, z), (there_s, x, z), (left_s, x, z)]
    return Actor(label, along([*points, (left_s + (16 - side * x) / speed, 16.0 * side, z)]))


def blocked_lane(random: Random) -> Scenario:
    """A car or lorry stands there for a quarter longer or more, and people pass before it."""
    stop_s = random.uniform(1.25, 1.8) * BLOCKED_S
    lasts_s = stop_s + 25
    actors = [_stops(random, 1.0, stop_s), *_company(random, lasts_s, 4)]
    return Scenario("blocked_lane", _BLOCKED, actors, lasts_s, shows_it=True)


def no_blocked_lane(random: Random) -> Scenario:
    """One after another stops for a while, together for longer; others drive through or stand beside."""
    actors = [_stops(random, 22.0 * n, random.uniform(3, 12)) for n in range(4)]
    actors += [_walk_past(random, random.uniform(0, 80), "car") for _ in range(2)]
    actors.append(_stands("car", (random.uniform(-5, 5), random.uniform(23.0, 26.0)), 100.0))
    return Scenario("blocked_lane", _BLOCKED, actors, 100.0, shows_it=False)


# E-bike indoors -------------------------------------------------------------------------------

_EBIKE: Final = MappingProxyType({"kind": "ebike_indoors", "zone": "zone"})


def ebike_indoors(random: Random) -> Scenario:
    """Pushed in, at a walk, and left standing or taken out again."""
    label: ObjectLabel = random.choice(("ebike", "motorcycle"))
    x, z = random.uniform(-3, 3), random.uniform(11, 16)
    start_s, stay_s = random.uniform(0, 5), random.uniform(2, 20)
    there_s = start_s + abs(14 - x) / 1.2
    path = along([(start_s, 14.0, z), (there_s, x, z), (there_s + stay_s, x, z)])
    beside = along(
        [(start_s, 14.0, z + 0.6), (there_s, x, z + 0.6), (there_s + stay_s, x, z + 0.6)]
    )
    actors = [Actor(label, path), Actor("person", beside), *_company(random, 40.0, 2)]
    return Scenario("ebike_indoors", _EBIKE, actors, 40.0, shows_it=True)


def no_ebike_indoors(random: Random) -> Scenario:
    """People, a bicycle that is carried in, and e-bikes that pass outside."""
    actors = [_walk_past(random, random.uniform(0, 30)) for _ in range(random.randint(1, 5))]
    if random.random() < 0.5:
        actors.append(_walk_past(random, random.uniform(0, 20), "bicycle"))
    z, start_s = random.uniform(22.0, 26.0), random.uniform(0, 20)
    actors.append(Actor("ebike", along([(start_s, -20.0, z), (start_s + 12, 20.0, z)])))
    return Scenario("ebike_indoors", _EBIKE, actors, 45.0, shows_it=False)


# At the barrier and the door ------------------------------------------------------------------

_RUN: Final = MappingProxyType(
    {"kind": "barrier_run", "line": "line", "direction": "in", "device": "gate", "open_s": 12.0}
)
_TAILGATING: Final = MappingProxyType(
    {"kind": "tailgating", "line": "line", "direction": "in", "device": "gate", "open_s": 10.0}
)
_WRONG: Final = MappingProxyType({"kind": "wrong_way", "line": "line", "direction": "out"})


def _word(random: Random, at_s: float) -> tuple[float, float]:
    """A grant, and when word of it comes."""
    return at_s, at_s + random.uniform(0.05, 2.0)


def _granted_cars(random: Random, times: Sequence[float]) -> tuple[list[Actor], list[Any]]:
    cars = [_over_line(random, at_s, away=True, label="car") for at_s in times]
    return cars, [_word(random, at_s - random.uniform(0.5, 6.0)) for at_s in times]


def barrier_run(random: Random) -> Scenario:
    """A car goes through that nobody let in, some time after those who were."""
    cars, grants = _granted_cars(random, [15.0, 32.0][: random.randint(0, 2)])
    runner = _over_line(random, 52.0 + random.uniform(0, 4), away=True, label="car")
    actors = [*cars, runner]
    return Scenario("barrier_run", _RUN, actors, 68.0, shows_it=True, grants=grants)


def no_barrier_run(random: Random) -> Scenario:
    """Each has its grant; others drive out, walk through, or are let in and do not come."""
    cars, grants = _granted_cars(random, [15.0, 32.0, 50.0])
    grants.append(_word(random, random.uniform(20, 60)))
    leaving = _over_line(random, random.uniform(20, 28), away=False, label="car", x=4.0)
    walker = _over_line(random, random.uniform(10, 50), away=True, label="person", x=-4.0)
    actors = [*cars, leaving, walker]
    return Scenario("barrier_run", _RUN, actors, 68.0, shows_it=False, grants=grants)


def wrong_way(random: Random) -> Scenario:
    """One comes against the direction, among others that do not."""
    label: ObjectLabel = random.choice(("car", "car", "truck", "motorcycle"))
    wrong = _over_line(random, random.uniform(15, 30), away=False, label=label)
    right = _over_line(random, 45.0, away=True, label="car")
    return Scenario("wrong_way", _WRONG, [wrong, right], 55.0, shows_it=True)


def no_wrong_way(random: Random) -> Scenario:
    """Cars go the right way; one backs up a little over the line; people go both ways."""
    actors = [_over_line(random, at_s, away=True, label="car") for at_s in (10.0, 28.0)]
    x, back = random.uniform(-2, 2), random.uniform(0.3, 0.8)
    rest_s = 45.0 + random.uniform(1, 4)
    path = [(40.0, x, 9.0), (42.0, x, 13.0), (45.0, x, 13.0), (rest_s, x, 12.0 - 0.3 * back)]
    actors.append(Actor("car", along([*path, (rest_s + 2, x, 14.0), (rest_s + 6, x, 24.0)])))
    for _ in range(random.randint(0, 3)):
        away = random.random() < 0.5
        actors.append(_over_line(random, random.uniform(5, 40), away=away, label="person", x=4.0))
    return Scenario("wrong_way", _WRONG, actors, 60.0, shows_it=False)


def tailgating(random: Random) -> Scenario:
    """One grant, and a second person goes through within five seconds of the first."""
    at_s = 20.0
    follows_s = at_s + random.uniform(0.8, 5.0)
    x = random.uniform(-1, 1)
    actors = [
        _over_line(random, at_s, away=True, label="person", x=x),
        _over_line(random, follows_s, away=True, label="person", x=x + random.choice((-1.2, 1.2))),
    ]
    grants = [_word(random, at_s - random.uniform(0.5, 3.0))]
    return Scenario("tailgating", _TAILGATING, actors, 45.0, shows_it=True, grants=grants)


def no_tailgating(random: Random) -> Scenario:
    """Each with a grant of their own, close together; others come out meanwhile."""
    times = [15.0, 15.0 + random.uniform(1.5, 5.0), 35.0]
    xs = [-1.0, 0.8, 0.0]
    actors = [
        _over_line(random, at_s, away=True, label="person", x=x)
        for at_s, x in zip(times, xs, strict=True)
    ]
    grants = [_word(random, at_s - random.uniform(0.3, 2.5)) for at_s in times]
    actors.append(_over_line(random, random.uniform(12, 30), away=False, label="person", x=4.5))
    return Scenario("tailgating", _TAILGATING, actors, 52.0, shows_it=False, grants=grants)


SCENARIOS: Final[Mapping[Behaviour, tuple[Make, Make]]] = MappingProxyType(
    {
        "loitering": (loitering, no_loitering),
        "crowding": (crowding, no_crowding),
        "vehicle_prowling": (vehicle_prowling, no_vehicle_prowling),
        "blocked_lane": (blocked_lane, no_blocked_lane),
        "ebike_indoors": (ebike_indoors, no_ebike_indoors),
        "barrier_run": (barrier_run, no_barrier_run),
        "wrong_way": (wrong_way, no_wrong_way),
        "tailgating": (tailgating, no_tailgating),
    }
)
"""Of each behaviour: what makes a scenario that shows it, and one that does not."""
