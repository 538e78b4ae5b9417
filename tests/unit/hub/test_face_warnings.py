"""What an operator is told of the face pack and of the size of the gallery."""

from dataclasses import replace

from hub.cli import _face_warnings
from hub.face_warnings import PackFacts, notes_on, problems_of_size
from hub.health import HealthReport
from tests.unit.hub.kit import HubBench, unit
from tests.unit.hub.test_allow_list import FakeBroker, FakeIngest

PACK = PackFacts("buffalo_l", "", "MIT", commercial=True, calibrated_for=10_000)


def test_a_pack_with_nothing_to_say_says_nothing() -> None:
    assert notes_on(PACK) == []
    assert problems_of_size(PACK, 10_000, 10_000) == []


def test_what_is_worth_knowing_of_a_pack_is_said() -> None:
    said = notes_on(replace(PACK, note="A better one is X.", commercial=False, licence="research"))
    assert said == [
        "face pack buffalo_l: A better one is X.",
        "face pack buffalo_l: not for commercial use without a licence: research",
    ]
    (said,) = notes_on(replace(PACK, calibrated_for=None))
    assert "no calibration" in said
    assert "gatehouse eval faces FOLDER --pack buffalo_l --calibrate FILE" in said


def test_more_people_than_the_threshold_was_measured_for_ask_for_a_calibration() -> None:
    (said,) = problems_of_size(PACK, 10_001, 10_001)
    assert said.startswith(
        "10,001 people are searched, the threshold was measured for 10,000 at most"
    )
    assert "--gallery 20000" in said
    assert problems_of_size(replace(PACK, calibrated_for=None), 10_001, 10_001) == []


def test_the_size_from_which_the_law_asks_for_more_is_told_of_before_it_is_reached() -> None:
    large = replace(PACK, calibrated_for=1_000_000)
    assert problems_of_size(large, 10, 79_999) == []
    (soon,) = problems_of_size(large, 10, 80_000)
    (over,) = problems_of_size(large, 10, 100_001)
    assert "would have to file it" in soon
    assert "has to file it" in over


def test_hub_check_and_health_say_it(bench: HubBench) -> None:
    small = replace(PACK, note="A better one is X.", calibrated_for=1)
    for seed in (1, 2):
        bench.enrol(unit(seed))
    with bench.store.read() as tx:
        bench.pipeline.watch.current(tx, bench.now)
    said = _face_warnings(small, bench.store)
    assert said[0] == "face pack buffalo_l: A better one is X."
    assert said[1].startswith("2 people are searched, the threshold was measured for 1 at most")
    report = HealthReport(
        bench.config, "0", bench.store, FakeBroker(), FakeIngest(bench), gallery=bench.gallery,
        broken_rules=tuple, forwarders=(), pack=small,
    )()  # fmt: skip
    assert report.status == "degraded"
    assert report.problems == [f"faces: {said[1]}"]
    assert report.faces is not None
    assert (report.faces.people, report.faces.calibrated_for) == (2, 1)
    assert report.faces.notes == said[:1]
