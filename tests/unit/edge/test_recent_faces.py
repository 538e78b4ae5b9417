"""Who was lost a moment ago, and who is surely one of them."""

from datetime import datetime, timedelta

import numpy as np

from edge.face_fusion import Embedding, FaceFusion
from edge.recent_faces import LostFace, RecentFaces
from tests.unit.edge.fakes import T0, embedding_of


def between(one: str, other: str, share: float) -> Embedding:
    """A face that is this much like `one`, 0 to 1, and for the rest like `other`."""
    mixed = share * embedding_of(one) + float(np.sqrt(1 - share**2)) * embedding_of(other)
    return np.asarray(mixed, np.float32)


def lost(track: str, *crops: Embedding, at: datetime = T0) -> LostFace:
    fusion = FaceFusion(same=0.4)
    for crop in crops:
        fusion.add(crop, 0.9)
    return LostFace(track, at, fusion)


def recent(*faces: LostFace) -> RecentFaces:
    memory = RecentFaces(least=0.45, lead=0.1, keep_s=30.0, most=3)
    for face in faces:
        memory.add(face)
    return memory


def test_nobody_is_like_nobody() -> None:
    assert recent().take(embedding_of("ann")) is None


def test_who_is_surely_one_of_them_is_taken_up_once() -> None:
    memory = recent(lost("1", embedding_of("ann")), lost("2", embedding_of("bob")))
    found = memory.take(between("ann", "eve", 0.5))
    assert found is not None
    assert found.track_id == "1"
    assert memory.take(between("ann", "eve", 0.5)) is None


def test_who_is_not_like_enough_is_nobody_of_them() -> None:
    memory = recent(lost("1", embedding_of("ann")))
    assert memory.take(between("ann", "eve", 0.44)) is None
    assert len(memory) == 1


def test_who_may_be_either_of_two_is_neither() -> None:
    memory = recent(lost("1", embedding_of("ann")), lost("2", embedding_of("bob")))
    assert memory.take(between("ann", "bob", 0.75)) is None  # 0.75 and 0.66
    found = memory.take(between("ann", "bob", 0.8))  # 0.80 and 0.60
    assert found is not None
    assert found.track_id == "1"


def test_each_is_forgotten_after_its_time() -> None:
    later = T0 + timedelta(seconds=10)
    memory = recent(lost("1", embedding_of("ann")), lost("2", embedding_of("bob"), at=later))
    memory.forget(T0 + timedelta(seconds=30))
    assert len(memory) == 2
    memory.forget(T0 + timedelta(seconds=31))
    assert memory.take(embedding_of("ann")) is None
    assert memory.take(embedding_of("bob")) is not None


def test_it_is_bounded_and_can_be_emptied() -> None:
    memory = recent(*(lost(str(n), embedding_of("ann")) for n in range(5)))
    assert len(memory) == 3
    memory.clear()
    assert len(memory) == 0


def test_what_is_taken_up_keeps_the_best_crops_and_not_how_live_they_looked() -> None:
    before, now = FaceFusion(same=0.4, keep=3), FaceFusion(same=0.4, keep=3)
    for quality in (0.9, 0.8, 0.7):
        before.add(embedding_of("ann"), quality)
        before.liveness.add(0.95, quality)
    now.add(between("ann", "bob", 0.6), 0.5)
    now.resume(before)
    assert len(now) == 3
    assert np.allclose(now.best(), embedding_of("ann"))
    assert now.liveness == FaceFusion(same=0.4).liveness
