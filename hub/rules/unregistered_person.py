"""Raises when a face is nobody's who is enrolled, where and when only enrolled persons belong. Pure.

Of the stranger nothing is kept: not the embedding, not the crop, not the scene. The alert says that somebody
was there, where and when, and a person goes and looks.
"""

from typing import ClassVar, Final, Literal

from hub.gallery import FaceReason
from hub.identify import FaceSighting, Sighting
from hub.rules.base import Context, Decision, Minimum, RuleDocument, Why

#: An empty gallery, another pack, a picture of a face: nothing can be said of a register.
_OTHERWISE: Final = {
    FaceReason.MATCH: Why.REGISTERED,
    FaceReason.NO_MARGIN: Why.MAY_BE_REGISTERED,
    FaceReason.SPOOF: Why.OTHER,
}


class UnregisteredPerson(RuleDocument):
    """The document.

    Attributes:
        min_quality: least quality of the face, 0 to 1: a poor one is like nobody, whoever it is.
        clearly_below: how far below the threshold the likest enrolled face must be, as a cosine.
    """

    KEEPS_PICTURES: ClassVar[bool] = False
    KNOWS_RESIDENTS: ClassVar[bool] = True
    BACKTEST_LIMIT: ClassVar[str] = (
        "no face that matched nobody is kept, so nobody can say today how good or how like an enrolled one"
        " it was: this counts nothing"
    )

    kind: Literal["unregistered_person"]
    min_quality: Minimum = 0.6
    clearly_below: Minimum = 0.1

    def topics(self) -> frozenset[str]:
        """Every face."""
        return frozenset({"face"})

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether the person is nobody who is enrolled."""
        what = seen.what
        if not isinstance(what, FaceSighting):
            return Decision(Why.OTHER)
        if seen.quality < self.min_quality:
            return Decision(Why.LOW_QUALITY)
        if what.finding.reason is not FaceReason.BELOW_THRESHOLD:
            return Decision(_OTHERWISE.get(what.finding.reason, Why.NO_REGISTER))
        if not context.registry.knows_residents(seen.site):
            return Decision(Why.NO_REGISTER)
        if what.finding.similarity > what.threshold - self.clearly_below:
            return Decision(Why.MAY_BE_REGISTERED)
        return self.condition(
            "somebody who is not enrolled is where only enrolled persons belong",
            f"stranger:{seen.site}:{seen.camera}",
            {"quality": round(seen.quality, 3)},
        )
