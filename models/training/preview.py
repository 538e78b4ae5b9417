"""Contact sheets of synthetic plates and scenes, to look at before training on them."""

import cv2
import numpy as np

from models.training.camera import Mix, photograph
from models.training.draw import Picture, draw_plate
from models.training.glyphs import Glyphs
from models.training.specimen import sample_specimen
from wire.plates import PlateType

DRAW_SCALE = 0.6
"""Pixels per mm that plates are drawn at for training."""


def plate_sheet(
    glyphs: Glyphs,
    seed: int,
    *,
    columns: int = 8,
    rows: int = 12,
    kinds: tuple[PlateType, ...] | None = None,
    mix: Mix | None = None,
) -> Picture:
    """``rows`` x ``columns`` synthetic captures on one sheet, BGR; the same for the same seed."""
    rng = np.random.default_rng(seed)
    tiles = []
    for _ in range(rows * columns):
        specimen = sample_specimen(rng, kinds)
        plate = draw_plate(specimen, glyphs, DRAW_SCALE, rng)
        picture, _ = photograph(plate, specimen.size, rng, mix)
        tiles.append(cv2.resize(picture, (192, 96), interpolation=cv2.INTER_AREA))
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(lines)
