"""How much more than the calibrated threshold a face must reach, given what it rests on. Pure.

In: what a search must reach (`Acceptance`), among how many others it was, how many crops of what quality were
fused. Out: the similarity that gives a name. A calibration speaks of a good picture searched in a gallery of
dozens at least. Where the evidence is weaker than that, the wanted similarity grows by parts of the
calibrated margin, which is on the scale of that network's similarities:

- *Weak evidence*: no crop of high quality. One lucky frame names nobody. Several crops that agree help, the
  more the better they are: poor ones of one track are poor in the same way, and so agree with one another,
  and with poor pictures of others.
- *Few rivals*: against a handful of others everybody is ahead of the next, so that the margin holds nobody
  back.
"""

from dataclasses import dataclass
from typing import Final

from models.faces.calibration import Acceptance

AGREEING_CROPS: Final = 3
SURE_QUALITY: Final = 0.7
PASSABLE_QUALITY: Final = 0.4
ENOUGH_RIVALS: Final = 27
"""The smallest gallery that the shipped calibrations were measured in has 28 people."""
_PART: Final = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a face rests on: the quality of its best crop, 0 to 1, and how many crops were fused."""

    quality: float
    crops: int

    @property
    def weakness(self) -> float:
        """0 with one crop of high quality, 1 without several that agree and are passable; between them less
        the better several are."""
        if self.quality >= SURE_QUALITY:
            return 0.0
        if self.crops < AGREEING_CROPS:
            return 1.0
        return min(1.0, (SURE_QUALITY - self.quality) / (SURE_QUALITY - PASSABLE_QUALITY))


def wanted_similarity(acceptance: Acceptance, rivals: int, evidence: Evidence) -> float:
    """The similarity that gives a name among `rivals` other subjects.

    Never less than the threshold, and never more than the threshold and the margin together.
    """
    lonely = 1.0 - min(rivals, ENOUGH_RIVALS) / ENOUGH_RIVALS
    return acceptance.threshold + _PART * acceptance.margin * (lonely + evidence.weakness)
