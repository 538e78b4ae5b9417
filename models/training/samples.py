"""Training samples from captures: what the refiner and the reader are shown, and what is asked.

In: captures and a random generator. Out: arrays ready to batch. Everything random comes from the
generator.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.plates.province import cell_of, cut_cell, slot_of
from models.plates.rectify import around, cut, cut_plate, rectangle
from models.training.draw import Floats, Picture
from models.training.pool import Capture
from models.training.spoil import spoil
from wire.plates import ALPHABET, MAX_LENGTH, PROVINCES

IGNORE = -100
"""Target that no loss counts."""

HIDDEN = 0.5
"""How often the province of a real crop is not asked for: nearly all at hand are 皖."""

LOOSE = ((-0.06, 0.14), (0.0, 0.4), (0.1, 0.75))
"""How far beyond the plate the refiner is shown, as shares of it on each side: half, a third, and a few of
the crops. On photographs the detector's boxes are of the third kind for one plate in twenty."""

RealCrop = tuple[Picture, str, int, Floats | None]
"""A crop of a real plate: picture, text, index of its colour, corners (4, 2) px where they are known."""

INDEX = {character: i + 1 for i, character in enumerate(ALPHABET)}


def encode(text: str) -> NDArray[np.int64]:
    """``(8,)`` int64: class of each slot, blank (0) after the last character."""
    slots = np.zeros(MAX_LENGTH, np.int64)
    slots[: len(text)] = [INDEX[c] for c in text]
    return slots


@dataclass(frozen=True)
class ReaderSample:
    """``picture`` (H, W, 3) uint8, ``slots`` (8,), colour and rows or :data:`IGNORE`."""

    picture: Picture
    slots: NDArray[np.int64]
    colour: int
    rows: int


def jitter_corners(corners: Floats, rng: np.random.Generator, *, loose: float) -> Floats:
    """``corners`` as an imperfect rectifier gives them; ``loose`` is the share of plain boxes."""
    sides = np.array(
        [np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])],
        np.float32,
    )
    kind = rng.random()
    if kind < loose:  # a box that nothing rectified
        box = around(corners)
        extent = box[2:] - box[:2]
        box[:2] -= extent * rng.uniform(-0.03, 0.16, 2)
        box[2:] += extent * rng.uniform(-0.03, 0.16, 2)
        return rectangle(box)
    spread = (0.012, 0.03) if kind < loose + 0.6 * (1 - loose) else (0.03, 0.08)
    moved = corners + rng.normal(0, 1, (4, 2)) * spread * sides
    centre = moved.mean(0)
    grow = 1 + rng.normal(0.035, 0.035, 2)  # the recogniser leaves a margin too
    moved = (moved - centre) * grow + centre + rng.normal(0, 0.01, 2) * sides
    return np.asarray(moved, np.float32)


