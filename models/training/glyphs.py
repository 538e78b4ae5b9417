"""The character pictures of GA 36 that plates are drawn with.

In: a folder of glyph pictures (``140_`` one row, ``220_`` two rows, ``green_`` new-energy), read
from outside the repository. Out: ink masks by series and character. Nothing is ever written.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.strokes import STROKES, draw_strokes
from wire.errors import InputError
from wire.plates import ALPHABET, DIGITS

Face = Literal["one", "upper", "lower", "green"]
"""Which cut of the characters: one-row plates, upper or lower row of two, new-energy plates."""

Mask = NDArray[np.uint8]
"""``(H, W)`` uint8, 255 where there is ink."""


def material_root() -> Path:
    """``$GATEHOUSE_MATERIAL``, or ``../shared/material`` beside the repository."""
    default = Path(__file__).resolve().parents[3] / "shared" / "material"
    return Path(os.environ.get("GATEHOUSE_MATERIAL", default))


WEIGHTS = 7
"""Stroke weights that each glyph is kept in, 0 thin to 6 bold; see :func:`weighted`."""

_CHINESE_IS_THINNER = 0.06
"""Their strokes lie close: as bold as the letters' they would run together, which real ones do not."""


@dataclass(frozen=True)
class Glyphs:
    """Ink masks ``masks[face, character]``, and the same in :data:`WEIGHTS` stroke weights."""

    masks: dict[tuple[Face, str], Mask]
    weights: dict[tuple[Face, str], tuple[Mask, ...]]

    def get(self, face: Face, character: str, weight: int = WEIGHTS // 2) -> Mask:
        """The mask of ``character``, in ``face`` where that cut has it, else as on one row."""
        key = (face, character) if (face, character) in self.weights else ("one", character)
        return self.weights[key][weight]


def weighted(mask: Mask, character: str) -> tuple[Mask, ...]:
    """``mask`` thinned and thickened: blurred, then cut at other levels."""
    soft = cv2.GaussianBlur(mask, (0, 0), 0.022 * mask.shape[0]).astype(np.float32) / 255
    levels = np.linspace(0.68, 0.32, WEIGHTS) + (_CHINESE_IS_THINNER if ord(character) > 255 else 0)
    return tuple(
        (np.clip((soft - level) * 6 + 0.5, 0, 1) * 255).astype(np.uint8) for level in levels
    )


def _read_grey(path: Path) -> Mask:
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InputError(f"{path}: not a picture")
    return np.asarray(255 - picture, np.uint8)


def _face_of(stem: str) -> tuple[Face, ...]:
    if stem.startswith("140_"):
        return ("one",)
    if stem.startswith("green_"):
        return ("green",)
    if stem.startswith("220_down_"):
        return ("lower",)
    if stem.startswith("220_up_"):
        return ("upper",)
    return ("lower", "upper") if stem[-1] in DIGITS else ("upper", "lower")


def load_glyphs(root: Path | None = None) -> Glyphs:
    """All glyphs under ``root`` (default: the material's ``plates/glyphs/font_model``).

    Raises:
        InputError: the folder or a character is missing, or a picture cannot be read.
    """
    folder = (root or material_root()) / "plates" / "glyphs" / "font_model"
    if not folder.is_dir():
        raise InputError(f"{folder}: no glyph pictures; set GATEHOUSE_MATERIAL")
    masks: dict[tuple[Face, str], Mask] = {}
    for path in sorted(folder.glob("*.jpg")):
        mask = _read_grey(path)
        for face in _face_of(path.stem):
            masks[face, path.stem[-1]] = mask
    for character in STROKES:
        masks.setdefault(("one", character), draw_strokes(character))
    missing = "".join(c for c in ALPHABET if ("one", c) not in masks)
    if missing:
        raise InputError(f"{folder}: no picture 140_*.jpg of {missing}")
    return Glyphs(masks, {key: weighted(mask, key[1]) for key, mask in masks.items()})
