"""Who a face is, by what it rests on."""

import numpy as np
import pytest
from numpy.typing import NDArray

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


def as_now_and_before(now: NDArray[np.float32], before: NDArray[np.float32]):
    """Who is named where a camera sees `now` and has taken up somebody it saw `before`."""
    gallery = Gallery("test-pack", PACK_SHA, 128, lambda people: Acceptance(0.5, 0.06))
    for number in range(40):
        gallery.add(f"t{number}", f"s{number}", unit(number))
    probe = FaceProbe(before, "test-pack", PACK_SHA, b"", now)
    return identify_face(probe, STRONG, Watched(gallery, PlateIndex(())), NOW).finding


def test_what_was_seen_before_names_whom_the_face_is_most_like_now() -> None:
    found = as_now_and_before(near(unit(0), 0.3), near(unit(0), 0.9))
    assert (found.reason, found.subject_id) == (FaceReason.MATCH, "s0")
    assert found.similarity == pytest.approx(0.9, abs=1e-3)


def test_what_was_seen_before_names_nobody_whom_the_face_is_not_most_like_now() -> None:
    found = as_now_and_before(near(unit(1), 0.3), near(unit(0), 0.9))
    assert (found.reason, found.subject_id) == (FaceReason.BELOW_THRESHOLD, None)
    assert found.similarity == pytest.approx(0.3, abs=1e-3)


def test_what_other_networks_made_is_compared_with_nobody() -> None:
    gallery = Gallery("test-pack", PACK_SHA, 128, lambda people: Acceptance(0.5, 0.06))
    gallery.add("t", "s", unit(0))
    other = np.eye(64, dtype=np.float32)
    probe = FaceProbe(other[0], "another-pack", "cd" * 32, b"", other[1])
    found = identify_face(probe, STRONG, Watched(gallery, PlateIndex(())), NOW).finding
    assert found.reason is FaceReason.OTHER_PACK


@pytest.mark.parametrize("before", [0, 60])  # somebody else of the list, somebody of no list
def test_who_is_known_by_what_is_seen_now_is_named_whoever_was_there_before(before: int) -> None:
    found = as_now_and_before(near(unit(1), 0.8), near(unit(before), 0.9))
    assert (found.reason, found.subject_id) == (FaceReason.MATCH, "s1")
    assert found.similarity == pytest.approx(0.8, abs=1e-3)
