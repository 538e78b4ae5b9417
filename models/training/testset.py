"""A synthetic test set: series that real labelled pictures are too few of, kept apart from training.

In: a seed and a degradation mix that training never uses. Out: folders of loose crops by series, with
a ``labels.csv`` each, for ``gatehouse eval plates DIR --crops``.
"""

import csv
from pathlib import Path

import cv2
import numpy as np

from models.plates.rectify import around
from models.training.camera import Mix
from models.training.glyphs import Glyphs
from models.training.pool import COLOURS, Capture, make_captures
from wire.plates import PlateType

SEED = 90001
"""Training pools use the seeds 0 to 9."""

MIX = Mix(width_px=(72.0, 230.0), tilt=1.1, blur=0.65, noise=1.3, light=0.8)
"""Legible to a person, other than training's: steeper, noisier, less blurred, never under 72 px."""

GROUPS: dict[str, tuple[tuple[PlateType, ...], int]] = {
    "new_energy": ((PlateType.NEW_ENERGY_SMALL, PlateType.NEW_ENERGY_LARGE), 1),
    "yellow_two_row": ((PlateType.LARGE, PlateType.TRAILER), 2),
    "yellow": ((PlateType.LARGE, PlateType.LEARNER, PlateType.TRAILER), 1),
    "police": ((PlateType.POLICE,), 1),
    "hong_kong_macau": ((PlateType.HONG_KONG, PlateType.MACAU), 1),
    "embassy_consulate": ((PlateType.EMBASSY, PlateType.CONSULATE), 1),
    "armed_police_army": ((PlateType.ARMED_POLICE, PlateType.ARMY), 1),
    "ordinary": ((PlateType.ORDINARY,), 1),
}
"""By folder: the series in it, and the rows wanted."""


def loose_crop(capture: Capture, rng: np.random.Generator) -> np.ndarray:
    """The plate with 0 to 12 % of its size around it on each side."""
    box = around(capture.corners)
    grow = np.tile(box[2:] - box[:2], 2) * rng.uniform(0, 0.12, 4) * (-1, -1, 1, 1)
    x0, y0, x1, y1 = np.round(box + grow).astype(int)
    return capture.picture[max(0, y0) : y1, max(0, x0) : x1]


def write_test_set(out: Path, glyphs: Glyphs, *, seed: int = SEED, each: int = 300) -> list[Path]:
    """``each`` crops per group of :data:`GROUPS` under ``out``; the folders."""
    folders = []
    for number, (name, (kinds, rows)) in enumerate(GROUPS.items()):
        rng = np.random.default_rng([seed, number])
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        source = make_captures(glyphs, rng, mix=MIX, kinds=kinds, negative_share=0.0)
        kept: dict[str, tuple[str, str, str, int]] = {}
        while len(kept) < each:
            capture = next(source)
            if capture.rows != rows or capture.text in kept:
                continue
            done, data = cv2.imencode(".png", loose_crop(capture, rng))
            path = folder / f"{capture.text}.png"
            if done:
                path.write_bytes(data.tobytes())
                colour = COLOURS[capture.colour].value
                kept[capture.text] = (path.name, capture.text, colour, capture.rows)
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as table:
            csv.writer(table).writerows([("file", "plate", "color", "layers"), *kept.values()])
        folders.append(folder)
    return folders
