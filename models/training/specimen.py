"""Which plates to draw: text, series, colour, rows and the layout of their characters.

In: a random generator. Out: :class:`Specimen` values, provinces and series evenly spread so that
none is rare in training, characters that cameras confuse oversampled. Draws nothing.
"""

from dataclasses import dataclass

import numpy as np

from models.training.glyphs import Face
from wire.plates import DIGITS, LETTERS, PATTERNS, Pattern, PlateColour, PlateType

Cell = tuple[Face, float, float, float, float]
"""Face, and x, y, width, height of one character in mm."""


@dataclass(frozen=True)
class Specimen:
    """One plate to draw; lengths in mm."""

    text: str
    type: PlateType
    colour: PlateColour
    rows: int
    size: tuple[float, float]
    cells: tuple[Cell, ...]
    dots: tuple[tuple[float, float], ...]


_WEIGHTS = {
    PlateType.ORDINARY: 9.0,
    PlateType.LARGE: 4.0,
    PlateType.NEW_ENERGY_SMALL: 4.0,
    PlateType.NEW_ENERGY_LARGE: 1.5,
    PlateType.TRAILER: 1.2,
    PlateType.LEARNER: 0.8,
    PlateType.POLICE: 1.2,
    PlateType.HONG_KONG: 0.8,
    PlateType.MACAU: 0.8,
    PlateType.EMBASSY: 0.6,
    PlateType.CONSULATE: 0.8,
    PlateType.FOREIGN: 0.3,
    PlateType.ARMED_POLICE: 0.6,
    PlateType.ARMY: 1.0,
    PlateType.EMERGENCY: 0.4,
    PlateType.AIRPORT: 0.4,
    PlateType.AGRICULTURAL: 0.4,
}
FINISH_WEIGHTS = _WEIGHTS | {
    PlateType.LARGE: 9.0,
    PlateType.NEW_ENERGY_SMALL: 5.0,
    PlateType.NEW_ENERGY_LARGE: 3.0,
    PlateType.TRAILER: 3.0,
    PlateType.POLICE: 2.0,
    PlateType.ARMED_POLICE: 2.5,
    PlateType.ARMY: 1.5,
    PlateType.AGRICULTURAL: 3.0,
}
"""How often each series is drawn when the reader is finished: more of what it reads worst."""

_HARD = "0DQ8B5S2Z17T6GUVMNHEFPR3CLKXY4AJ9W"


def _character(allowed: str, rng: np.random.Generator) -> str:
    """One of ``allowed``; two times in five one that cameras confuse, where there is one."""
    if len(allowed) > 10 and rng.random() < 0.4:
        hard = [c for c in allowed if c in _HARD]
        if hard:
            return hard[int(rng.integers(len(hard)))]
    if len(allowed) > 20 and rng.random() < 0.35:  # real serials are mostly digits
        allowed = "".join(c for c in allowed if c in DIGITS) or allowed
    return allowed[int(rng.integers(len(allowed)))]


def sample_text(pattern: Pattern, rng: np.random.Generator) -> str:
    """A plate of ``pattern``: provinces evenly, hard characters oversampled."""
    characters = []
    for index, allowed in enumerate(pattern.positions):
        usual = allowed
        if index == 1 and allowed.startswith(LETTERS):  # agency 0 (O) is rare, A the commonest
            usual = "A" if rng.random() < 0.15 else LETTERS
            usual = allowed if rng.random() < 0.1 else usual
        characters.append(_character(usual, rng))
    return "".join(characters)


def _row(
    face: Face, x: float, y: float, w: float, h: float, gap: float, n: int, jumps: dict[int, float]
) -> list[Cell]:
    """``n`` cells from ``x``; ``jumps[i]`` replaces the gap after cell ``i``."""
    cells: list[Cell] = []
    for index in range(n):
        cells.append((face, x, y, w, h))
        x += w + jumps.get(index, gap)
    return cells


def _one_row(n: int, dot_after: int) -> tuple[list[Cell], tuple[float, float]]:
    """440 mm, characters 45 by 90; 34 mm and a dot after ``dot_after`` (GA 36)."""
    cells = _row("one", 15.5, 25.0, 45.0, 90.0, 12.0, n, {dot_after: 34.0})
    left = cells[dot_after][1] + 45.0
    return cells, (left + 17.0, 70.0)


