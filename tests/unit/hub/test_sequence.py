from hypothesis import given
from hypothesis import strategies as st

from hub.sequence import Window

NUMBERS = st.integers(1, 60)


@given(st.lists(NUMBERS))
def test_committed_is_the_longest_run_from_one_in_whatever_order(numbers: list[int]) -> None:
    window = Window()
    for number in numbers:
        window = window.add([number])
    run = 0
    while run + 1 in numbers:
        run += 1
    assert window.committed == run
    assert window == Window().add(numbers)
    assert {n for n in range(1, 70) if n in window} == set(numbers)


@given(st.lists(NUMBERS), NUMBERS)
def test_a_floor_gives_up_what_is_below_it_and_nothing_else(numbers: list[int], first: int) -> None:
    window = Window().add(numbers).raise_floor(first)
    assert {n for n in range(1, 70) if n in window} == set(numbers) | set(range(1, first))


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_it_never_goes_back(before: list[int], after: list[int]) -> None:
    window = Window().add(before)
    assert window.add(after).committed >= window.committed
    assert window.raise_floor(1) == window


def test_islands_are_kept_apart_and_joined_when_the_gap_closes() -> None:
    window = Window().add([1, 2, 5, 6, 9])
    assert window == Window(2, ((5, 6), (9, 9)))
    assert window.add([3]) == Window(3, ((5, 6), (9, 9)))
    assert window.add([3, 4]) == Window(6, ((9, 9),))
    assert window.add([7, 8]) == Window(2, ((5, 9),))
