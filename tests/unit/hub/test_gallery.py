import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.gallery import FaceReason, Gallery
from models.faces.calibration import Acceptance
from tests.unit.hub.kit import PACK_SHA, near, unit


def gallery(*subjects: tuple[str, str, np.ndarray]) -> Gallery:
    made = Gallery("test-pack", PACK_SHA, 128, lambda people: Acceptance(0.5, 0.05))
    for template, subject, embedding in subjects:
        made.add(template, subject, embedding)
    return made


def test_an_empty_gallery_knows_nobody() -> None:
    assert gallery().search(unit(1), PACK_SHA).reason is FaceReason.EMPTY_GALLERY


def test_a_match_needs_threshold_and_margin() -> None:
    wang = unit(1)
    alone = gallery(("t1", "wang", wang))
    found = alone.search(near(wang, 0.6), PACK_SHA)
    assert (found.reason, found.subject_id) == (FaceReason.MATCH, "wang")
    assert found.similarity == pytest.approx(0.6, abs=1e-5)
    assert found.margin == pytest.approx(1.6, abs=1e-5)  # nobody else: over the least there is
    below = alone.search(near(wang, 0.49), PACK_SHA)
    assert (below.reason, below.subject_id) == (FaceReason.BELOW_THRESHOLD, None)
    twin = gallery(("t1", "wang", wang), ("t2", "li", near(wang, 0.99)))
    assert twin.search(wang, PACK_SHA).reason is FaceReason.NO_MARGIN


def test_a_second_template_of_the_same_subject_is_no_runner_up() -> None:
    wang = unit(1)
    both = gallery(("t1", "wang", wang), ("t2", "wang", near(wang, 0.99)), ("t3", "li", unit(7)))
    assert both.search(wang, PACK_SHA).subject_id == "wang"


def test_templates_of_another_pack_are_never_compared() -> None:
    wang = unit(1)
    known = gallery(("t1", "wang", wang))
    assert known.search(wang, "cd" * 32).reason is FaceReason.OTHER_PACK
    assert known.search(unit(1, 512), PACK_SHA).reason is FaceReason.OTHER_PACK
    with pytest.raises(ValueError, match=r"\(128,\)"):
        known.add("t2", "li", unit(2, 512))


def test_what_is_erased_is_not_found_and_not_in_memory() -> None:
    wang, li = unit(1), unit(2)
    known = gallery(("t1", "wang", wang), ("t2", "li", li))
    known.erase("t1")
    assert known.search(wang, PACK_SHA).subject_id is None
    assert known.search(li, PACK_SHA).subject_id == "li"
    kept = known._index._blocks[0]
    assert not np.isclose(kept.rows @ wang, 1.0).any()
    assert [kept.code(place).any() for place in range(2)] == [True, False]
    with pytest.raises(KeyError):
        known.erase("t1")


@given(st.lists(st.tuples(st.sampled_from("ae"), st.integers(0, 12)), max_size=60))
def test_it_holds_what_was_added_and_not_erased(steps: list[tuple[str, int]]) -> None:
    known, expected = gallery(), set[int]()
    for step, number in steps:
        if step == "a":
            known.add(f"t{number}", f"s{number}", unit(number))
            expected.add(number)
        elif number in expected:
            known.erase(f"t{number}")
            expected.remove(number)
    assert known.templates == {f"t{n}" for n in expected}
    for number in range(13):
        found = known.search(unit(number), PACK_SHA)
        assert found.subject_id == (f"s{number}" if number in expected else None)


def test_it_grows_past_its_first_room() -> None:
    known = gallery(*((f"t{n}", f"s{n}", unit(n)) for n in range(200)))
    assert len(known) == 200
    assert known.search(unit(199), PACK_SHA).subject_id == "s199"


def test_it_finds_the_runner_up_behind_any_number_of_templates() -> None:
    wang, li = unit(1), unit(2)
    many = [(f"t{n}", "wang", near(wang, 0.9, seed=n)) for n in range(100, 140)]
    ranked = gallery(*many, ("other", "li", near(wang, 0.3, seed=77)), ("far", "zhao", li)).rank(
        wang
    )
    assert ranked is not None
    assert (ranked.subject_id, round(ranked.similarity, 3)) == ("wang", 0.9)
    assert ranked.runner_up == pytest.approx(0.3, abs=1e-4)


def test_what_a_search_must_reach_grows_with_the_people_not_with_their_templates() -> None:
    known = Gallery("p", PACK_SHA, 128, lambda people: Acceptance(0.5 + 0.1 * people, 0.0))
    assert known.acceptance.threshold == pytest.approx(0.6)
    known.add("t1", "wang", unit(1))
    known.add("t2", "wang", unit(2))
    assert (known.people, known.acceptance.threshold) == (1, pytest.approx(0.6))
    known.add("t3", "li", unit(3))
    assert known.search(near(unit(1), 0.65), PACK_SHA).reason is FaceReason.BELOW_THRESHOLD
    known.erase("t3")
    assert known.search(near(unit(1), 0.65), PACK_SHA).subject_id == "wang"


def test_a_template_added_again_is_replaced_with_its_subject() -> None:
    known = gallery(("t1", "wang", unit(1)), ("t2", "li", unit(2)), ("t1", "zhao", unit(3)))
    assert (len(known), known.people) == (2, 2)
    assert known.search(unit(3), PACK_SHA).subject_id == "zhao"
    assert known.search(unit(1), PACK_SHA).subject_id is None


def test_a_probe_that_is_no_number_is_nobody() -> None:
    broken = np.full(128, np.nan, np.float32)
    assert gallery(("t1", "wang", unit(1))).search(broken, PACK_SHA).subject_id is None
