"""Passages and grants: who came together, whose face it was, how often the door was released."""

from datetime import timedelta

import pytest

from edge.grants import Grant, GrantBook
from edge.passages import Companions, Passage, PassageSettings, PassageWatch
from edge.zones import LineWatch
from tests.unit.edge.behaviours.kit import LINE, grants
from tests.unit.edge.fakes import T0
from tests.unit.edge.moments import RATE_HZ, moment, thing


def cross(times: dict[str, float], book: GrantBook | None = None, **settings: object):
    """People over the line, to the right, each at their time."""
    options = PassageSettings.model_validate({"line": "gate", **settings})
    watching, lines = PassageWatch(options, book or GrantBook()), LineWatch(LINE)
    told: list[tuple[float, Passage]] = []
    for n in range(40 * RATE_HZ):
        at_s = n / RATE_HZ
        people = [thing(name, (0.5 + 0.05 * (at_s - t), 0.6)) for name, t in times.items()]
        now = moment(at_s, *people)
        told += [(at_s, passage) for passage in watching.step(now, lines.step(now))]
    return told


def names(passage: Passage) -> list[str]:
    return [member.thing.id for member in passage.members]


def test_nobody_is_no_passage() -> None:
    assert cross({}) == []


def test_who_cross_within_seconds_are_one_passage_and_later_ones_another() -> None:
    told = cross({"a": 10, "b": 12, "c": 14.5, "d": 25})
    assert [names(passage) for _, passage in told] == [["a", "b", "c"], ["d"]]
    assert [passage.direction for _, passage in told] == ["in", "in"]
    assert 17 < told[0][0] < 19


@pytest.mark.parametrize(("at", "count"), [((), 0), ((9,), 1), ((9, 11.5), 2), ((1,), 0)])
def test_grants_are_counted_over_the_passage(at: tuple[float, ...], count: int) -> None:
    ((_, passage),) = cross({"a": 10, "b": 12}, grants(*at), device="gate", open_s=5)
    assert passage.grants == count


def test_without_a_signal_nobody_says_how_many_were_let_in() -> None:
    ((_, passage),) = cross({"a": 10}, device="gate")
    assert passage.grants is None


def test_a_scene_that_ends_ends_the_passage() -> None:
    watching, lines = PassageWatch(PassageSettings(line="gate"), GrantBook()), LineWatch(LINE)
    for n in range(10):
        now = moment(n / 5, thing("a", (0.45 + 0.02 * n, 0.6)))
        assert watching.step(now, lines.step(now)) == []
    (passage,) = watching.end_all()
    assert names(passage) == ["a"]
    assert watching.end_all() == []


def test_a_face_belongs_to_the_head_that_it_is_in_and_a_plate_to_its_car() -> None:
    companions = Companions()
    who = [thing("a", (0.3, 0.8)), thing("b", (0.6, 0.8)), thing("c", (0.8, 0.7), "car", width=0.3)]
    for n in range(5):
        companions.see(moment(n / 5, *who))
    at = T0 + timedelta(seconds=0.5)
    companions.face("face-a", (0.28, 0.51, 0.32, 0.57), at)
    companions.face("knee-b", (0.58, 0.7, 0.62, 0.76), at)
    companions.face("nobody", (0.05, 0.5, 0.09, 0.56), at)
    companions.face("too-late", (0.28, 0.51, 0.32, 0.57), at + timedelta(seconds=9))
    companions.plate("plate-c", (0.78, 0.6, 0.84, 0.63), at)
    companions.see(moment(1.0, *who))
    assert [companions.faces(name) for name in "abc"] == [("face-a",), (), ()]
    assert [companions.plates(name) for name in "abc"] == [(), (), ("plate-c",)]


def test_what_is_long_gone_is_forgotten() -> None:
    companions = Companions()
    companions.see(moment(0, thing("a", (0.3, 0.8))))
    companions.face("face-a", (0.28, 0.51, 0.32, 0.57), T0)
    companions.see(moment(1, thing("a", (0.3, 0.8))))
    assert companions.faces("a") == ("face-a",)
    companions.see(moment(32))
    assert companions.faces("a") == ()


def test_grants_are_known_only_while_their_device_is_heard() -> None:
    book, later = GrantBook(), T0 + timedelta(minutes=1)
    assert book.since("door", T0, later) is None
    book.connected("door", T0)
    assert book.since("door", T0, later) == ()
    grant = Grant("door", T0 + timedelta(seconds=9), "card", "17")
    book.add(grant)
    assert book.since("door", T0, later) == (grant,)
    assert book.since("door", T0 - timedelta(seconds=1), later) is None
    assert book.since("lift", T0, later) is None
    book.lost("door")
    assert book.since("door", T0, later) is None
    book.add(Grant("door", later, "card"))  # heard again, and what was before may be missing
    assert book.since("door", T0, later) is None
    assert book.since("door", later, later) is not None
