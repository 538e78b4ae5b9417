"""Camera health as timelines: what is told of a camera whose lens something happens to, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.picture_faults import Fault, Limits
from edge.picture_health import PictureHealth, Verdict
from edge.picture_signs import PictureSigns
from tests.unit.edge.fakes import T0
from tests.unit.edge.scenes import Effect, Scene, blurred, covered, frozen, nothing

SOON_S = 10.0


@dataclass
class Watched:
    """A camera whose pictures are judged twice a second."""

    scene: Scene
    health: PictureHealth
    now_s: float = 0.0

    @classmethod
    def new(cls, seed: int = 1, **limits: float) -> "Watched":
        return cls(Scene(seed), PictureHealth(Limits(**limits)))

    @property
    def now(self) -> datetime:
        return T0 + timedelta(seconds=self.now_s)

    def play(
        self,
        seconds: float,
        effect: Effect = nothing,
        *,
        turned: tuple[int, int] = (0, 0),
        light: Sequence[float] = (1.0,),
        clock_off_s: float | None = None,
    ) -> list[tuple[float, Fault | None]]:
        """What is told, and how many seconds after this stretch began."""
        told, began_s = [], self.now_s
        count = round(2 * seconds)
        for n in range(count):
            brightness = float(np.interp(n / count, np.linspace(0, 1, len(light)), light))
            grey = effect(self.scene.at(self.now_s, light=brightness, turned=turned))
            clock = None if clock_off_s is None else self.now + timedelta(seconds=clock_off_s)
            verdict = self.health.look(grey, self.now, clock)
            if verdict is not None:
                told.append((self.now_s - began_s, verdict.fault))
            self.now_s += 0.5
        return told


def told_once_and_soon(told: list[tuple[float, Fault | None]], fault: Fault | None) -> bool:
    return len(told) == 1 and told[0][1] == fault and told[0][0] <= SOON_S


@pytest.mark.parametrize("seed", range(2))
def test_an_ordinary_scene_says_nothing(seed: int) -> None:
    assert Watched.new(seed).play(120) == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("fault", "effect", "turned"),
    [
        (Fault.COVERED, covered(), (0, 0)),
        (Fault.COVERED, covered(8), (0, 0)),
        (Fault.DEFOCUSED, blurred(2.5), (0, 0)),
        (Fault.DEFOCUSED, blurred(5.0), (0, 0)),
        (Fault.MOVED, nothing, (12, 0)),
        (Fault.MOVED, nothing, (-35, 20)),
        (Fault.MOVED, lambda grey: np.ascontiguousarray(grey[::-1, ::-1]), (0, 0)),
    ],
    ids=["covered", "capped", "soft", "blurred", "nudged", "turned", "elsewhere"],
)
def test_a_fault_is_told_once_and_over_once(
    seed: int, fault: Fault, effect: Effect, turned: tuple[int, int]
) -> None:
    camera = Watched.new(seed)
    assert camera.play(30) == []
    assert told_once_and_soon(camera.play(40, effect, turned=turned), fault)
    assert told_once_and_soon(camera.play(40), None)


@pytest.mark.parametrize("seed", range(2))
def test_a_frozen_picture(seed: int) -> None:
    camera = Watched.new(seed)
    assert camera.play(30) == []
    assert told_once_and_soon(camera.play(40, frozen()), Fault.FROZEN)
    assert told_once_and_soon(camera.play(40), None)


def test_a_camera_that_saves_bandwidth_may_be_given_longer() -> None:
    camera = Watched.new(frozen_after_s=60.0)
    camera.play(30)
    freeze = frozen()
    assert camera.play(40, freeze) == []
    assert told_once_and_soon(camera.play(40, freeze), Fault.FROZEN)


def test_night_that_falls_is_too_dark_and_not_covered() -> None:
    camera = Watched.new()
    camera.play(20)
    told = camera.play(60, light=(1.0, 0.05))
    assert [fault for _, fault in told] == [Fault.TOO_DARK]
    assert camera.play(60, light=(0.05, 0.01)) == []
    assert [fault for _, fault in camera.play(60, light=(0.05, 1.0))] == [None]


def test_a_lamp_that_goes_out_is_too_dark_where_something_is_still_lit() -> None:
    def lamp_off(grey: np.ndarray) -> np.ndarray:
        dark = (grey * 0.08).astype(np.uint8)
        dark[20:40, 200:230] = 200  # a window
        return dark

    camera = Watched.new()
    camera.play(20)
    assert told_once_and_soon(camera.play(30, lamp_off), Fault.TOO_DARK)
    assert told_once_and_soon(camera.play(30), None)


def test_light_that_changes_is_no_fault() -> None:
    camera = Watched.new()
    assert camera.play(90, light=(1.0, 0.4, 1.2, 0.5)) == []


def test_a_camera_that_starts_covered_is_told_and_learns_its_view_only_then() -> None:
    camera = Watched.new()
    assert told_once_and_soon(camera.play(30, covered()), Fault.COVERED)
    assert told_once_and_soon(camera.play(30), None)
    assert told_once_and_soon(camera.play(30, turned=(30, 0)), Fault.MOVED)


def test_a_large_van_before_the_camera_for_a_moment_is_no_fault() -> None:
    def van(grey: np.ndarray) -> np.ndarray:
        out = grey.copy()
        out[10:175, 20:250] = 235
        return out

    camera = Watched.new()
    camera.play(30)
    assert camera.play(30, van) == []
    assert camera.play(10) == []


def test_short_troubles_are_not_told() -> None:
    camera = Watched.new()
    camera.play(30)
    for effect in (covered(), blurred(5.0), nothing):
        assert camera.play(2.5, effect, turned=(0, 0) if effect is not nothing else (40, 0)) == []
        assert camera.play(10) == []


def test_one_fault_hides_another_and_it_comes_out_again() -> None:
    camera = Watched.new()
    camera.play(30)
    assert told_once_and_soon(camera.play(20, turned=(40, 0)), Fault.MOVED)
    assert told_once_and_soon(camera.play(20, covered()), Fault.COVERED)
    assert told_once_and_soon(camera.play(20, turned=(40, 0)), Fault.MOVED)
    assert told_once_and_soon(camera.play(20), None)


def test_both_mended_at_once_are_over_at_once() -> None:
    camera = Watched.new()
    camera.play(30)
    camera.play(20, turned=(40, 0))
    camera.play(20, covered())
    assert told_once_and_soon(camera.play(20), None)


def test_a_wrong_clock_is_told_and_a_missing_one_is_not() -> None:
    camera = Watched.new()
    assert camera.play(30, clock_off_s=None) == []
    assert camera.play(30, clock_off_s=3.0) == []
    assert told_once_and_soon(camera.play(30, clock_off_s=-3600.0), Fault.WRONG_TIME)
    assert told_once_and_soon(camera.play(30, clock_off_s=0.2), None)


def test_a_gap_in_the_pictures_forgets_nothing_that_was_told_or_learnt() -> None:
    camera = Watched.new()
    camera.play(30)
    camera.health.interrupt()
    camera.now_s += 300
    assert told_once_and_soon(camera.play(20, turned=(40, 0)), Fault.MOVED)
    camera.health.interrupt()
    camera.now_s += 300
    assert camera.play(20, turned=(40, 0)) == []
    assert told_once_and_soon(camera.play(20), None)


def test_a_view_that_stays_for_an_hour_becomes_the_usual_one() -> None:
    camera = Watched.new()
    camera.play(30)
    camera.play(20, turned=(40, 0))
    camera.now_s += 3600
    assert [fault for _, fault in camera.play(10, turned=(40, 0))] == [None]
    assert camera.play(30, turned=(40, 0)) == []
    assert told_once_and_soon(camera.play(20), Fault.MOVED)


def test_another_resolution_is_learnt_anew() -> None:
    camera = Watched.new()
    camera.play(30)
    camera.play(20, turned=(40, 0))

    def taller(grey: np.ndarray) -> np.ndarray:
        return cv2.resize(grey, (320, 240)).astype(np.uint8)

    assert [fault for _, fault in camera.play(20, taller)] == [None]
    assert told_once_and_soon(camera.play(20, lambda g: covered()(taller(g))[:240]), Fault.COVERED)


def test_the_verdict_says_since_when_and_why() -> None:
    camera = Watched.new()
    camera.play(30)
    verdicts: list[Verdict] = []
    for _ in range(20):
        found = camera.health.look(camera.scene.at(camera.now_s, turned=(32, 0)), camera.now, None)
        verdicts += [found] if found else []
        camera.now_s += 0.5
    (verdict,) = verdicts
    assert timedelta(seconds=30) <= verdict.since - T0 <= timedelta(seconds=33)
    assert "10% to the left" in verdict.reason


def test_a_wall_without_a_mark_gives_nothing_to_go_by() -> None:
    signs = PictureSigns()
    wall = np.full((180, 320), 128, np.uint8)
    for _ in range(30):
        seen = signs.look(wall)
        signs.accept()
    assert (seen.lost, seen.in_place, seen.sharpness, seen.shift) == (None,) * 4
