"""The index must give what comparing with every row gives, on whatever it holds."""

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.gallery_index import _LEVELS, TemplateIndex


def normed(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scattered(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    return normed(np.random.default_rng(seed).normal(size=(count, dimension)))


def clustered(count: int, dimension: int, spread: float, seed: int = 0) -> np.ndarray:
    """Rows in tight heaps around a few centres, themselves close together: as hard as it gets for codes."""
    random = np.random.default_rng(seed)
    centres = scattered(1, dimension, seed) + 0.5 * scattered(7, dimension, seed + 1)
    rows = centres[random.integers(0, len(centres), count)]
    return normed(rows + spread * scattered(count, dimension, seed + 2))


def spiky(count: int, dimension: int) -> np.ndarray:
    """Rows with values far beyond what a code can say."""
    rows = scattered(count, dimension)
    rows[::3, :2] = 3.0
    return normed(rows)


def filled(rows: np.ndarray, **arguments: int) -> TemplateIndex:
    index = TemplateIndex(rows.shape[1], plain_rows=0, **arguments)
    for row in rows:
        index.append(row)
    return index


def check(index: TemplateIndex, rows: np.ndarray, probe: np.ndarray, wanted: int = 5) -> int:
    found = index.nearest(probe, wanted)
    every = rows.astype(np.float64) @ probe.astype(np.float64)
    best = np.sort(every)[::-1][:wanted]
    assert found.similarities == pytest.approx(best, abs=2e-6)
    assert every[found.rows] == pytest.approx(best, abs=2e-6)  # ties may come in either order
    assert len(set(found.rows.tolist())) == len(best)
    return found.compared


def test_an_empty_index_gives_nothing() -> None:
    found = TemplateIndex(8).nearest(scattered(1, 8)[0], 3)
    assert (found.rows.shape, found.similarities.shape) == ((0,), (0,))


@pytest.mark.parametrize(
    "rows",
    [
        scattered(3000, 512),
        scattered(3000, 128),
        clustered(3000, 512, 0.3),
        clustered(3000, 128, 0.01),
        spiky(2000, 64),
    ],
    ids=["scattered-512", "scattered-128", "clustered", "tightly-clustered", "beyond-the-codes"],
)
def test_it_is_exact_for_strangers_and_for_the_enrolled(rows: np.ndarray) -> None:
    index = filled(rows, block_rows=700)
    for probe in scattered(10, rows.shape[1], seed=5):
        check(index, rows, probe)
    noise = scattered(10, rows.shape[1], seed=6)
    for probe in normed(rows[::300][:10] + 0.4 * noise[: len(rows[::300])]):
        check(index, rows, probe)


def test_a_code_kept_in_place_is_what_faiss_itself_makes_of_the_row() -> None:
    rows = scattered(100, 64)
    index = filled(rows, block_rows=200)
    whole = faiss.IndexPQFastScan(64, 64, 4, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(np.tile(_LEVELS / np.float32(8), 64), whole.pq.centroids)
    whole.is_trained = True
    turned = rows @ index._rotation.T
    whole.add(turned)
    theirs, _ = whole.search(turned[:3], 100)
    for probe, products in zip(turned, theirs, strict=False):
        assert index._by_code(probe, 100)[0] == pytest.approx(products, abs=1e-6)


def test_what_codes_hide_is_no_more_than_the_bound_allows() -> None:
    for rows in (scattered(4000, 512), clustered(4000, 128, 0.3), spiky(4000, 256)):
        index = filled(rows)
        for probe in [*scattered(5, rows.shape[1], seed=8), *rows[:5]]:
            turned = index._rotation @ probe
            products, numbers = index._by_code(turned, len(rows))
            real = rows[numbers] @ probe
            off = (products - real * (1 - index._shrink)) / index._deviation(turned)
            assert off.min() > -6.0
            assert np.abs(products - real).max() > index._deviation(turned)  # it is no idle bound


def test_codes_spare_most_rows_the_comparison_and_say_when_they_cannot() -> None:
    easy, hard = scattered(3000, 512), clustered(3000, 128, 0.001)
    assert check(filled(easy), easy, normed(easy[:1] + 0.3 * scattered(1, 512, 9))[0], 1) <= 128
    assert check(filled(hard), hard, hard[7], 1) > 128


def test_it_is_the_same_with_threads_and_with_every_row_compared() -> None:
    rows = scattered(2000, 256)
    one, two = filled(rows, block_rows=300), filled(rows, block_rows=300, threads=2)
    plain = TemplateIndex(256, plain_rows=5000)
    for row in rows:
        plain.append(row)
    for probe in scattered(5, 256, seed=3):
        expected = plain.nearest(probe, 4).rows.tolist()
        assert one.nearest(probe, 4).rows.tolist() == expected
        assert two.nearest(probe, 4).rows.tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("aadr"), st.integers(0, 10**6)), max_size=80))
def test_it_holds_what_was_added_and_not_dropped(steps: list[tuple[str, int]]) -> None:
    index = TemplateIndex(16, plain_rows=0, block_rows=8)
    pool, held = scattered(97, 16), list[np.ndarray]()
    for step, number in steps:
        row = pool[number % len(pool)]
        if step == "a":
            index.append(row)
            held.append(row)
        elif held and step == "d":
            index.drop(number % len(held))
            held[number % len(held)] = held[-1]
            held.pop()
        elif held:
            index.replace(number % len(held), row)
            held[number % len(held)] = row
    assert len(index) == len(held)
    if held:
        check(index, np.stack(held), pool[0], 3)


def test_what_is_dropped_is_overwritten() -> None:
    rows = scattered(10, 16)
    index = filled(rows, block_rows=8)
    for _ in range(6):
        index.drop(0)
    block = index._blocks[0]
    assert not block.rows[4:].any()
    assert not any(block.code(place).any() for place in range(4, 8))
    assert all(block.code(place).any() for place in range(4))
    assert len(index._blocks) == 1


def test_a_probe_of_nothing_finds_nobody_in_particular() -> None:
    index = filled(scattered(50, 16))
    assert not index.nearest(np.zeros(16, np.float32), 2).similarities.any()


def test_a_row_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(16,\), got \(8,\)"):
        filled(scattered(3, 16)).append(scattered(1, 8)[0])