def _green_row() -> list[Cell]:
    """480 mm (GA 36-2018): province 45 wide, the others 43, gap 9, 49 after the second."""
    first: list[Cell] = [("green", 15.5, 25.0, 45.0, 90.0)]
    return first + _row("green", 69.5, 25.0, 43.0, 90.0, 9.0, 7, {0: 49.0})


def _two_rows(
    upper: int, lower: int, rng: np.random.Generator, *, armed: bool = False
) -> tuple[list[Cell], tuple[float, float] | None]:
    """440 by 220 mm: ``upper`` characters 80 by 60, ``lower`` 65 by 110.

    Of three above the province stands as on the real plate at hand, from 0.2 to 0.37 of the width; where
    the digits after it stand differs from maker to maker.
    """
    if upper == 2:
        cells = _row("upper", 110.0, 15.0, 80.0, 60.0, 60.0, 2, {})
        dot: tuple[float, float] | None = (220.0, 45.0)
    else:
        # Three above: a wide one and two narrow (皖 19), or two narrow and a wide one (WJ 粤).
        narrow_first = _row("upper", 95.0, 15.0, 44.0, 60.0, 14.0, 2, {})
        if lower >= 5 and not armed:
            start, gap = float(rng.uniform(220, 236)), float(rng.uniform(20, 28))
            cells = [("upper", 88.0, 15.0, 74.0, 60.0)]
            cells += _row("upper", start, 15.0, 46.0, 60.0, gap, 2, {})
            dot = None
        else:
            cells = [*narrow_first, ("upper", 255.0, 15.0, 80.0, 60.0)]
            dot = (226.0, 45.0)
    width = 65.0 if lower <= 5 else 54.0
    between = (385.0 - lower * width) / max(lower - 1, 1)
    return cells + _row("lower", 27.5, 95.0, width, 110.0, between, lower, {}), dot


def _layout(
    pattern: Pattern, text: str, rows: int, rng: np.random.Generator
) -> tuple[tuple[float, float], list[Cell], list[tuple[float, float]]]:
    kind = pattern.type
    if rows == 2:
        upper = 3 if kind is PlateType.AGRICULTURAL or (text[:2] == "WJ" and len(text) == 8) else 2
        cells, dot = _two_rows(upper, len(text) - upper, rng, armed=text.startswith("WJ"))
        size = (440.0, 220.0)
        if rng.random() < 0.3:  # motorcycles and tractors: 220 by 140
            cells = [(f, x / 2, y * 140 / 220, w / 2, h * 140 / 220) for f, x, y, w, h in cells]
            dot = dot and (dot[0] / 2, dot[1] * 140 / 220)
            size = (220.0, 140.0)
        return size, cells, [dot] if dot else []
    if kind in (PlateType.NEW_ENERGY_SMALL, PlateType.NEW_ENERGY_LARGE):
        return (480.0, 140.0), _green_row(), []
    if len(text) == 8:
        cells = _row("one", 15.5, 25.0, 45.0, 90.0, 9.0, 8, {1: 26.0, 2: 9.0})
        last = cells[-1][1] + 45.0 + 15.5
        return (last, 140.0), cells, []
    after = 1
    if kind is PlateType.POLICE and rng.random() < 0.6:
        after = 0
    elif kind is PlateType.EMBASSY:
        after = 3 if text[0] == "使" else 2
    cells, spot = _one_row(len(text), after)
    return (440.0, 140.0), cells, [spot]


_BY_TYPE = {kind: [p for p in PATTERNS if p.type is kind] for kind in _WEIGHTS}


def sample_specimen(
    rng: np.random.Generator,
    kinds: tuple[PlateType, ...] | None = None,
    *,
    finish: bool = False,
) -> Specimen:
    """A plate to draw, of ``kinds`` (default: all, weighted by how often they matter).

    With ``finish`` as :data:`FINISH_WEIGHTS` says, and two rows two times in three where a series
    has both.
    """
    table = FINISH_WEIGHTS if finish else _WEIGHTS
    names = kinds or tuple(table)
    weights = np.array([table[k] for k in names])
    kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    pattern = _BY_TYPE[kind][int(rng.integers(len(_BY_TYPE[kind])))]
    text = sample_text(pattern, rng)
    rows = pattern.rows[0]
    if len(pattern.rows) == 2:
        if finish:
            rows = 2 if rng.random() < 0.67 else 1
        elif rng.random() < (0.5 if kind is PlateType.LARGE else 0.3):
            rows = pattern.rows[1]
    size, cells, dots = _layout(pattern, text, rows, rng)
    return Specimen(text, kind, pattern.colour, rows, size, tuple(cells), tuple(dots))