def tint(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another exposure and a little cast or blur, cheap enough for every sample."""
    if rng.random() < 0.5:
        values = np.linspace(0, 1, 256, dtype=np.float32)
        curve = np.clip(values * np.exp(rng.normal(0, 0.2)), 0, 1) ** np.exp(rng.normal(0, 0.2))
        cast = np.exp(rng.normal(0, 0.06, 3))
        lut = np.clip(curve[:, None] * cast * 255, 0, 255).astype(np.uint8).reshape(256, 1, 3)
        picture = cv2.LUT(picture, lut)
    if rng.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3))
    return picture


def reader_sample(
    capture: Capture, rng: np.random.Generator, rows: int, loose: float = 0.15
) -> ReaderSample:
    """What the reader of ``rows`` rows is shown of ``capture``: rectified, more or less."""
    if not capture.text:
        height, width = capture.picture.shape[:2]
        low, high = rng.uniform(0, 0.4, 2), rng.uniform(0.5, 1, 2)
        box = np.concatenate((low, high)) * (width, height, width, height)
        corners = rectangle(box.astype(np.float32))
        picture = cut_plate(capture.picture, corners, rows)
        return ReaderSample(tint(picture, rng), encode(""), IGNORE, IGNORE)
    corners = jitter_corners(capture.corners, rng, loose=loose)
    spoilt = spoil(capture.picture, capture.corners, rng)
    picture = tint(cut_plate(spoilt, corners, rows), rng)
    return ReaderSample(picture, encode(capture.text), capture.colour, capture.rows - 1)


def province_sample(capture: Capture, rng: np.random.Generator) -> tuple[Picture, int]:
    """The cell of the province of ``capture``, cut more or less well, and which province it is."""
    slot = slot_of(capture.text)
    assert slot is not None
    corners = jitter_corners(capture.corners, rng, loose=0.05)
    spoilt = spoil(capture.picture, capture.corners, rng)
    cell = cut_cell(spoilt, corners, cell_of(capture.text, capture.rows))
    return tint(cell, rng), PROVINCES.index(capture.text[slot])


def real_province_sample(crop: RealCrop, rng: np.random.Generator) -> tuple[Picture, int]:
    """The same of a real ``crop`` with corners, on one row."""
    picture, text, _, corners = crop
    slot = slot_of(text)
    assert slot is not None
    assert corners is not None
    moved = jitter_corners(corners, rng, loose=0.0)
    if rng.random() < 0.25:
        height, width = picture.shape[:2]
        factor = rng.uniform(0.5, 0.95)
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    cell = cut_cell(spoil(picture, corners, rng), moved, cell_of(text, 1))
    return tint(cell, rng), PROVINCES.index(text[slot])


def refiner_sample(
    capture: Capture, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[Picture, NDArray[np.float32]]:
    """A loose crop (H, W, 3), and ``(10,)`` targets: corners as shares, plate, two rows."""
    target = np.zeros(10, np.float32)
    height, width = capture.picture.shape[:2]
    if not capture.text:
        low, high = rng.uniform(0, 0.4, 2), rng.uniform(0.5, 1, 2)
        box = (np.concatenate((low, high)) * (width, height, width, height)).astype(np.float32)
        return tint(cut(capture.picture, rectangle(box), size), rng), target
    box = around(capture.corners)
    extent = box[2:] - box[:2]
    kind = rng.random()
    least, most = LOOSE[0] if kind < 0.5 else LOOSE[1] if kind < 0.85 else LOOSE[2]
    box[:2] -= extent * rng.uniform(least, most, 2)
    box[2:] += extent * rng.uniform(least, most, 2)
    points = (capture.corners - box[:2]) / (box[2:] - box[:2])
    target[:8], target[8], target[9] = points.ravel(), 1.0, capture.rows - 1
    picture = spoil(capture.picture, capture.corners, rng)
    return tint(cut(picture, rectangle(box), size), rng), target


def turned(capture: Capture, rng: np.random.Generator) -> Capture:
    """``capture`` turned, slanted and shrunk a little: a few real plates have to do for many."""
    width = float(np.linalg.norm(capture.corners[1] - capture.corners[0]))
    scale = min(1.0, float(rng.uniform(70, 280)) / width)
    roll, slant = rng.normal(0, 0.08), rng.normal(0, 0.08)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    turn = turn @ np.array([[rng.uniform(0.8, 1.2), 0], [slant, 1]]) * scale
    extent = np.array(capture.picture.shape[1::-1])
    edges = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * extent @ turn.T
    shift = -edges.min(0)
    across, down = np.ceil(np.ptp(edges, axis=0)).astype(int).tolist()
    picture = capture.picture
    if scale < 0.7:
        picture = np.asarray(cv2.blur(picture, (round(1 / scale), round(1 / scale))), np.uint8)
    matrix = np.column_stack((turn, shift))
    moved = cv2.warpAffine(picture, matrix, (across, down), borderMode=cv2.BORDER_REPLICATE)
    corners = np.asarray(capture.corners @ turn.T + shift, np.float32)
    return replace(capture, picture=np.asarray(moved, np.uint8), corners=corners)


def real_crop_sample(
    picture: Picture,
    text: str,
    colour: int,
    rng: np.random.Generator,
    size: tuple[int, int],
    corners: Floats | None = None,
) -> ReaderSample:
    """A real crop, moved and tinted; by ``corners`` two times in three where they are known."""
    height, width = picture.shape[:2]
    if corners is not None and rng.random() < 0.7:
        moved = jitter_corners(corners, rng, loose=0.0)
    else:
        edge = rectangle(np.array([0, 0, width, height], np.float32))
        moved = edge + (rng.normal(0, 0.025, (4, 2)) * (width, height * 2)).astype(np.float32)
    if rng.random() < 0.25:
        factor = rng.uniform(0.5, 0.95)
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    picture = spoil(picture, moved, rng)
    crop = tint(cut(picture, moved, size), rng)
    if rng.random() < 0.3:
        noise = rng.standard_normal(crop.shape, np.float32) * rng.uniform(0, 10)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    slots = encode(text)
    # Nearly all real crops at hand are 皖A: unhidden, the reader learns that what looks real is.
    if text[0] == "皖" and rng.random() < HIDDEN:
        slots[0] = IGNORE
        if text[1] == "A" and rng.random() < HIDDEN:
            slots[1] = IGNORE
    return ReaderSample(crop, slots, colour, 0)


@dataclass(frozen=True)
class DetectorTarget:
    """What the detector should say of one scene, on its grid of ``(h, w)`` cells.

    ``heat`` (h, w) float32 0..1, 1 at the cell nearest each plate's centre; ``seen`` (h, w) is 0
    where the loss looks away; ``corners`` (8, h, w) in cells from the cell's centre; ``rows``
    (h, w) 1.0 for two; ``near`` (h, w) weight of the corners, 0 away from plates.
    """

    heat: Floats
    seen: Floats
    corners: Floats
    rows: Floats
    near: Floats


def detector_target(
    corners: Floats, rows: NDArray[np.int64], clear: NDArray[np.bool_], side: int, stride: int
) -> DetectorTarget:
    """The target for plates at ``corners`` (P, 4, 2) in a square of ``side`` px."""
    cells = side // stride
    heat, near, two = (np.zeros((cells, cells), np.float32) for _ in range(3))
    seen = np.ones((cells, cells), np.float32)
    offsets = np.zeros((8, cells, cells), np.float32)
    yy, xx = np.mgrid[0:cells, 0:cells].astype(np.float32) + 0.5
    for quad, row, good in zip(corners / stride, rows, clear, strict=True):
        box = around(quad)
        if not good:
            x0, y0, x1, y1 = np.clip(np.round(box), 0, cells).astype(int)
            seen[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = 0
            continue
        centre = quad.mean(0)
        cell = np.clip(np.floor(centre), 0, cells - 1) + 0.5
        spread = np.maximum((box[2:] - box[:2]) * 0.12, 0.45)
        blob = np.exp(-(((xx - cell[0]) / spread[0]) ** 2 + ((yy - cell[1]) / spread[1]) ** 2) / 2)
        mine = blob > np.maximum(heat, 0.45)
        flat = quad.reshape(8)
        for index in range(8):
            grid = xx if index % 2 == 0 else yy
            offsets[index][mine] = (flat[index] - grid)[mine]
        near[mine] = blob[mine] / max(1.0, float(box[2] - box[0]) / 6)
        two[mine] = float(row == 2)
        np.maximum(heat, blob, out=heat)
    seen[heat > 0.3] = 1
    return DetectorTarget(heat, seen, offsets, two, near)
