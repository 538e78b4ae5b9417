"""Raises when a missing person is seen: their face, or the plate of the car they are in. Always red. Pure.

It is asked before every other rule, each gate is an alert of its own, and the pack's threshold is all that it
asks of a face: somebody who looks for a lost child would rather look twice.
"""

from typing import ClassVar, Literal

from hub.identify import FaceSighting, PlateSighting, Sighting
from hub.rules.base import Context, Decision, Minimum, WatchlistRule, Why
from hub.rules.face_watchlist import FACES_NOT_KEPT, decide_face
from hub.rules.plate_watchlist import decide_plate
from hub.watchlist import Category


class MissingPerson(WatchlistRule):
    """The document.

    Attributes:
        min_quality: least quality of a face, 0 to 1.
        min_confidence: least confidence of a plate that was read exactly.
    """

    BACKTEST_LIMIT: ClassVar[str] = FACES_NOT_KEPT

    kind: Literal["missing_person"]
    severity: Literal["red"] = "red"
    categories: frozenset[Literal[Category.MISSING_PERSON]] = frozenset({Category.MISSING_PERSON})
    dedup_window_s: float = 120.0
    dedup_by_gate: bool = True
    min_quality: Minimum = 0.0
    min_confidence: Minimum = 0.3

    def topics(self) -> frozenset[str]:
        """Listed faces and plates."""
        return self.listed_topics("face") | self.listed_topics("plate")

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on what is seen
        """Say whether a missing person is seen."""
        match seen.what:
            case FaceSighting() as face:
                found = decide_face(self, seen, face, 0.0, self.min_quality)
            case PlateSighting() as plate:
                found = decide_plate(self, plate, self.min_confidence, suspected=True)
            case _:
                return Decision(Why.OTHER)
        if found.why is not Why.MATCH or found.entry is None:
            return found
        where = f"gate {seen.gate}" if seen.gate else f"camera {seen.camera}"
        sentence = f"missing: {found.entry.label} is seen at {where}; {found.sentence}"
        return Decision(Why.MATCH, sentence, found.match, found.entry, found.key)
