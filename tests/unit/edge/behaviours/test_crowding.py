from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import thing


def crowd(count: int):
    return tuple(thing(f"p{n}", (0.55 + 0.05 * n, 0.6)) for n in range(count))


def crowding():
    return watch("crowding", zone="yard", people=4, hold_s=10, over_after_s=20)


def test_enough_people_for_long_enough_are_told_once() -> None:
    ((at_s, event),) = play(crowding(), lambda at: crowd(5), 60)
    assert (at_s, event.count, len(event.tracks)) == (10, 5, 5)


def test_too_few_or_too_short_are_not() -> None:
    assert play(crowding(), lambda at: crowd(3), 60) == []
    assert play(crowding(), lambda at: crowd(5 if at < 8 else 2), 60) == []


def test_one_who_is_hidden_for_a_moment_still_counts() -> None:
    told = play(crowding(), lambda at: crowd(3 if at % 5 < 1 else 4), 30)
    assert len(told) == 1


def test_a_crowd_that_comes_again_is_told_again() -> None:
    told = play(crowding(), lambda at: crowd(0 if 20 <= at < 60 else 5), 90)
    assert [at for at, _ in told] == [10, 70]
