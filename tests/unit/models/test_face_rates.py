import numpy as np
import pytest

from models.faces.rates import Rate, auc, comparisons, fnmr_at, impostor_weights


def rows(*vectors: tuple[float, float]) -> np.ndarray:
    array = np.array(vectors, np.float32).reshape(-1, 2)
    return array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-9)


def test_intervals_are_the_rule_of_three_and_wilsons() -> None:
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 300).interval == pytest.approx((0.0, 0.01))
    assert Rate(300, 300).interval == pytest.approx((0.99, 1.0))
    assert Rate(10, 100).interval == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert Rate(0, 1).upper == 1.0


def test_nothing_compares_to_nothing() -> None:
    genuine, impostor = comparisons(rows(), ())
    assert (genuine.shape, impostor.shape) == ((0,), (0,))


def test_scores_are_those_of_the_pairs() -> None:
    genuine, impostor = comparisons(rows((1, 0), (1, 0.1), (0, 1)), ("a", "a", "b"))
    assert (len(genuine), len(impostor)) == (1, 2)
    assert genuine[0] > 0.99
    assert auc(genuine, impostor) == 1.0
    assert auc(np.array([0.5]), np.array([0.5])) == 0.5


def test_fnmr_is_at_the_lowest_threshold_that_keeps_the_fmr() -> None:
    impostor = np.linspace(0.0, 0.5, 1001)
    genuine = np.array([0.45, 0.4999, 0.6, 0.7])
    assert (fnmr_at(genuine, impostor, 1e-4).errors, fnmr_at(genuine, impostor, 1e-3).errors) == (
        2,
        1,
    )
    assert fnmr_at(genuine, impostor, 0.5) == Rate(0, 4)


def test_two_people_weigh_alike_however_many_pictures_there_are() -> None:
    names = ("a",) * 5 + ("b",) * 5 + ("c",)
    weights = impostor_weights(names)
    assert weights.sum() == pytest.approx(1.0)
    _, order = comparisons(np.eye(11, dtype=np.float32), names)
    assert len(order) == len(weights) == 35
    assert sorted({round(weight, 6) for weight in weights}) == [0.013333, 0.066667]
