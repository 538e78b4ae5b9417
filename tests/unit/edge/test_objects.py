"""What a network finds, as people and vehicles: nothing, other classes, the same thing twice."""

from dataclasses import dataclass

import numpy as np
import pytest

from edge.objects import SeenObjects, each_once, overlap, see_objects
from edge.perspective import Perspective
from models.objects import ObjectDetections

Row = tuple[str, float, tuple[float, float, float, float]]


def seen(*rows: Row) -> SeenObjects:
    return SeenObjects(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        tuple(label for label, _, _ in rows),  # type: ignore[misc]
    )


@dataclass
class Network:
    rows: tuple[Row, ...]

    def detect(self, image, *, min_score=None, only=None) -> ObjectDetections:
        rows = [row for row in self.rows if row[0] in only]
        boxes = np.array([box for _, _, box in rows], np.float32).reshape(-1, 4)
        score = np.array([score for _, score, _ in rows], np.float32)
        names = tuple(name for name, _, _ in rows)
        return ObjectDetections(boxes, score, np.zeros(len(rows), np.int64), names)


IMAGE = np.zeros((100, 100, 3), np.uint8)


def test_nothing_there() -> None:
    assert len(see_objects(Network(()), IMAGE)) == 0
    assert len(each_once(SeenObjects.empty())) == 0
    assert overlap(np.zeros(4), np.zeros((0, 4))).shape == (0,)


def test_only_people_and_vehicles_count() -> None:
    network = Network((("dog", 0.9, (0, 0, 9, 9)), ("person", 0.8, (20, 0, 29, 30))))
    assert see_objects(network, IMAGE).labels == ("person",)


def test_one_van_that_is_called_a_car_and_a_truck_is_one() -> None:
    van = each_once(seen(("car", 0.5, (0, 0, 50, 30)), ("truck", 0.7, (1, 0, 50, 31))))
    assert van.labels == ("truck",)


def test_a_rider_and_the_cycle_are_two_and_neighbours_stay() -> None:
    rows = seen(
        ("person", 0.9, (0, 0, 20, 60)),
        ("bicycle", 0.8, (0, 5, 20, 62)),
        ("car", 0.8, (40, 0, 60, 20)),
        ("car", 0.7, (52, 0, 72, 20)),
    )
    assert each_once(rows).labels == rows.labels


@pytest.mark.parametrize("foot", [0.4, 0.7, 1.0])
def test_what_is_less_than_half_as_high_as_it_should_be_is_not_looked_at(foot: float) -> None:
    perspective = Perspective(far=(0.4, 0.1), near=(1.0, 0.5))
    height = perspective.person_height(foot)
    assert height == pytest.approx(0.1 + (foot - 0.4) * 0.4 / 0.6)
    people = seen(
        ("person", 0.9, (0, 1000 * (foot - 0.6 * height), 10, 1000 * foot)),
        ("person", 0.9, (0, 1000 * (foot - 0.4 * height), 10, 1000 * foot)),
    )
    assert perspective.large_enough(people, 1000).tolist() == [0]


def test_above_the_horizon_nobody_has_a_height() -> None:
    assert Perspective(far=(0.4, 0.1), near=(1.0, 0.5)).person_height(0.1) == 0.0
