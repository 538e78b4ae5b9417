"""What objects, zones and behaviours cost four cameras, against the networks that feed them."""

import itertools
import time
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

from pydantic import TypeAdapter

from edge.behaviours import AnyBehaviour, BehaviourSettings, Watch
from edge.evaluation.scenarios import loitering
from edge.evaluation.world import RATE_HZ, SIZE_PX, Actor, along, frame_at
from edge.grants import GrantBook
from edge.moment import Moment
from edge.object_track import ObjectsTracker
from edge.objects import SeenObjects, see_objects
from edge.whereabouts import Whereabouts
from edge.zones import Line, LineWatch, Places, Zone, ZoneWatch
from models.objects import load_object_detector
from models.packs import PackStore
from tests.bench.clips import gate_clip, picture_at
from tests.bench.report import Row

_CAMERAS, _SECONDS = 4, 60
_T0 = datetime(2026, 1, 1, tzinfo=UTC)
_ALL = frozenset({"person", "bicycle", "motorcycle", "ebike", "car", "bus", "truck"})
_ZONES = tuple(
    Zone(f"zone{n}", ((0.0, 0.1 * n), (1.0, 0.1 * n), (1.0, 1.0), (0.0, 1.0)), _ALL, 30.0)
    for n in range(4)
)
_LINES = (Line("line", (1.0, 0.6), (0.0, 0.6), _ALL), Line("side", (0.5, 1.0), (0.5, 0.0), _ALL))
_BEHAVIOURS = (
    {"kind": "loitering", "zone": "zone0"},
    {"kind": "crowding", "zone": "zone1", "people": 5},
    {"kind": "vehicle_prowling"},
    {"kind": "blocked_lane", "zone": "zone2"},
    {"kind": "ebike_indoors", "zone": "zone3"},
    {"kind": "barrier_run", "line": "line", "direction": "in", "device": "gate"},
    {"kind": "wrong_way", "line": "side", "direction": "out"},
    {"kind": "tailgating", "line": "line", "direction": "in", "device": "gate"},
)


class _Lane:
    """One camera's steps behind the network: those of `edge.object_lane`, timed apart."""

    def __init__(self) -> None:
        settings: TypeAdapter[BehaviourSettings] = TypeAdapter(AnyBehaviour)
        places, book, numbers = Places(_ZONES, _LINES), GrantBook(), itertools.count(1)
        self._tracker = ObjectsTracker(lambda: f"t{next(numbers)}", rate_hz=RATE_HZ)
        self._whereabouts = Whereabouts()
        self._zones = [ZoneWatch(zone) for zone in _ZONES]
        self._lines = [LineWatch(line) for line in _LINES]
        self._watches: list[Watch] = [
            settings.validate_python(one).watch(places, book) for one in _BEHAVIOURS
        ]

    def follow(self, seen: SeenObjects, at: datetime) -> Moment:
        tracks = self._tracker.update(seen, at.timestamp())
        return self._whereabouts.update(seen, tracks, SIZE_PX, at)

    def watch(self, moment: Moment) -> None:
        crossings = [event for line in self._lines for event in line.step(moment)]
        for zone in self._zones:
            zone.step(moment)
        for watch in self._watches:
            watch.step(moment, crossings)


def run() -> list[Row]:
    """Four cameras with ten people and vehicles in view, a minute at 5 Hz, on one thread.

    Nothing where no object pack is installed: there is no network to compare with.
    """
    fastest = _fastest_network()
    if fastest is None:
        return []
    pack, network_s = fastest
    frames = _busy_yard()
    lanes = [_Lane() for _ in range(_CAMERAS)]
    follow_s = watch_s = 0.0
    for at_s, seen in frames:
        for lane in lanes:
            at, started = _T0 + timedelta(seconds=at_s), time.thread_time()
            moment = lane.follow(seen, at)
            followed = time.thread_time()
            lane.watch(moment)
            follow_s += followed - started
            watch_s += time.thread_time() - followed
    calls = len(frames) * _CAMERAS
    group = f"Objects, zones and behaviours, {_CAMERAS} cameras at {RATE_HZ:g} Hz, one thread"
    against = f"network {pack}: {1000 * network_s:.3g} ms a frame"
    parts = (
        ("follow (tracks, whereabouts)", follow_s),
        (f"{len(_ZONES)} zones, {len(_LINES)} lines, {len(_BEHAVIOURS)} behaviours", watch_s),
        ("together", follow_s + watch_s),
    )
    return [
        Row(group, f"{name}, a frame", 1000 * s / calls, "ms", against, s / calls / network_s)
        for name, s in parts
    ]


def _fastest_network() -> tuple[str, float] | None:
    """The fastest object pack that is installed, and seconds for one frame of 1280 x 720."""
    store = PackStore()
    ready = [p.name for p in store.all() if p.kind == "object" and store.status(p).state == "ready"]
    image, times = picture_at(gate_clip(), 2.0), {}
    for name in ready:
        detector = load_object_detector(name, threads=1)
        times[name] = median(_seconds(lambda d=detector: see_objects(d, image)) for _ in range(20))
    return min(times.items(), key=lambda item: item[1], default=None)


def _seconds(call) -> float:
    """Of the processor, so that who else is at work on the machine changes neither side."""
    started = time.thread_time()
    call()
    return time.thread_time() - started


def _busy_yard() -> list[tuple[float, SeenObjects]]:
    random = Random(1)
    actors = [loitering(random).actors[0] for _ in range(5)]
    cars = [(-8.0, 20.0), (-3.0, 20.0), (2.0, 20.0), (7.0, 20.0), (0.0, 25.0)]
    actors += [Actor("car", along([(0.0, x, z), (_SECONDS, x, z)])) for x, z in cars]
    count = round(_SECONDS * RATE_HZ)
    return [(n / RATE_HZ, frame_at(actors, n / RATE_HZ, random)) for n in range(count)]
