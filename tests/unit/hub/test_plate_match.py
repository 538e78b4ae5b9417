"""Matching a reading with listed plates: exact first, suspected only where it was uncertain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.plate_match import MatchKind, PlateIndex

SURE = (0.99,) * 7


def test_an_empty_list_matches_nothing() -> None:
    assert PlateIndex([]).match("京A88731", SURE) == []


def test_exact_match_ignores_spelling() -> None:
    (match,) = PlateIndex(["京a·88731", "沪C7P052"]).match(" 京A 88731", SURE)
    assert (match.plate, match.kind, match.cost) == ("京A88731", MatchKind.EXACT, 0.0)
    assert "京A88731" in match.reason


def test_an_uncertain_confusable_character_is_suspected_with_its_reason() -> None:
    confidences = (0.99, 0.99, 0.99, 0.7, 0.99, 0.99, 0.99)
    (match,) = PlateIndex(["京A8B731"]).match("京A88731", confidences)
    assert match.kind is MatchKind.SUSPECTED
    assert match.differences[0].position == 3
    assert "8 for B at 4" in match.reason
    assert "70%" in match.reason


def test_a_character_that_was_read_surely_is_not_doubted() -> None:
    assert PlateIndex(["京A8B731"]).match("京A88731", SURE) == []


def test_an_unlike_character_is_not_suspected_unless_it_was_hardly_read() -> None:
    index = PlateIndex(["京A8K731"])
    assert index.match("京A88731", (0.99, 0.99, 0.99, 0.7, 0.99, 0.99, 0.99)) == []
    (match,) = index.match("京A88731", (0.99, 0.99, 0.99, 0.3, 0.99, 0.99, 0.99))
    assert match.kind is MatchKind.SUSPECTED


def test_another_length_is_never_suspected() -> None:
    assert PlateIndex(["京AD88731"]).match("京A88731", (0.3,) * 7) == []


def test_three_characters_apart_is_never_suspected() -> None:
    assert PlateIndex(["京A8B7S1"]).match("京0875L1", (0.3,) * 7) == []


def test_without_character_confidences_only_exact() -> None:
    index = PlateIndex(["京A8B731", "京A88731"])
    assert [m.kind for m in index.match("京A88731", ())] == [MatchKind.EXACT]
    assert index.match("京A8873I", ()) == index.match("京A88731", ())
    assert PlateIndex(["京A8B731"]).match("京A88731", ()) == []


def test_likelier_suspicions_come_first() -> None:
    index = PlateIndex(["京A8B731", "京A83731"])
    found = index.match("京A88731", (0.99, 0.99, 0.99, 0.6, 0.99, 0.99, 0.99))
    assert [m.plate for m in found] == ["京A8B731", "京A83731"]


@pytest.mark.parametrize("text", ["", "?", "京" * 40])
def test_odd_readings_match_nothing(text: str) -> None:
    assert PlateIndex(["京A8B731"]).match(text, (0.1,) * len(text)) == []


@given(st.text(max_size=12), st.lists(st.floats(0, 1), max_size=12))
def test_matching_never_raises(text: str, confidences: list[float]) -> None:
    for match in PlateIndex(["京A8B731", "粤BD01366"]).match(text, confidences):
        assert match.cost <= 0.8
