import pytest

from tests.unit.edge.behaviours.kit import play, watch
from tests.unit.edge.moments import thing


def lobby():
    return watch("ebike_indoors", zone="yard", over_after_s=30)


@pytest.mark.parametrize("label", ["ebike", "motorcycle"])
def test_one_that_is_brought_in_is_told_once(label: str) -> None:
    told = play(lobby(), lambda at: (thing("a", (0.8, 0.6), label),), 20)
    assert [(at, event.object.label) for at, event in told] == [(1.0, label)]


@pytest.mark.parametrize("label", ["person", "bicycle", "car"])
def test_others_are_not(label: str) -> None:
    assert play(lobby(), lambda at: (thing("a", (0.8, 0.6), label),), 20) == []


def test_one_outside_or_seen_for_a_moment_is_not() -> None:
    assert play(lobby(), lambda at: (thing("a", (0.2, 0.6), "ebike"),), 20) == []
    assert (
        play(lobby(), lambda at: (thing("a", (0.8, 0.6), "ebike"),) if at < 0.8 else (), 20) == []
    )


def test_the_next_one_is_told_when_the_lobby_has_been_free() -> None:
    def scene(at: float):
        names = {0: "a", 1: "b"} if at < 50 else {1: "c"}
        return (thing(names[1], (0.8, 0.6), "ebike"),) if at < 10 or at > 50 else ()

    assert [event.tracks for _, event in play(lobby(), scene, 70)] == [("b",), ("c",)]
