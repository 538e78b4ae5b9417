"""How well each behaviour is told: over made scenarios, and of false alarms on ordinary video.

In: scenarios (`edge.evaluation.scenarios`), or the objects that a network found in each frame of a video.
Out: counts, from which precision, recall and false alarms per hour follow. Detections are tracked as in the
worker, so that what is measured is the whole lane but for the network. Pure.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, cast

from pydantic import TypeAdapter

from edge.behaviours import AnyBehaviour, BehaviourEvent, BehaviourSettings
from edge.config_view import LineSection, ZoneSection
from edge.evaluation.places import GATE, ClipSection
from edge.evaluation.scenarios import SCENARIOS, Scenario, line_points, zone_points
from edge.evaluation.world import RATE_HZ, SIZE_PX, frame_at
from edge.grants import Grant, GrantBook
from edge.object_track import ObjectsTracker
from edge.objects import SeenObjects
from edge.whereabouts import Whereabouts
from edge.zones import LineWatch, Places
from wire.messages import Behaviour

_T0: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SETTINGS: Final[TypeAdapter[BehaviourSettings]] = TypeAdapter(AnyBehaviour)

SeenAt = tuple[float, tuple[int, int], SeenObjects]
"""Seconds since the beginning, width and height of the frame in px, what was found in it."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one behaviour was told over made scenarios.

    `hits` of `shown` scenarios that show it were told, `alarms` of `ordinary` ones were too; `repeats` is how
    often one was told again within a scenario.
    """

    behaviour: Behaviour
    shown: int
    hits: int
    ordinary: int
    alarms: int
    repeats: int

    @property
    def recall(self) -> float:
        """Of those that show it, how many were told."""
        return self.hits / self.shown

    @property
    def precision(self) -> float:
        """Of those that were told, how many show it, with as many ordinary ones as those that do."""
        told = self.hits + self.alarms
        return self.hits / told if told else 1.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """What was told on one ordinary video of `hours`, in which nothing was to be told.

    `judged` is what was watched for; `crossed` how many went over its lines.
    """

    video: str
    hours: float
    judged: frozenset[Behaviour]
    alarms: Counter[Behaviour]
    crossed: int = 0


def evaluate(behaviour: Behaviour, seeds: Iterable[int]) -> Score:
    """Make scenarios of each seed, one that shows it and one that does not, and play them."""
    shows, ordinary = SCENARIOS[behaviour]
    told_shown, told_ordinary = [], []
    for seed in seeds:
        told_shown.append(len(play(shows(Random(f"{seed} {behaviour}")), seed)))
        told_ordinary.append(len(play(ordinary(Random(f"{seed} no {behaviour}")), seed)))
    return Score(
        behaviour,
        shown=len(told_shown),
        hits=sum(told > 0 for told in told_shown),
        ordinary=len(told_ordinary),
        alarms=sum(told > 0 for told in told_ordinary),
        repeats=sum(max(0, told - 1) for told in told_shown),
    )


def play(scenario: Scenario, seed: int) -> list[BehaviourEvent]:
    """What is told of it."""
    random, frames = Random(f"{seed} detections"), round(scenario.lasts_s * RATE_HZ)
    seen = (
        (n / RATE_HZ, SIZE_PX, frame_at(scenario.actors, n / RATE_HZ, random))
        for n in range(frames)
    )
    start, end = line_points()
    zone = ZoneSection.model_validate({"id": "zone", "polygon": zone_points()}).zone
    line = LineSection.model_validate({"id": "line", "start": start, "end": end}).line
    places = Places(zones=(zone,), lines=(line,))
    settings = [_SETTINGS.validate_python(dict(scenario.settings))]
    return watch(seen, places, settings, grants=scenario.grants)[0]


def watch(
    seen: Iterable[SeenAt],
    places: Places,
    settings: Sequence[BehaviourSettings],
    *,
    rate_hz: float = RATE_HZ,
    grants: Sequence[tuple[float, float]] = (),
) -> tuple[list[BehaviourEvent], int]:
    """Track what was seen and step the behaviours; what was told, and how many crossed a line.

    `grants` are when the device ``gate`` was released, and when word of it came.
    """
    numbers = itertools.count(1)
    tracker = ObjectsTracker(lambda: f"track-{next(numbers)}", rate_hz=rate_hz)
    whereabouts, lines = Whereabouts(), [LineWatch(line) for line in places.lines]
    book = GrantBook()
    book.connected(GATE, _T0 - timedelta(minutes=5))
    watches = [one.watch(places, book) for one in settings]
    coming = sorted(grants, key=lambda grant: grant[1])
    events, crossed = list[BehaviourEvent](), 0
    for at_s, size_px, objects in seen:
        at = _T0 + timedelta(seconds=at_s)
        while coming and coming[0][1] <= at_s:
            book.add(Grant(GATE, _T0 + timedelta(seconds=coming.pop(0)[0]), "card"))
        update = tracker.update(objects, at.timestamp())
        moment = whereabouts.update(objects, update, size_px, at)
        crossings = [crossing for line in lines for crossing in line.step(moment)]
        crossed += len(crossings)
        events += [event for one in watches for event in one.step(moment, crossings)]
    return events, crossed


def quiet(video: str, seen: Sequence[SeenAt], section: ClipSection) -> Quiet:
    """Watch an ordinary video for all that its section names."""
    grants = [(at_s, at_s) for at_s in section.grants_s]
    events, crossed = watch(seen, section.places, section.watched, grants=grants)
    judged = frozenset(cast("Behaviour", one.model_dump()["kind"]) for one in section.watched)
    hours = (seen[-1][0] - seen[0][0]) / 3600 if seen else 0.0
    return Quiet(video, hours, judged, Counter(event.behaviour for event in events), crossed)
