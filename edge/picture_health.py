"""Does the camera still show its scene? Frozen, covered, too dark, moved, defocused, or its clock is off.

In: small grey pictures of one camera with their times, and what the camera's clock said. Out: a `Verdict` at
each change: the fault that is there, or that all is well again. Pure: time comes with the pictures. A
fault must stay to be told, and be gone for a while to be over, so each is told once and does not flap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.frame import Grey
from edge.picture_faults import Fault, Limits, PictureFaults
from edge.picture_signs import PictureSigns, Signs

LOOK_EVERY_S: Final = 0.5
TELL_AFTER_S: Final = 4.0
OVER_AFTER_S: Final = 3.0
ADOPT_AFTER_S: Final = 3600.0
_LONGEST_GAP_S: Final = 3.0
_ADOPTED: Final = (Fault.MOVED, Fault.DEFOCUSED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fault that is told from now on, None for none; `since` when that began, and why in words."""

    fault: Fault | None
    since: datetime
    reason: str


@dataclass(slots=True)
class _Steady:
    """A condition that counts once it has held, or been gone, for long enough."""

    tell_after_s: float
    now: bool = False
    told: bool = False
    since: datetime | None = None

    def see(self, *, now: bool, at: datetime) -> None:
        """The condition is so at this look."""
        if now != self.now or self.since is None:
            self.now, self.since = now, at
        held_s = (at - self.since).total_seconds()
        if now != self.told and held_s >= (self.tell_after_s if now else OVER_AFTER_S):
            self.told = now

    def interrupt(self) -> None:
        """It cannot be seen just now: what is told stays, what had begun is counted anew."""
        self.now, self.since = self.told, None


class PictureHealth:
    """Judges the pictures of one camera."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._last: datetime | None = None
        self._told: Fault | None = None
        self._told_at: datetime | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Another view: learn what is usual, suspect nothing."""
        self._shape: tuple[int, ...] | None = None
        self._signs, self._faults = PictureSigns(), PictureFaults(self._limits)
        # A frozen picture has been so for the whole of its own window when it is first seen to be.
        self._steady: Mapping[Fault, _Steady] = {
            fault: _Steady(0.0 if fault is Fault.FROZEN else TELL_AFTER_S) for fault in Fault
        }

    def wants(self, at: datetime) -> bool:
        """Whether it is time for another look."""
        return self._last is None or (at - self._last).total_seconds() >= LOOK_EVERY_S - 0.01

    def look(self, grey: Grey, at: datetime, camera_clock: datetime | None) -> Verdict | None:
        """Judge a picture, ``(h, 320)`` uint8 luma; returns what is told from now on, if that changes.

        `camera_clock` is when the camera says that it took the picture, None where it does not say.
        """
        if self._last is not None and (at - self._last).total_seconds() > _LONGEST_GAP_S:
            self.interrupt()
        if self._shape != grey.shape or self._has_become_usual(at):
            self._begin_anew()
        self._shape, self._last = grey.shape, at
        signs = self._signs.look(grey)
        faults = self._faults.see(signs, at, camera_clock)
        self._weigh(faults, at)
        if faults <= {Fault.WRONG_TIME}:
            self._signs.accept()
        return self._decide(signs, at, camera_clock)

    def interrupt(self) -> None:
        """The pictures broke off. What was told and learnt stays."""
        self._last = None
        self._signs.interrupt()
        self._faults.interrupt()
        for steady in self._steady.values():
            steady.interrupt()

    def _has_become_usual(self, at: datetime) -> bool:
        """A view that has stayed so for so long is meant to be: somebody has turned the camera."""
        if self._told not in _ADOPTED or self._told_at is None:
            return False
        return (at - self._told_at).total_seconds() >= ADOPT_AFTER_S

    def _weigh(self, faults: frozenset[Fault], at: datetime) -> None:
        """A fault that is seen hides those behind it, but not the clock."""
        hidden = False
        for fault, steady in self._steady.items():
            if hidden and fault is not Fault.WRONG_TIME:
                steady.interrupt()
            else:
                steady.see(now=fault in faults, at=at)
                hidden = fault in faults

    def _decide(self, signs: Signs, at: datetime, camera_clock: datetime | None) -> Verdict | None:
        fault = next((fault for fault, steady in self._steady.items() if steady.told), None)
        if fault == self._told:
            return None
        self._told, self._told_at = fault, at
        if fault is None:
            return Verdict(None, at, "the picture is as usual")
        since = self._steady[fault].since or at
        return Verdict(fault, since, _sentence(fault, signs, at, camera_clock))


def _sentence(fault: Fault, signs: Signs, at: datetime, camera_clock: datetime | None) -> str:
    match fault:
        case Fault.COVERED:
            return "nothing of the scene is to be seen any more"
        case Fault.TOO_DARK:
            return f"too dark: 95 % of the picture is below {signs.brightest:.0f} of 255"
        case Fault.FROZEN:
            return "the picture stands still to the last pixel, though the stream goes on"
        case Fault.MOVED:
            return f"another view than usual: {_direction(signs.shift)}"
        case Fault.DEFOCUSED:
            return f"out of focus: {signs.sharpness or 0.0:.0%} of the usual detail"
        case Fault.WRONG_TIME:
            assert camera_clock is not None
            off_s = (camera_clock - at).total_seconds()
            return f"its clock is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}"


def _direction(shift: tuple[float, float] | None) -> str:
    if shift is None:
        return "nothing is where it was"
    right, down = shift
    sideways = f"{abs(right):.0%} to the {'right' if right > 0 else 'left'}"
    return f"its things are about {sideways} and {abs(down):.0%} {'down' if down > 0 else 'up'}"
