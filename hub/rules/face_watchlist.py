"""Raises when a face is a watched subject's: above the threshold, with margin over the runner-up. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from hub.gallery import FaceReason
from hub.identify import FaceSighting, Sighting
from hub.rules.base import Decision, WatchlistRule, Why
from wire.messages import FaceMatch


class FaceWatchlist(WatchlistRule[FaceSighting]):
    """The document.

    Attributes:
        min_similarity: stricter than the pack's own threshold; None for that alone.
        min_quality: least quality of the observation, 0 to 1.
    """

    kind: Literal["face_watchlist"]
    min_similarity: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    min_quality: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0

    def decide(self, sighting: Sighting, what: FaceSighting) -> Decision:
        """Say whether the face is that of a subject whom this rule watches for."""
        if not self.looks_at(sighting):
            return Decision(Why.ELSEWHERE)
        if sighting.quality < self.min_quality:
            return Decision(Why.LOW_QUALITY)
        finding = what.finding
        if finding.reason is not FaceReason.MATCH or finding.subject_id is None:
            return Decision(Why.NOT_LISTED)
        threshold = max(what.threshold, self.min_similarity or 0.0)
        if finding.similarity < threshold:
            return Decision(Why.NOT_LIKE_ENOUGH)
        entry = self.of_category(what.entries)
        if entry is None:
            return Decision(Why.OTHER_CATEGORY)
        match = FaceMatch(
            subject_id=finding.subject_id,
            label=entry.label,
            similarity=finding.similarity,
            threshold=threshold,
            margin=finding.margin,
            quality=sighting.quality,
            pack=what.pack,
        )
        sentence = (
            f"the face is {entry.label}'s: similarity {finding.similarity:.2f}"
            f" (at least {threshold:.2f}), {finding.margin:.2f} ahead of the next"
        )
        return Decision(Why.MATCH, sentence, match, entry, f"subject:{finding.subject_id}")
