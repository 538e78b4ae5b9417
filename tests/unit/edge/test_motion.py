"""The motion gate, as timelines of small grey pictures."""

import numpy as np
import pytest

from edge.motion import MotionGate

RANDOM = np.random.default_rng(5)


def still(level: int = 100, noise: float = 2.0) -> np.ndarray:
    grey = level + RANDOM.normal(0, noise, (90, 160))
    return np.clip(grey, 0, 255).astype(np.uint8)


def test_the_first_picture_is_motion_and_stillness_closes_the_gate() -> None:
    gate = MotionGate(hold_s=1.0)
    opened = [gate.is_open(still(), 0.2 * n) for n in range(30)]
    assert opened[0]
    assert not any(opened[7:])


def test_even_when_nothing_moves_it_looks_now_and_then() -> None:
    gate = MotionGate(hold_s=1.0, look_every_s=5.0)
    opened = [gate.is_open(still(), 0.2 * n) for n in range(300)]
    assert sum(opened[10:]) == 11  # of 58 seconds


@pytest.mark.parametrize("covers", [0.05, 0.3, 0.6, 0.95])
def test_something_that_fills_the_picture_is_motion_too(covers: float) -> None:
    gate = MotionGate(hold_s=0.3, look_every_s=99.0)
    for n in range(20):
        gate.is_open(still(), 0.2 * n)
    paint = np.kron(RANDOM.integers(30, 220, (90, 80)), np.ones((1, 2))).astype(np.uint8)
    width = round(160 * covers)
    for n in range(20):  # a lorry drives through a close view
        grey = still()
        grey[:, :width] = np.roll(paint, 6 * n, axis=1)[:, :width]
        assert gate.is_open(grey, 4.0 + 0.2 * n), n


def test_something_small_opens_it_and_it_holds() -> None:
    gate = MotionGate(hold_s=1.0, look_every_s=99.0)
    for n in range(20):
        gate.is_open(still(), 0.2 * n)
    moved = still()
    moved[40:50, 60:66] = 180  # a person far away
    assert gate.is_open(moved, 4.0)
    assert gate.is_open(still(), 4.8)
    assert not gate.is_open(still(), 8.0)


def test_light_that_changes_everywhere_is_not_motion() -> None:
    gate = MotionGate(hold_s=0.5, look_every_s=99.0)
    for n in range(20):
        gate.is_open(still(), 0.2 * n)
    assert not any(gate.is_open(still(100 + 4 * n), 4.0 + 0.2 * n) for n in range(20))


def test_night_noise_is_not_motion() -> None:
    gate = MotionGate(hold_s=0.5, look_every_s=99.0)
    opened = [gate.is_open(still(40, noise=6.0), 0.2 * n) for n in range(50)]
    assert not any(opened[10:])


def test_what_stays_becomes_background() -> None:
    gate = MotionGate(hold_s=0.5, look_every_s=99.0)
    for n in range(10):
        gate.is_open(still(), 0.2 * n)
    parked = [still() for _ in range(120)]
    for grey in parked:
        grey[30:60, 50:100] = 200
    opened = [gate.is_open(grey, 2.0 + 0.2 * n) for n, grey in enumerate(parked)]
    assert opened[0]
    assert not any(opened[60:])


def test_another_size_or_scene_starts_anew() -> None:
    gate = MotionGate()
    gate.is_open(still(), 0.0)
    assert gate.is_open(np.zeros((60, 160), np.uint8), 9.0)
    gate.reset()
    assert gate.is_open(np.zeros((60, 160), np.uint8), 20.0)
