"""Raises when a face is a watched subject's: above the threshold, with margin over the runner-up. Pure."""

from typing import ClassVar, Literal

from hub.gallery import FaceReason
from hub.identify import FaceSighting, Sighting
from hub.rules.base import Context, Decision, Minimum, WatchlistRule, Why
from wire.messages import FaceMatch

FACES_NOT_KEPT = (
    "no face that matched nobody is kept: this counts only faces that were recognised when they were seen,"
    " at the pack's threshold of that time; it cannot say what a lower threshold or another list would find"
)


class FaceWatchlist(WatchlistRule):
    """The document.

    Attributes:
        min_similarity: stricter than the pack's own threshold; None for that alone.
        min_quality: least quality of the observation, 0 to 1.
    """

    BACKTEST_LIMIT: ClassVar[str] = FACES_NOT_KEPT

    kind: Literal["face_watchlist"]
    min_similarity: Minimum | None = None
    min_quality: Minimum = 0.0

    def topics(self) -> frozenset[str]:
        """Faces of listed subjects."""
        return self.listed_topics("face")

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on the face alone
        """Say whether the face is that of a subject whom this rule watches for."""
        what = seen.what
        if not isinstance(what, FaceSighting):
            return Decision(Why.OTHER)
        return decide_face(self, seen, what, self.min_similarity or 0.0, self.min_quality)


def decide_face(
    rule: WatchlistRule, seen: Sighting, what: FaceSighting, similarity: float, quality: float
) -> Decision:
    """Say whether the face is of an entry of the rule's categories, this like and this good at least."""
    if seen.quality < quality:
        return Decision(Why.LOW_QUALITY)
    finding = what.finding
    if finding.reason is not FaceReason.MATCH or finding.subject_id is None or not what.entries:
        return Decision(Why.NOT_LISTED)
    threshold = max(what.threshold, similarity)
    if finding.similarity < threshold:
        return Decision(Why.NOT_LIKE_ENOUGH)
    entry = rule.of_category(what.entries)
    if entry is None:
        return Decision(Why.OTHER_CATEGORY)
    match = FaceMatch(
        subject_id=finding.subject_id,
        label=entry.label,
        similarity=finding.similarity,
        threshold=threshold,
        margin=finding.margin,
        quality=seen.quality,
        pack=what.pack,
    )
    lead = (
        "nobody else to compare with" if match.is_alone else f"{match.margin:.2f} ahead of the next"
    )
    sentence = (
        f"the face is {entry.label}'s: similarity {match.similarity:.2f}"
        f" (at least {threshold:.2f}), {lead}"
    )
    return Decision(Why.MATCH, sentence, match, entry, f"subject:{finding.subject_id}")
