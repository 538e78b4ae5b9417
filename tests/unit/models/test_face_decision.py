import pytest

from models.faces.calibration import Acceptance
from models.faces.decision import ENOUGH_RIVALS, Evidence, wanted_similarity

ACCEPTANCE = Acceptance(0.4, 0.1)
STRONG, WEAK = Evidence(0.9, 1), Evidence(0.5, 2)


@pytest.mark.parametrize(
    ("evidence", "weakness"),
    [
        (Evidence(0.7, 1), 0.0),
        (Evidence(0.69, 2), 1.0),
        (Evidence(0.69, 3), 0.033),
        (Evidence(0.55, 3), 0.5),
        (Evidence(0.4, 5), 1.0),
        (Evidence(0.1, 5), 1.0),
        (Evidence(0.3, 1), 1.0),
    ],
)
def test_evidence_is_one_crop_of_high_quality_or_the_more_the_better_several_agree(
    evidence: Evidence, weakness: float
) -> None:
    assert evidence.weakness == pytest.approx(weakness, abs=1e-3)


def test_among_many_the_calibration_holds() -> None:
    assert wanted_similarity(ACCEPTANCE, ENOUGH_RIVALS, STRONG) == pytest.approx(0.4)
    assert wanted_similarity(ACCEPTANCE, 100_000, STRONG) == pytest.approx(0.4)


def test_weak_evidence_and_few_rivals_want_more() -> None:
    assert wanted_similarity(ACCEPTANCE, ENOUGH_RIVALS, WEAK) == pytest.approx(0.45)
    assert wanted_similarity(ACCEPTANCE, 0, STRONG) == pytest.approx(0.45)
    assert wanted_similarity(ACCEPTANCE, 0, WEAK) == pytest.approx(0.5)


def test_more_rivals_never_want_more() -> None:
    wanted = [wanted_similarity(ACCEPTANCE, rivals, STRONG) for rivals in range(40)]
    assert wanted == sorted(wanted, reverse=True)
