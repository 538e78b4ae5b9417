"""Pools of synthetic captures on disk, made ahead so that training need not wait for drawing.

In: glyphs, a seed, how many. Out: shards ``<seed>-<n>.npz``, each with the pictures packed into one
flat array, the corners, texts, colours and rows. A pool is the same for the same seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.camera import Mix, degrade, photograph, surroundings
from models.training.draw import Floats, Picture, draw_plate
from models.training.glyphs import Glyphs
from models.training.preview import DRAW_SCALE
from models.training.specimen import sample_specimen
from wire.plates import PlateColour, PlateType

COLOURS = tuple(PlateColour)
TYPES = tuple(PlateType)
NEGATIVE_SHARE = 0.05
SHARD = 2500


@dataclass(frozen=True)
class Capture:
    """One picture of a plate, or of none (``text`` empty, corners all zero).

    ``picture`` is ``(H, W, 3)`` BGR uint8, ``corners`` ``(4, 2)`` float32 px, tl tr br bl;
    ``colour`` and ``kind`` index :data:`COLOURS` and :data:`TYPES`, -1 where there is no plate.
    """

    picture: Picture
    corners: Floats
    text: str
    colour: int
    kind: int
    rows: int


def negative(rng: np.random.Generator, glyphs: Glyphs) -> Capture:
    """What a detector could mistake for a plate: car parts, stickers, signs with other text."""
    height, width = int(rng.integers(24, 110)), int(rng.integers(60, 280))
    picture = surroundings((height, width), rng)
    for _ in range(int(rng.integers(0, 4))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        ink = tuple(float(c) for c in rng.uniform(0, 255, 3))
        kind = rng.random()
        if kind < 0.4:
            text = "".join(chr(int(c)) for c in rng.integers(33, 126, int(rng.integers(1, 12))))
            size = rng.uniform(0.3, 2.2)
            cv2.putText(picture, text, (x // 2, y), cv2.FONT_HERSHEY_DUPLEX, size, ink, 2)
        elif kind < 0.7:
            corner = (x + int(rng.integers(3, width)), y + int(rng.integers(3, height)))
            cv2.rectangle(picture, (x // 2, y // 2), corner, ink, -1 if rng.random() < 0.5 else 2)
        else:
            axes = (int(rng.integers(2, 40)), int(rng.integers(2, 40)))
            cv2.ellipse(picture, (x, y), axes, 0, 0, 360, ink, -1, cv2.LINE_AA)
    if rng.random() < 0.3:  # a sign: plate characters, but no plate
        masks = list(glyphs.masks.values())
        for index in range(int(rng.integers(1, 5))):
            mask = cv2.resize(masks[int(rng.integers(len(masks)))], (18, 26))
            x, y = 4 + index * 24, int(height * 0.2)
            patch = picture[y : y + 26, x : x + 18]
            mask = mask[: patch.shape[0], : patch.shape[1]]
            patch[mask > 128] = rng.uniform(0, 255, 3).astype(np.uint8)
    return Capture(degrade(picture, height * 0.5, rng), np.zeros((4, 2), np.float32), "", -1, -1, 1)


def make_captures(
    glyphs: Glyphs,
    rng: np.random.Generator,
    *,
    mix: Mix | None = None,
    kinds: tuple[PlateType, ...] | None = None,
    negative_share: float = NEGATIVE_SHARE,
    finish: bool = False,
) -> Iterator[Capture]:
    """Captures without end; ``finish`` as of :func:`sample_specimen`."""
    while True:
        if rng.random() < negative_share:
            yield negative(rng, glyphs)
            continue
        specimen = sample_specimen(rng, kinds, finish=finish)
        plate = draw_plate(specimen, glyphs, DRAW_SCALE, rng)
        picture, corners = photograph(plate, specimen.size, rng, mix)
        yield Capture(
            picture,
            corners,
            specimen.text,
            COLOURS.index(specimen.colour),
            TYPES.index(specimen.type),
            specimen.rows,
        )


def write_shard(path: Path, captures: list[Capture]) -> None:
    """Write ``captures`` to ``path``; whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        data=np.concatenate([c.picture.ravel() for c in captures]),
        shape=np.array([c.picture.shape[:2] for c in captures], np.int32),
        corners=np.stack([c.corners for c in captures]),
        text=np.array([c.text for c in captures]),
        colour=np.array([c.colour for c in captures], np.int8),
        kind=np.array([c.kind for c in captures], np.int8),
        rows=np.array([c.rows for c in captures], np.int8),
    )
    part.rename(path)


def read_shard(path: Path) -> list[Capture]:
    """The captures of one shard."""
    with np.load(path) as shard:
        data: NDArray[np.uint8] = shard["data"]
        shape, corners, text = shard["shape"], shard["corners"], shard["text"]
        colour, kind, rows = shard["colour"], shard["kind"], shard["rows"]
    captures, at = [], 0
    for i, (height, width) in enumerate(shape):
        size = int(height) * int(width) * 3
        picture = data[at : at + size].reshape(int(height), int(width), 3)
        at += size
        captures.append(
            Capture(picture, corners[i], str(text[i]), int(colour[i]), int(kind[i]), int(rows[i]))
        )
    return captures


def fill_pool(
    folder: Path,
    draw: Callable[[np.random.Generator], Iterator[Capture]],
    *,
    seed: int,
    shards: int,
) -> None:
    """Write ``shards`` shards of :data:`SHARD` captures that ``draw`` gives; those already there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(shards):
        path = folder / f"{seed}-{number}.npz"
        if path.exists():
            continue
        source = draw(np.random.default_rng([seed, number]))
        write_shard(path, [next(source) for _ in range(SHARD)])
