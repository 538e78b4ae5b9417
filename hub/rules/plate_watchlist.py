"""Raises when a plate is on a watchlist: read exactly, or 疑似 (suspected) where characters were uncertain.

What a suspicion may be is decided in `hub.plate_match`. Pure.
"""

from typing import Literal

from hub.identify import PlateSighting, Sighting
from hub.plate_match import MatchKind
from hub.rules.base import Context, Decision, Minimum, WatchlistRule, Why
from wire.messages import PlateMatch


class PlateWatchlist(WatchlistRule):
    """The document.

    Attributes:
        suspected: whether 疑似 matches raise too.
        min_confidence: least confidence of an exact reading, 0 to 1. A suspected one is uncertain by
            its nature and is held to `hub.plate_match` instead.
    """

    kind: Literal["plate_watchlist"]
    suspected: bool = True
    min_confidence: Minimum = 0.5

    def topics(self) -> frozenset[str]:
        """Plates that are, or may be, listed ones."""
        return self.listed_topics("plate")

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on the plate alone
        """Say whether the plate is one that this rule watches for."""
        what = seen.what
        if not isinstance(what, PlateSighting):
            return Decision(Why.OTHER)
        return decide_plate(self, what, self.min_confidence, suspected=self.suspected)


def decide_plate(
    rule: WatchlistRule, what: PlateSighting, min_confidence: float, *, suspected: bool
) -> Decision:
    """Say whether the plate is, or may be, of an entry of the rule's categories."""
    why = Why.NOT_LISTED
    for found, entries in what.candidates:
        exact = found.kind is MatchKind.EXACT
        entry = rule.of_category(entries)
        if entry is None:
            why = Why.OTHER_CATEGORY
        elif exact and what.reading.confidence < min_confidence:
            why = Why.UNCERTAIN_READING
        elif exact or suspected:
            match = PlateMatch(
                entry_id=entry.id,
                listed=found.plate,
                read=what.reading.text,
                how="exact" if exact else "suspected",
                confidence=what.reading.confidence,
                cost=found.cost,
            )
            return Decision(Why.MATCH, found.reason, match, entry, f"plate:{found.plate}")
    return Decision(why)
