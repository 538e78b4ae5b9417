"""Embeddings of one track, fused; another person told apart."""

import itertools

import numpy as np
import pytest

from edge.face_fusion import FaceFusion

RANDOM = np.random.default_rng(7)
PEOPLE = itertools.count()


def person() -> np.ndarray:
    """Somebody new, unlike all others."""
    return np.eye(128, dtype=np.float32)[next(PEOPLE)]


def crop_of(who: np.ndarray, spread: float = 0.06) -> np.ndarray:
    vector = who + RANDOM.normal(0, spread, 128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_the_fused_embedding_is_a_unit_vector_nearer_than_its_parts() -> None:
    who, fusion = person(), FaceFusion(same=0.4)
    parts = [crop_of(who) for _ in range(5)]
    for part in parts:
        assert fusion.add(part, 0.8) == "fused"
    fused = fusion.best()
    assert fused.dtype == np.float32
    assert float(np.linalg.norm(fused)) == pytest.approx(1.0, abs=1e-5)
    assert float(fused @ who) > max(float(part @ who) for part in parts)


def test_quality_weighs() -> None:
    who, fusion = person(), FaceFusion(same=0.1)
    good, poor = crop_of(who, 0.01), crop_of(who, 0.2)
    fusion.add(good, 0.9)
    fusion.add(poor, 0.1)
    assert float(fusion.best() @ good) > 0.95


def test_only_the_best_are_kept() -> None:
    who, fusion = person(), FaceFusion(same=0.1, keep=3)
    for quality in (0.2, 0.9, 0.8, 0.7, 0.1):
        fusion.add(crop_of(who), quality)
    assert len(fusion) == 3


def test_agreement_needs_enough_crops_that_are_alike() -> None:
    fusion, who = FaceFusion(same=0.5), person()
    fusion.add(crop_of(who, 0.02), 0.5)
    fusion.add(crop_of(who, 0.02), 0.5)
    assert not fusion.agrees(3)
    fusion.add(crop_of(who, 0.02), 0.5)
    assert fusion.agrees(3)
    mixed = FaceFusion(same=0.5)
    mixed.add(person(), 0.5)
    mixed.add(person(), 0.5)  # the second is never doubted: it may be the first that was wrong
    assert not mixed.agrees(2)


def test_one_stray_crop_is_left_out_and_a_second_one_is_another_person() -> None:
    who, other, fusion = person(), person(), FaceFusion(same=0.4)
    for _ in range(3):
        fusion.add(crop_of(who), 0.7)
    before = fusion.best()
    assert fusion.add(crop_of(other), 0.9) == "doubtful"
    assert fusion.add(crop_of(who), 0.6) == "fused"  # someone had passed in front
    assert fusion.add(crop_of(other), 0.9) == "doubtful"
    assert fusion.add(crop_of(other), 0.9) == "another_person"
    assert float(fusion.best() @ before) > 0.9


def test_two_strays_unlike_each_other_are_no_person() -> None:
    who, fusion = person(), FaceFusion(same=0.4)
    for _ in range(3):
        fusion.add(crop_of(who), 0.7)
    assert fusion.add(person(), 0.9) == "doubtful"
    assert fusion.add(person(), 0.9) == "doubtful"


def test_what_is_seen_now_can_be_told_from_what_was_seen_before() -> None:
    who, other = person(), person()
    before, now = FaceFusion(same=0.4), FaceFusion(same=0.4)
    for _ in range(3):
        before.add(crop_of(who), 0.9)
        now.add(crop_of(other), 0.5)
    alone = now.best()
    assert now.seen() is None  # nothing of before is in it
    now.resume(before)
    seen = now.seen()
    assert seen is not None
    assert np.array_equal(seen, alone)
    assert float(now.best() @ who) > float(now.best() @ other)
    now.add(crop_of(who), 0.95)  # what comes from now on is seen now, too
    seen = now.seen()
    assert seen is not None
    assert float(seen @ who) > 0.3


def test_the_best_crops_of_now_and_before_are_fused_and_no_more_than_are_kept() -> None:
    before, now = FaceFusion(same=0.1, keep=3), FaceFusion(same=0.1, keep=3)
    who = person()
    for quality in (0.9, 0.8, 0.7):
        before.add(crop_of(who, 0.01), quality)
    for quality in (0.6, 0.85, 0.5):
        now.add(crop_of(who, 0.01), quality)
    now.resume(before)
    assert len(now) == 3
    again = FaceFusion(same=0.1, keep=3)
    again.add(crop_of(who, 0.01), 0.1)
    again.resume(now)
    assert len(again) == 3
    assert float(again.best() @ now.best()) == pytest.approx(1.0, abs=1e-5)
