"""How much more than the calibrated threshold a face must reach, given what it rests on. Pure.

In: what a search must reach (`Acceptance`), among how many others it was, how many crops of what quality were
fused. Out: the similarity that gives a name. A calibration speaks of a good picture searched in a gallery of
dozens at least. Where the evidence is weaker than that, the wanted similarity grows by parts of the
calibrated margin, which is on the scale of that network's similarities:

- *Weak evidence*: no crop of high quality, and no three that agree and are passable. One lucky frame names
  nobody.
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
    def is_strong(self) -> bool:
        """Several agreeing crops, or one of high quality."""
        several = self.crops >= AGREEING_CROPS and self.quality >= PASSABLE_QUALITY
        return several or self.quality >= SURE_QUALITY


def wanted_similarity(acceptance: Acceptance, rivals: int, evidence: Evidence) -> float:
    """The similarity that gives a name among `rivals` other subjects.

    Never less than the threshold, and never more than the threshold and the margin together.
    """
    lonely = 1.0 - min(rivals, ENOUGH_RIVALS) / ENOUGH_RIVALS
    weak = 0.0 if evidence.is_strong else 1.0
    return acceptance.threshold + _PART * acceptance.margin * (lonely + weak)
