"""Made scenarios: they are what they say, the same for the same seed, and each behaviour tells them apart."""

from random import Random

import pytest

from edge.evaluation.behaviours import evaluate
from edge.evaluation.scenarios import SCENARIOS
from edge.evaluation.world import SIZE_PX, Actor, along, frame_at, project
from wire.messages import Behaviour


def test_nobody_gives_almost_nothing() -> None:
    random = Random(1)
    assert sum(len(frame_at([], n / 5, random)) for n in range(500)) < 20


@pytest.mark.parametrize("behaviour", SCENARIOS)
def test_each_seed_makes_scenarios_that_end_and_say_what_they_show(behaviour: Behaviour) -> None:
    shows, ordinary = SCENARIOS[behaviour]
    for seed in range(500):
        made = shows(Random(f"{seed} {behaviour}")), ordinary(Random(f"{seed} no {behaviour}"))
        assert [one.shows_it for one in made] == [True, False]
        assert all(one.actors and one.lasts_s <= 120 for one in made)


def test_a_person_stands_where_they_are_and_as_high_as_they_are_far() -> None:
    random, boxes = Random(1), {}
    for z in (10.0, 20.0):
        actor = Actor("person", along([(0, 0, z), (100, 0, z)]))
        seen = [frame_at([actor], n / 5, random) for n in range(100)]
        people = [s.boxes[0] for s in seen if len(s) == 1 and s.labels[0] == "person"]
        assert len(people) > 80
        boxes[z] = sum(people) / len(people)
    foot = project(0, 0, 10)[1]
    assert abs(boxes[10.0][3] - foot) < 15
    near, far = (boxes[z][3] - boxes[z][1] for z in (10.0, 20.0))
    assert 1.6 < near / far < 2.2
    assert 0 < boxes[20.0][1] < boxes[20.0][3] < SIZE_PX[1]


@pytest.mark.parametrize("behaviour", SCENARIOS)
def test_most_of_a_few_scenarios_are_told_right(behaviour: Behaviour) -> None:
    """What the whole table says of fifty is in docs/behaviours.md; the same seeds give the same."""
    score = evaluate(behaviour, range(3))
    assert score.hits >= 2
    assert score.alarms == 0
    assert evaluate(behaviour, range(1)) == evaluate(behaviour, range(1))
