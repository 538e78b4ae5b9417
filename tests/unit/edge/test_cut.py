"""Another view, or the same one in another light: made pictures of two yards."""

import numpy as np
import pytest

from edge.cut import ViewCut
from edge.frame import Grey, shrink
from tests.unit.edge.scenes import Effect, Scene, blurred, covered, nothing


def look(scene: Scene, second: float, **how: object) -> Grey:
    return shrink(scene.at(second, **how), 160)  # type: ignore[arg-type]


def test_a_view_that_stays_is_no_cut_whoever_walks_through_it() -> None:
    cut, yard = ViewCut(), Scene(1)
    assert not any(cut.step(look(yard, 0.2 * n)) for n in range(50))


def test_another_view_is_a_cut_once() -> None:
    cut, yard, gate = ViewCut(), Scene(1), Scene(2)
    seen = [cut.step(look(yard, 0.2 * n)) for n in range(5)]
    seen += [cut.step(look(gate, 0.2 * n)) for n in range(5)]
    seen += [cut.step(look(yard, 0.2 * n)) for n in range(5)]
    assert [n for n, is_cut in enumerate(seen) if is_cut] == [5, 10]


@pytest.mark.parametrize("light", [0.35, 0.6, 1.5])
def test_light_that_is_switched_is_no_cut(light: float) -> None:
    cut, yard = ViewCut(), Scene(1)
    cut.step(look(yard, 0.0))
    assert not cut.step(look(yard, 0.2, light=light))
    assert not cut.step(look(yard, 0.4))


def test_a_camera_that_was_nudged_shows_the_same_view() -> None:
    cut, yard = ViewCut(), Scene(1)
    cut.step(look(yard, 0.0))
    assert not cut.step(look(yard, 0.2, turned=(4, 2)))


def test_a_camera_that_turned_to_another_side_shows_another() -> None:
    cut, yard = ViewCut(), Scene(1)
    cut.step(look(yard, 0.0, turned=(-40, -30)))
    assert cut.step(look(yard, 0.2, turned=(60, 50)))


@pytest.mark.parametrize("effect", [nothing, blurred(2.0)])
def test_a_lorry_before_most_of_the_picture_is_no_cut(effect: Effect) -> None:
    cut, yard = ViewCut(), Scene(1)
    cut.step(look(yard, 0.0))
    behind = yard.at(0.2)
    behind[:, :210] = effect(Scene(3).at(0.0))[:, :210]  # two thirds of it
    assert not cut.step(shrink(behind, 160))


def test_a_plain_picture_says_nothing() -> None:
    cut = ViewCut()
    assert not cut.step(np.zeros((90, 160), np.uint8))
    assert not cut.step(np.full((90, 160), 200, np.uint8))


def test_a_cover_over_the_lens_is_another_view_and_so_is_what_it_shows_again() -> None:
    cut, yard = ViewCut(), Scene(1)
    cut.step(look(yard, 0.0))
    assert cut.step(shrink(covered()(yard.at(0.2)), 160))
    assert cut.step(look(yard, 0.4))


def test_a_new_scene_or_size_is_compared_with_nothing() -> None:
    cut, yard, gate = ViewCut(), Scene(1), Scene(2)
    cut.step(look(yard, 0.0))
    cut.reset()
    assert not cut.step(look(gate, 0.2))
    assert not cut.step(shrink(yard.at(0.4), 80))
