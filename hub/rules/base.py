"""What all watch rules share: the document, and the decision with its named reason. Pure.

A rule is a typed document; its kind decides on one `Sighting` at a time, and may ask the stored past and the
register through `Context`. A decision always says why, in a word for programs and in a sentence for people.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from hub.identify import FaceSighting, PlateSighting, Sighting
from hub.places import Place
from hub.registry_view import Registry
from hub.watchlist import Category, Entry
from hub.windows import Windows
from wire.messages import (
    BehaviourObservation,
    CameraObservation,
    ConditionMatch,
    FaceMatch,
    Identifier,
    MeterObservation,
    ObjectObservation,
    PassageObservation,
    PlateMatch,
    Severity,
)
from wire.schedule import Schedule

_NAMESPACE: Final = uuid.UUID("9a0f7c1e-3c52-5b0e-8f0b-2f8d3b6f6a70")

Fact = str | int | float | bool | None
Facts = Mapping[str, Fact]
Minimum = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(ge=0, le=30 * 86400)]


class Why(StrEnum):
    """Why a rule matched, or did not."""

    MATCH = "match"
    ELSEWHERE = "elsewhere"
    OUT_OF_HOURS = "out_of_hours"
    OTHER = "other"
    LOW_QUALITY = "low_quality"
    UNCERTAIN_READING = "uncertain_reading"
    NOT_LISTED = "not_listed"
    NOT_LIKE_ENOUGH = "not_like_enough"
    OTHER_CATEGORY = "other_category"
    NO_REGISTER = "no_register"
    REGISTERED = "registered"
    MAY_BE_REGISTERED = "may_be_registered"
    MAY_BE_LISTED = "may_be_listed"
    ALONE = "alone"
    NO_RESIDENT = "no_resident"
    TOO_SHORT = "too_short"
    TOO_FEW = "too_few"
    NOT_PARKED = "not_parked"
    OTHER_DIRECTION = "other_direction"
    FAR_ENOUGH = "far_enough"
    NOT_YET = "not_yet"
    USE_AS_SAID = "use_as_said"
    CLOCK_RIGHT = "clock_right"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says of a sighting.

    When `why` is `MATCH`, `sentence` says it to a person, `match` to a program, `entry` is the watchlist
    entry behind it, if it rests on one, and `key` names who or what was matched, for de-duplication.
    """

    why: Why
    sentence: str = ""
    match: FaceMatch | PlateMatch | ConditionMatch | None = None
    entry: Entry | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask beyond the sighting itself: the stored past, the register, the time."""

    windows: Windows
    registry: Registry
    now: datetime


class RuleDocument(Place):
    """What every rule has, beside where it watches.

    Attributes:
        id: never reused for another rule: an alert's id follows from it.
        owner: who answers for it.
        severity: who it is for; blue the guard, yellow the station, red the command centre.
        schedule: when it watches; always, where it says nothing.
        dedup_window_s: a match within this of an alert's last one joins that alert.
        dedup_by_gate: whether another gate is another alert.
        escalation: the escalation policy that its alerts follow; None for the site's own.
    """

    #: Whether its alerts may keep pictures. Not where they would show somebody whom nobody has matched.
    KEEPS_PICTURES: ClassVar[bool] = True
    #: Whether it asks who is a resident, so that whoever matches faces must know them.
    KNOWS_RESIDENTS: ClassVar[bool] = False
    #: Whether `zones` mean anything to its kind.
    SEES_ZONES: ClassVar[bool] = False
    #: Why a back-test cannot say all, in words for a person; "" where it can.
    BACKTEST_LIMIT: ClassVar[str] = ""

    id: Identifier
    kind: str
    title: Annotated[str, Field(min_length=1, max_length=120)]
    owner: Annotated[str, Field(min_length=1, max_length=120)]
    enabled: bool = True
    severity: Severity
    schedule: Schedule = Schedule()
    dedup_window_s: Seconds = 600.0
    dedup_by_gate: bool = False
    escalation: Identifier | None = None

    @model_validator(mode="after")
    def _zones_mean_something(self) -> Self:
        if self.zones and not self.SEES_ZONES:
            raise ValueError(f"zones: a {self.kind} rule is not told of zones: leave them out")
        return self

    def topics(self) -> frozenset[str]:
        """What it is asked about, as `topics_of` names it."""
        raise NotImplementedError

    def needs(self) -> dict[str, float | frozenset[str]]:
        """What every observation that it matches has, by column of the table `observations`: at least this
        much, or one of these. Only a help for searching: `decide` decides."""
        return {}

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether this sighting, at a place and time that it watches, is one that it watches for."""
        raise NotImplementedError

    def consider(self, seen: Sighting, context: Context) -> Decision:
        """Say whether this sighting is one that the rule watches for."""
        if not self.holds(seen.spot):
            return Decision(Why.ELSEWHERE)
        if not self.schedule.holds(seen.captured_at):
            return Decision(Why.OUT_OF_HOURS)
        return self.decide(seen, context)

    def condition(
        self, sentence: str, key: str, facts: Facts, observations: Sequence[str] = ()
    ) -> Decision:
        """A match that rests on these facts, and, beside the sighting, on these observations."""
        match = ConditionMatch(
            rule_kind=self.kind, facts=dict(facts), observations=tuple(observations)
        )
        return Decision(Why.MATCH, sentence, match, None, key)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a timer has found for a rule. Its sighting's id follows from the rule, whom or what it is about
    and since when, so that however often it is found, it is one."""

    sighting: Sighting
    decision: Decision


class TimedRule(RuleDocument):
    """A rule about what does not happen, or lasts: a timer asks it."""

    def due(self, context: Context) -> Iterator[Finding]:
        """Find what holds at `context.now`."""
        raise NotImplementedError


def finding_id(rule_id: str, subject: str, period: str) -> str:
    """The id of what a timer finds: the same whenever it is found again."""
    return str(uuid.uuid5(_NAMESPACE, f"{rule_id}|{subject}|{period}"))


class WatchlistRule(RuleDocument):
    """A rule about watchlist entries of some categories; empty means all of them."""

    categories: frozenset[Category] = frozenset()

    def of_category(self, entries: tuple[Entry, ...]) -> Entry | None:
        """The entry to go by: of this rule's categories the one that was approved first."""
        mine = [e for e in entries if not self.categories or e.category in self.categories]
        return min(mine, key=lambda e: (e.approved_at or e.requested_at, e.id), default=None)

    def listed_topics(self, what: str) -> frozenset[str]:
        """The topics of listed faces or plates of its categories."""
        if not self.categories:
            return frozenset({f"{what}.listed"})
        return frozenset(f"{what}.listed.{category}" for category in self.categories)


def topics_of(seen: Sighting) -> frozenset[str]:
    """What rules are asked about a sighting: those for which none of this is said cannot match it."""
    match seen.what:
        case FaceSighting() as face:
            return frozenset({"any", "face", *_listed("face", face.entries)})
        case PlateSighting() as plate:
            entries = tuple(entry for _, found in plate.candidates for entry in found)
            return frozenset({"any", "plate", *_listed("plate", entries)})
        case ObjectObservation(event=event):
            return frozenset({"any", f"object.{event}"})
        case BehaviourObservation(behaviour=behaviour):
            return frozenset({"any", f"behaviour.{behaviour}"})
        case PassageObservation() | MeterObservation() | CameraObservation() as other:
            return frozenset({"any", other.kind})
    return frozenset({"any"})


def _listed(what: str, entries: Sequence[Entry]) -> Iterator[str]:
    if entries:
        yield f"{what}.listed"
    for entry in entries:
        yield f"{what}.listed.{entry.category}"
