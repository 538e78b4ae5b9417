import numpy as np
import pytest

from models.faces.identification import Strangers, search
from models.faces.strangers import fit
from tests.unit.models.face_stub import crowd

PEOPLE, NAMES = crowd(12, 3, dimension=64)
MODEL = fit(PEOPLE, NAMES)
NOBODY = Strangers(np.zeros((0, 64), np.float32), np.zeros((0, 64), np.float32))


def by_hand(rows: np.ndarray, of: list[str], probe: np.ndarray) -> tuple[float, float]:
    """Best similarity, and best of anybody but that person."""
    best: dict[str, float] = {}
    for row, name in zip(rows, of, strict=True):
        best[name] = max(best.get(name, -1.0), float(row @ probe))
    first, second = sorted(best.values(), reverse=True)[:2]
    return first, second


def test_searches_are_those_a_plain_loop_makes() -> None:
    padding = Strangers(MODEL.draw(50, 1), MODEL.draw(7, 2))
    _, found = search(PEOPLE, NAMES, padding, (1, 40))
    assert (found.people, found.real, len(found.top)) == (40, 36, 43)
    assert len(found.own) == 12 * 3 * 2
    pads, pad_names = padding.enrolled[:28], [f"pad{n}" for n in range(28)]
    for index in (0, 17, 35):
        others = [n for n in range(36) if NAMES[n] != NAMES[index]]
        rows = np.concatenate([PEOPLE[others], pads])
        names = [NAMES[n] for n in others] + pad_names
        expected = by_hand(rows, names, PEOPLE[index])
        assert (found.top[index], found.second[index]) == pytest.approx(expected, abs=1e-5)
    rows, names = np.concatenate([PEOPLE, pads]), [*NAMES, *pad_names]
    for index in range(7):
        expected = by_hand(rows, names, padding.passing[index])
        got = (found.top[36 + index], found.second[36 + index])
        assert got == pytest.approx(expected, abs=1e-5)


def test_a_gallery_is_never_smaller_than_the_people_in_it() -> None:
    small, same = search(PEOPLE, NAMES, NOBODY, (1, 12))
    assert small.people == same.people == 12
    assert np.array_equal(small.top, same.top)


def test_more_people_are_never_less_alike() -> None:
    padding = Strangers(MODEL.draw(400, 1), MODEL.draw(50, 2))
    tops = [found.top for found in search(PEOPLE, NAMES, padding, (12, 50, 400))]
    assert np.all(tops[1] >= tops[0])
    assert np.all(tops[2] >= tops[1])
    assert tops[2].mean() > tops[0].mean()


def test_the_threshold_keeps_the_rate_of_all_and_of_real_people() -> None:
    padding = Strangers(MODEL.draw(400, 1), MODEL.draw(500, 2))
    (found,) = search(PEOPLE, NAMES, padding, (400,))
    for fpir, margin in ((0.01, 0.0), (0.05, 0.02), (0.2, 0.05)):
        threshold = found.threshold_at(fpir, margin)
        assert found.fpir(threshold, margin).value <= fpir
        assert found.real_fpir(threshold, margin).value <= fpir
    assert found.threshold_at(0.2) <= found.threshold_at(0.01)


def test_the_right_name_needs_threshold_lead_and_rank() -> None:
    alone = np.eye(3, dtype=np.float32)
    data = np.stack([alone[0], alone[0], 0.8 * alone[0] + 0.6 * alone[1]])
    (found,) = search(data, ("a", "a", "b"), Strangers(alone[:0], alone[:0]), (2,))
    assert found.tpir(0.9).errors == 2  # both pictures of a find the other one
    assert found.tpir(0.9, 0.3).errors == 0  # b is nearer than that
    assert found.tpir(1.1).errors == 0
