"""Who a face is, by what it rests on."""

import pytest

from hub.gallery import FaceReason, Gallery
from hub.identify import Watched, identify_face
from hub.plate_match import PlateIndex
from models.faces.calibration import Acceptance
from models.faces.decision import Evidence
from tests.unit.hub.kit import NOW, PACK_SHA, near, unit
from wire.sealing import FaceProbe

STRONG, WEAK = Evidence(0.9, 1), Evidence(0.5, 1)


def identify(similarity: float, evidence: Evidence, people: int):
    gallery = Gallery("test-pack", PACK_SHA, 128, lambda people: Acceptance(0.5, 0.06))
    for number in range(people):
        gallery.add(f"t{number}", f"s{number}", unit(number))
    probe = FaceProbe(near(unit(0), similarity), "test-pack", PACK_SHA, b"")
    return identify_face(probe, evidence, Watched(gallery, PlateIndex(())), NOW)


@pytest.mark.parametrize(
    ("similarity", "evidence", "people", "reason"),
    [
        (0.51, STRONG, 40, FaceReason.MATCH),
        (0.49, STRONG, 40, FaceReason.BELOW_THRESHOLD),
        (0.51, WEAK, 40, FaceReason.WEAK_EVIDENCE),
        (0.54, WEAK, 40, FaceReason.MATCH),
        (0.51, STRONG, 1, FaceReason.WEAK_EVIDENCE),
        (0.54, STRONG, 1, FaceReason.MATCH),
        (0.54, WEAK, 1, FaceReason.WEAK_EVIDENCE),
    ],
)
def test_weak_evidence_and_few_rivals_want_more(similarity, evidence, people, reason) -> None:
    sighting = identify(similarity, evidence, people)
    assert sighting.finding.reason is reason
    assert (sighting.finding.subject_id == "s0") is (reason is FaceReason.MATCH)
    if reason is FaceReason.WEAK_EVIDENCE:
        assert 0.5 < similarity < sighting.threshold  # what was wanted is told
