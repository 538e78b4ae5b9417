"""What all watch rules share: the document, and the decision with its named reason. Pure.

A rule is a typed document, one TOML file each; its kind decides on one `Sighting` at a time. A decision
always says why, in a word for programs and in a sentence for people.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from hub.identify import FaceSighting, PlateSighting, Sighting
from hub.watchlist import Category, Entry
from wire.messages import FaceMatch, Identifier, PlateMatch, Severity

S = TypeVar("S", FaceSighting, PlateSighting)


class Why(StrEnum):
    """Why a rule matched, or did not."""

    MATCH = "match"
    ELSEWHERE = "elsewhere"
    LOW_QUALITY = "low_quality"
    UNCERTAIN_READING = "uncertain_reading"
    NOT_LISTED = "not_listed"
    NOT_LIKE_ENOUGH = "not_like_enough"
    OTHER_CATEGORY = "other_category"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says of a sighting.

    When `why` is `MATCH`, `sentence` says it to a person, `match` to a program, `entry` is the watchlist
    entry behind it and `key` names who or what was matched, for de-duplication.
    """

    why: Why
    sentence: str = ""
    match: FaceMatch | PlateMatch | None = None
    entry: Entry | None = None
    key: str = ""


class RuleDocument(BaseModel):
    """What every rule has.

    Attributes:
        id: never reused for another rule: an alert's id follows from it.
        severity: who it is for; blue the guard, yellow the station, red the command centre.
        sites, gates, cameras: where it looks; empty means everywhere.
        dedup_window_s: a match within this of an alert's last one joins that alert.
        dedup_by_gate: whether another gate is another alert.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=120)]
    owner: Annotated[str, Field(min_length=1, max_length=120)]
    enabled: bool = True
    severity: Severity
    sites: frozenset[Identifier] = frozenset()
    gates: frozenset[Identifier] = frozenset()
    cameras: frozenset[Identifier] = frozenset()
    dedup_window_s: Annotated[float, Field(ge=0, le=30 * 86400)] = 600.0
    dedup_by_gate: bool = False

    def looks_at(self, sighting: Sighting) -> bool:
        """Whether the rule looks where this was seen."""
        return (
            (not self.sites or sighting.site in self.sites)
            and (not self.gates or sighting.gate in self.gates)
            and (not self.cameras or sighting.camera in self.cameras)
        )


class WatchlistRule(RuleDocument, Generic[S]):
    """A rule about watchlist entries of some categories; empty means all of them."""

    categories: frozenset[Category] = frozenset()

    def of_category(self, entries: tuple[Entry, ...]) -> Entry | None:
        """The entry to go by: of this rule's categories the one that was approved first."""
        mine = [e for e in entries if not self.categories or e.category in self.categories]
        return min(mine, key=lambda e: (e.approved_at or e.requested_at, e.id), default=None)

    def decide(self, sighting: Sighting, what: S) -> Decision:
        """Say whether this sighting is one that the rule watches for."""
        raise NotImplementedError
