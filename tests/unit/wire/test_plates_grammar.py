"""The plate grammar: every series, what normalising does, and what confusing characters costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.plates import (
    ALPHABET,
    MAX_LENGTH,
    PATTERNS,
    Pattern,
    PlateColour,
    PlateType,
    confusion_cost,
    normalise,
    parse,
)


@pytest.mark.parametrize(
    ("text", "type_", "colour"),
    [
        ("京A88731", PlateType.ORDINARY, PlateColour.BLUE),
        ("粤0A9112", PlateType.ORDINARY, PlateColour.BLUE),
        ("粤BD01366", PlateType.NEW_ENERGY_SMALL, PlateColour.GREEN),
        ("粤B12345D", PlateType.NEW_ENERGY_LARGE, PlateColour.YELLOW_GREEN),
        ("鲁L1234挂", PlateType.TRAILER, PlateColour.YELLOW),
        ("沪A5678学", PlateType.LEARNER, PlateColour.YELLOW),
        ("鄂F8888警", PlateType.POLICE, PlateColour.WHITE),
        ("粤Z1A23港", PlateType.HONG_KONG, PlateColour.BLACK),
        ("粤Z1A23澳", PlateType.MACAU, PlateColour.BLACK),
        ("224424使", PlateType.EMBASSY, PlateColour.BLACK),
        ("使224424", PlateType.EMBASSY, PlateColour.BLACK),
        ("沪A1707领", PlateType.CONSULATE, PlateColour.BLACK),
        ("WJ粤6788B", PlateType.ARMED_POLICE, PlateColour.WHITE),
        ("WJ12345", PlateType.ARMED_POLICE, PlateColour.WHITE),
        ("KB12345", PlateType.ARMY, PlateColour.WHITE),
        ("京X1234应急", PlateType.EMERGENCY, PlateColour.WHITE),
        ("民航B9016", PlateType.AIRPORT, PlateColour.GREEN),
        ("皖1946673", PlateType.AGRICULTURAL, PlateColour.GREEN),
    ],
)
def test_each_series_is_told_by_its_text(text: str, type_: PlateType, colour: PlateColour) -> None:
    plate = parse(text)
    assert plate is not None
    assert (plate.text, plate.type, plate.colour) == (text, type_, colour)


def test_colour_tells_series_with_the_same_text_apart() -> None:
    kinds = {c: parse("粤A12345", c) for c in PlateColour}
    found = {c: p.type for c, p in kinds.items() if p is not None}
    assert found == {
        PlateColour.BLUE: PlateType.ORDINARY,
        PlateColour.YELLOW: PlateType.LARGE,
        PlateColour.BLACK: PlateType.FOREIGN,
    }


def test_codes_of_ga_t_1400() -> None:
    assert PlateType.ORDINARY.code == "02"
    assert PlateType.NEW_ENERGY_SMALL.code == "52"
    assert PlateType.ARMY.code == "99"
    assert PlateColour.BLUE.code == "5"
    assert all(colour.code.isdigit() for colour in PlateColour)


@pytest.mark.parametrize(
    "written", ["粤b·oi366", "粤 Ｂ ０１３６６", "粤B-01366", "  粤B.o1366\n", "粤Ｂ•0１３６６"]
)
def test_spellings_of_one_plate_become_one(written: str) -> None:
    assert normalise(written) == "粤B01366"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "粤",
        "A12345",
        "粤B1234",
        "粤B123456",
        "粤1B2345",
        "粤B1234警警",
        "粤粤12345",
        "粤B12 好4",
    ],
)
def test_what_is_no_plate_parses_to_nothing(text: str) -> None:
    assert parse(text) is None


def _texts(pattern: Pattern) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from(p) for p in pattern.positions)).map("".join)


@given(data=st.data(), pattern=st.sampled_from(PATTERNS))
def test_whatever_a_pattern_makes_parses_in_its_colour(
    data: st.DataObject, pattern: Pattern
) -> None:
    text = data.draw(_texts(pattern))
    plate = parse(text, pattern.colour)
    assert plate is not None
    assert plate.text == text
    assert plate.colour is pattern.colour
    assert set(text) <= set(ALPHABET)
    assert len(text) <= MAX_LENGTH


@given(st.text(max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=12), st.sampled_from([None, *PlateColour]))
def test_parsing_never_raises(text: str, colour: PlateColour | None) -> None:
    plate = parse(text, colour)
    assert plate is None or plate.text == normalise(text)


@given(st.sampled_from(ALPHABET), st.sampled_from(ALPHABET))
def test_confusion_cost_is_a_symmetric_distance(a: str, b: str) -> None:
    assert confusion_cost(a, b) == confusion_cost(b, a)
    assert 0.0 <= confusion_cost(a, b) <= 1.0
    assert (confusion_cost(a, b) == 0.0) == (a == b)


def test_no_character_is_listed_twice() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
