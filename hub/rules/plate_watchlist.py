"""Raises when a plate is on a watchlist: read exactly, or 疑似 (suspected) where characters were uncertain.

What a suspicion may be is decided in `hub.plate_match`. Pure.
"""

from typing import Annotated, Literal

from pydantic import Field

from hub.identify import PlateSighting, Sighting
from hub.plate_match import MatchKind
from hub.rules.base import Decision, WatchlistRule, Why
from wire.messages import PlateMatch


class PlateWatchlist(WatchlistRule[PlateSighting]):
    """The document.

    Attributes:
        suspected: whether 疑似 matches raise too.
        min_confidence: least confidence of an exact reading, 0 to 1. A suspected one is uncertain by
            its nature and is held to `hub.plate_match` instead.
    """

    kind: Literal["plate_watchlist"]
    suspected: bool = True
    min_confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5

    def decide(self, sighting: Sighting, what: PlateSighting) -> Decision:
        """Say whether the plate is one that this rule watches for."""
        if not self.looks_at(sighting):
            return Decision(Why.ELSEWHERE)
        why = Why.NOT_LISTED
        for found, entries in what.candidates:
            exact = found.kind is MatchKind.EXACT
            entry = self.of_category(entries)
            if entry is None:
                why = Why.OTHER_CATEGORY
            elif exact and what.reading.confidence < self.min_confidence:
                why = Why.UNCERTAIN_READING
            elif exact or self.suspected:
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
