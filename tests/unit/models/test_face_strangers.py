import numpy as np
import pytest

from models.faces.rates import comparisons
from models.faces.strangers import fit, spread
from tests.unit.models.face_stub import crowd


def test_strangers_are_as_alike_as_real_people_are() -> None:
    people, names = crowd(40, 3, dimension=64)
    model = fit(people, names)
    drawn = model.draw(1500, seed=1)
    assert drawn.shape == (1500, 64)
    assert drawn.dtype == np.float32
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1.0, atol=1e-5)
    mean, wanted = spread(people, names)
    each_other = (drawn[:750] @ drawn[750:].T).ravel()
    to_real = (drawn @ people.T).ravel()
    for similarity in (each_other, to_real):
        assert similarity.mean() == pytest.approx(mean, abs=0.03)
        assert similarity.std() == pytest.approx(wanted, rel=0.1)


def test_a_common_part_of_all_faces_is_kept() -> None:
    """Some networks give strangers a cosine of 0.8 on average."""
    people, names = crowd(30, 2, dimension=64)
    people = people + 2.0 * np.eye(64, dtype=np.float32)[0]
    people /= np.linalg.norm(people, axis=1, keepdims=True)
    _, impostor = comparisons(people, names)
    drawn = fit(people, names).draw(500, seed=1)
    similarity = (drawn @ drawn.T)[np.triu_indices(500, 1)]
    assert similarity.mean() == pytest.approx(impostor.mean(), abs=0.02)


def test_a_heavy_tail_widens_the_spread() -> None:
    """Half the people come in pairs of look-alikes, which the deviation alone hardly shows."""
    people, names = crowd(40, 1, dimension=256)
    alike = people.copy()
    alike[1::4] = 0.6 * people[0::4] + 0.8 * people[1::4]
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    assert spread(alike, names)[1] > 1.3 * spread(people, names)[1]


def test_the_same_seed_draws_the_same_people() -> None:
    model = fit(*crowd(10, 2, dimension=16))
    assert np.array_equal(model.draw(5, seed=3), model.draw(5, seed=3))
    assert not np.array_equal(model.draw(5, seed=3), model.draw(5, seed=4))
    assert model.draw(0, seed=1).shape == (0, 16)
