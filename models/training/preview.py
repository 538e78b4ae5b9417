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


def scene_sheet(glyphs: Glyphs, seed: int, *, columns: int = 6, rows: int = 4) -> Picture:
    """Detector scenes with their plates outlined: green what the loss looks at, red what not."""
    from models.training.scenes import load_backgrounds, make_scene

    rng, backgrounds = np.random.default_rng(seed), load_backgrounds()
    tiles = []
    for _ in range(rows * columns):
        scene = make_scene(backgrounds, glyphs, rng)
        tile = scene.picture.copy()
        for corners, clear in zip(scene.corners, scene.clear, strict=True):
            line = (0, 255, 0) if clear else (0, 0, 255)
            cv2.polylines(tile, [np.round(corners).astype(np.int32)], True, line, 1)
        tiles.append(tile)
    lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(lines)
