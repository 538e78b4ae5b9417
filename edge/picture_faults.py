"""What is wrong with a camera's picture at one look: the limits between a fault and none.

In: the `Signs` of successive looks, with their times and what the camera's clock said. Out: the faults that
each look shows. Pure. Each limit has two sides, so that what lies between them changes nothing.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from edge.picture_signs import Signs

_FREEZES: Final = 0.7  # of the looks are alike: each key frame of a frozen picture differs a little
_THAWS: Final = 0.5
_THAW_S: Final = 3.0
_ONE_LOOK_S: Final = 1.1  # the looks are at most this far apart


class Fault(StrEnum):
    """What can be wrong with a picture. Each hides those behind it; the clock is apart."""

    COVERED = "covered"
    TOO_DARK = "too_dark"
    FROZEN = "frozen"
    MOVED = "moved"
    DEFOCUSED = "defocused"
    WRONG_TIME = "wrong_time"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is a fault. Of two limits the fault begins at the first and ends at the second.

    Attributes:
        flat: contrast below which nothing at all is to be seen, grey levels.
        dark: brightness of the brightest parts, 0 to 255.
        fell_within_s: a picture that becomes black within this is covered, else it has become dark.
        shown: share of the blocks that still show something.
        in_place: share of the blocks whose edges are where they usually are.
        moved_width: how far the view must have moved, in widths of the picture.
        sharp: sharpness against the usual.
        unchanged: share of the pixels that may change in a frozen picture.
        frozen_after_s: for how long hardly any look may differ from the one before.
        clock_s: how far the camera's clock may be from ours.
    """

    flat: float = 4.0
    dark: tuple[float, float] = (45.0, 60.0)
    fell_within_s: float = 3.0
    shown: tuple[float, float] = (0.2, 0.5)
    in_place: tuple[float, float] = (0.4, 0.55)
    moved_width: float = 0.02
    sharp: tuple[float, float] = (0.45, 0.6)
    unchanged: float = 0.002
    frozen_after_s: float = 7.0
    clock_s: float = 30.0


@dataclass(slots=True)
class PictureFaults:
    """What the looks at one camera showed up to now."""

    limits: Limits
    _now: set[Fault] = field(default_factory=set, init=False)
    _unchanged: deque[tuple[datetime, bool]] = field(default_factory=deque, init=False)
    _bright_at: datetime | None = field(default=None, init=False)
    _fell_suddenly: bool = field(default=False, init=False)

    def see(self, signs: Signs, at: datetime, camera_clock: datetime | None) -> frozenset[Fault]:
        """The first fault of the picture at this look, and whether the clock is wrong."""
        self._follow_light(signs.brightest, at)
        self._follow_changes(signs.changed, at)
        tests = {
            Fault.COVERED: self._is_covered(signs),
            Fault.TOO_DARK: self._is_below(Fault.TOO_DARK, signs.brightest, self.limits.dark),
            Fault.FROZEN: self._is_frozen(at),
            Fault.MOVED: self._is_moved(signs),
            Fault.DEFOCUSED: self._is_below(Fault.DEFOCUSED, signs.sharpness, self.limits.sharp),
        }
        first = next((fault for fault, found in tests.items() if found), None)
        if first in (Fault.COVERED, Fault.TOO_DARK):
            self._unchanged.clear()  # nothing can change where nothing is seen
        self._now = set() if first is None else {first}
        if camera_clock is not None and abs(_ago_s(camera_clock, at)) > self.limits.clock_s:
            self._now.add(Fault.WRONG_TIME)
        return frozenset(self._now)

    def interrupt(self) -> None:
        """The pictures broke off: what went on before says nothing of the next one."""
        self._unchanged.clear()
        self._bright_at = None

    def _is_below(self, fault: Fault, value: float | None, limits: tuple[float, float]) -> bool:
        """Whether `value` is below the limit that counts now; as it was where it is not known."""
        was = fault in self._now
        return was if value is None else value < limits[was]

    def _is_covered(self, signs: Signs) -> bool:
        """Nothing is to be seen any more. What is black is covered only if it became so at once."""
        flat = signs.contrast < self.limits.flat
        if signs.brightest < self.limits.dark[0]:
            return flat and (self._fell_suddenly or Fault.COVERED in self._now)
        if flat or signs.lost is None:
            return flat
        return self._is_below(Fault.COVERED, 1.0 - signs.lost, self.limits.shown)

    def _is_moved(self, signs: Signs) -> bool:
        if not self._is_below(Fault.MOVED, signs.in_place, self.limits.in_place):
            return False
        return signs.shift is None or max(map(abs, signs.shift)) >= self.limits.moved_width

    def _follow_light(self, brightest: float, at: datetime) -> None:
        if brightest >= self.limits.dark[1]:
            self._bright_at, self._fell_suddenly = at, False
        elif brightest < self.limits.dark[0] and self._bright_at is not None:
            self._fell_suddenly = _ago_s(self._bright_at, at) <= self.limits.fell_within_s
            self._bright_at = None

    def _follow_changes(self, changed: float | None, at: datetime) -> None:
        if changed is not None:
            self._unchanged.append((at, changed <= self.limits.unchanged))
        while self._unchanged and _ago_s(self._unchanged[0][0], at) > self.limits.frozen_after_s:
            self._unchanged.popleft()

    def _is_frozen(self, at: datetime) -> bool:
        """Hardly a look of the last seconds differs from the one before, or has begun to again."""
        was = Fault.FROZEN in self._now
        window_s = _THAW_S if was else self.limits.frozen_after_s
        looks = [
            (moment, same) for moment, same in self._unchanged if _ago_s(moment, at) <= window_s
        ]
        if not looks or (not was and _ago_s(looks[0][0], at) < window_s - _ONE_LOOK_S):
            return False
        return sum(same for _, same in looks) >= (_THAWS if was else _FREEZES) * len(looks)


def _ago_s(moment: datetime, at: datetime) -> float:
    return (at - moment).total_seconds()
