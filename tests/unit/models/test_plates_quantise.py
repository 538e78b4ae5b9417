"""8-bit variants: smaller, and all but equal to what they were made from."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")

import onnxruntime as ort

from models.plates.weights import verified
from models.training.quantise import quantise


def pictures(n: int) -> list[np.ndarray]:
    """Plates with a text of any font, tinted: enough for ranges."""
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(n):
        picture = np.full((48, 144, 3), rng.integers(0, 120, 3), np.uint8)
        text = "".join(rng.choice(list("ABCDEF0123456789"), 7))
        cv2.putText(picture, text, (4, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2)
        drawn.append(picture)
    return drawn


def test_an_8_bit_reader_is_smaller_and_says_nearly_the_same(tmp_path: Path) -> None:
    source, target = verified("reader"), tmp_path / "small.onnx"
    quantise(source, target, pictures(20))
    feed = {"pictures": np.stack(pictures(20))}
    before, after = (ort.InferenceSession(str(p)).run(None, feed)[0] for p in (source, target))
    assert target.stat().st_size < 0.7 * source.stat().st_size
    assert (before.argmax(2) == after.argmax(2)).mean() > 0.95
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("part", ["reader", "two_rows"])
def test_a_small_reader_ships_beside_the_full_one(part) -> None:
    assert verified(part, int8=True).stat().st_size < verified(part).stat().st_size


@pytest.mark.parametrize("part", ["detector", "refiner"])
def test_what_lost_accuracy_has_no_8_bit_variant(part) -> None:
    assert verified(part, int8=True) == verified(part)
