"""Parts of versions: whole in any order, only the newest, and what is dropped is let go of."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.parts import Parts

T0 = datetime(2026, 11, 25, tzinfo=UTC)


@dataclass(frozen=True)
class Terms:
    version: int
    parts: int
    part: int
    expires_at: datetime = T0 + timedelta(hours=1)


def piece(terms: Terms) -> str:
    return f"{terms.version}.{terms.part}"


def test_a_version_is_whole_with_its_last_part_and_in_order() -> None:
    parts: Parts[str] = Parts()
    for number in (3, 1):
        assert parts.add(Terms(7, 3, number), f"7.{number}") is None
    assert parts.add(Terms(7, 3, 2), "7.2") == ["7.1", "7.2", "7.3"]


def test_a_late_part_of_an_older_version_completes_nothing() -> None:
    gone: list[str] = []
    parts = Parts(gone.append)
    assert parts.add(Terms(5, 3, 1), "5.1") is None
    assert parts.add(Terms(5, 3, 2), "5.2") is None
    assert parts.add(Terms(4, 2, 2), "4.2") is None
    assert gone == ["4.2"]
    assert parts.add(Terms(5, 3, 3), "5.3") == ["5.1", "5.2", "5.3"]


def test_a_newer_version_takes_the_place_of_the_one_that_was_coming() -> None:
    gone: list[str] = []
    parts = Parts(gone.append)
    parts.add(Terms(4, 2, 1), "4.1")
    assert parts.add(Terms(5, 1, 1), "5.1") == ["5.1"]
    assert gone == ["4.1"]


def test_the_same_part_again_takes_the_place_of_the_first() -> None:
    gone: list[str] = []
    parts = Parts(gone.append)
    parts.add(Terms(4, 2, 1), "first")
    assert parts.add(Terms(4, 2, 1), "again") is None
    assert gone == ["first"]
    assert parts.add(Terms(4, 2, 2), "4.2") == ["again", "4.2"]


def test_what_expires_or_is_erased_on_its_way_is_let_go_of() -> None:
    gone: list[str] = []
    parts = Parts(gone.append)
    parts.add(Terms(4, 2, 1), "4.1")
    parts.drop_expired(T0)
    parts.drop_up_to(3)
    assert gone == []
    parts.drop_expired(T0 + timedelta(hours=1))
    assert gone == ["4.1"]
    parts.add(Terms(5, 2, 1), "5.1")
    parts.drop_up_to(5)
    assert gone == ["4.1", "5.1"]
    assert parts.add(Terms(5, 2, 2), "5.2") is None


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=40))
def test_whatever_comes_a_whole_version_is_all_its_own(order: list[tuple[int, int]]) -> None:
    gone: list[str] = []
    parts, out = Parts(gone.append), 0
    for version, number in order:
        terms = Terms(version, 3, number)
        whole = parts.add(terms, piece(terms))
        if whole is not None:
            assert whole == [f"{version}.{n}" for n in (1, 2, 3)]
            out += 3
    parts.drop()
    assert out + len(gone) == len(order)
