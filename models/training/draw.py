"""Draw one plate, flat and clean to dirty: ground, border, characters, rivets, frame, dirt.

In: a :class:`~models.training.specimen.Specimen`, glyphs and a random generator. Out: a BGR
picture of the plate alone and the pixels per mm. The camera comes after, in ``camera``.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.glyphs import WEIGHTS, Glyphs
from models.training.specimen import Specimen
from wire.plates import PlateColour, PlateType

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Hue (0-180), saturation, value of the ground: mean and half-spread.
_GROUND = {
    PlateColour.BLUE: ((112, 7), (215, 38), (165, 55)),
    PlateColour.YELLOW: ((22, 6), (225, 30), (215, 38)),
    PlateColour.WHITE: ((60, 60), (8, 8), (225, 28)),
    PlateColour.BLACK: ((90, 90), (40, 40), (32, 24)),
    PlateColour.GREEN: ((70, 10), (150, 60), (190, 40)),
    PlateColour.YELLOW_GREEN: ((68, 9), (175, 40), (195, 35)),
}
_DARK_INK = {
    PlateColour.YELLOW,
    PlateColour.WHITE,
    PlateColour.GREEN,
    PlateColour.YELLOW_GREEN,
}
_RED_INK = "警使领应急"


def _bgr(hsv: tuple[float, float, float]) -> Floats:
    pixel = np.clip(hsv, 0, (179, 255, 255)).astype(np.uint8)[None, None]
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0], np.float32)


def _ground_colour(colour: PlateColour, rng: np.random.Generator) -> Floats:
    return _bgr(tuple(m + s * rng.uniform(-1, 1) for m, s in _GROUND[colour]))  # type: ignore[arg-type]


def _ground(specimen: Specimen, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """``(H, W, 3)`` float32 ground, shaded for new-energy plates."""
    height, width = shape
    base = _ground_colour(specimen.colour, rng)
    ground = np.empty((height, width, 3), np.float32)
    ground[:] = base
    if specimen.type is PlateType.NEW_ENERGY_SMALL:
        pale = _bgr((75, rng.uniform(5, 60), rng.uniform(215, 255)))
        ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** rng.uniform(0.6, 1.6)
        ground = np.broadcast_to(pale * (1 - ramp) + base * ramp, ground.shape).copy()
    elif specimen.type is PlateType.NEW_ENERGY_LARGE:
        ground[:, : int(width * 0.27)] = _ground_colour(PlateColour.YELLOW, rng)
    elif specimen.type in (PlateType.AGRICULTURAL, PlateType.AIRPORT):
        ground[:] = _bgr((rng.uniform(70, 88), rng.uniform(120, 230), rng.uniform(60, 140)))
    return ground


def _inks(specimen: Specimen, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The usual ink and the red of suffixes."""
    white_on_green = specimen.type in (PlateType.AGRICULTURAL, PlateType.AIRPORT)
    if specimen.colour in _DARK_INK and not white_on_green:
        ink = _bgr((rng.uniform(0, 179), rng.uniform(0, 60), rng.uniform(5, 55)))
    else:
        ink = _bgr((rng.uniform(0, 179), rng.uniform(0, 25), rng.uniform(215, 255)))
    red = _bgr((rng.uniform(-4, 6) % 180, rng.uniform(180, 255), rng.uniform(150, 235)))
    return ink, red


def _red_characters(specimen: Specimen) -> set[int]:
    if specimen.type is PlateType.ARMY:
        return {0, 1}
    if specimen.type is PlateType.ARMED_POLICE:
        return {0, 1} | {i for i, c in enumerate(specimen.text) if ord(c) > 255}
    if specimen.colour is PlateColour.BLACK and specimen.text[0] != "使":
        return set()
    return {i for i, c in enumerate(specimen.text) if c in _RED_INK}


def _ink_masks(
    specimen: Specimen,
    glyphs: Glyphs,
    scale: float,
    shape: tuple[int, int],
    weight: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats | None]:
    """``(H, W)`` float32 0..1: the ink of all characters, and of the red ones if there are any."""
    mask = np.zeros(shape, np.uint8)
    reds = _red_characters(specimen)
    red = np.zeros(shape, np.uint8) if reds else None
    for index, (character, cell) in enumerate(zip(specimen.text, specimen.cells, strict=True)):
        face, x, y, w, h = cell
        dx, dy = rng.normal(0, 0.6, 2)
        size = max(2, round(w * scale)), max(3, round(h * scale))
        left, top = max(0, round((x + dx) * scale)), max(0, round((y + dy) * scale))
        glyph = cv2.resize(glyphs.get(face, character, weight), size, interpolation=cv2.INTER_AREA)
        for target in (mask, red) if red is not None and index in reds else (mask,):
            patch = target[top : top + size[1], left : left + size[0]]
            np.maximum(patch, glyph[: patch.shape[0], : patch.shape[1]], out=patch)
    return mask.astype(np.float32) / 255.0, None if red is None else red.astype(np.float32) / 255.0


def _border(
    plate: Floats, specimen: Specimen, ink: Floats, scale: float, rng: np.random.Generator
) -> None:
    if specimen.colour is PlateColour.GREEN and specimen.type is PlateType.NEW_ENERGY_SMALL:
        ink = ink if rng.random() < 0.5 else plate.mean((0, 1))
    height, width = plate.shape[:2]
    inset = max(1, round(rng.uniform(2.0, 7.0) * scale))
    thick = max(1, round(rng.uniform(1.5, 3.5) * scale))
    colour = tuple(float(c) for c in ink)
    cv2.rectangle(plate, (inset, inset), (width - 1 - inset, height - 1 - inset), colour, thick)


def _fixings(plate: Floats, specimen: Specimen, scale: float, rng: np.random.Generator) -> None:
    """Screws, caps or bare holes, two or four, of any metal or plastic."""
    if rng.random() < 0.15:
        return
    height, width = plate.shape[:2]
    ys = [7.5 * scale * rng.uniform(0.8, 1.6)]
    if rng.random() < 0.6:
        ys.append(height - ys[0])
    dark = specimen.colour in (PlateColour.BLUE, PlateColour.BLACK)
    for y in ys:
        for x in (width * 0.25, width * 0.75):
            shade = rng.uniform(90, 255) if dark or rng.random() < 0.4 else rng.uniform(20, 160)
            tint = np.clip(shade + rng.normal(0, 14, 3), 0, 255)
            radius = rng.uniform(3.5, 8.5) * scale
            axes = (max(1, round(radius * rng.uniform(1, 1.5))), max(1, round(radius)))
            spot = (round(x + rng.normal(0, 3) * scale), round(y))
            cv2.ellipse(plate, spot, axes, 0, 0, 360, tuple(map(float, tint)), -1, cv2.LINE_AA)


def smooth_noise(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> Floats:
    """``(H, W)`` float32 0..1, random blobs about ``1 / cells`` of the width across."""
    small = rng.random((max(2, round(cells * shape[0] / shape[1]) + 1), cells + 1), np.float32)
    return np.asarray(
        cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32
    )


def _dirt(plate: Floats, rng: np.random.Generator) -> None:
    """Dust all over, mud in blobs, streaks, worn paint; each now and then."""
    shape = plate.shape[:2]
    if rng.random() < 0.25:
        dust = smooth_noise(shape, int(rng.integers(3, 14)), rng)
        alpha = (np.clip(dust - rng.uniform(0.2, 0.7), 0, 1) * rng.uniform(0.3, 1.4))[..., None]
        alpha = np.minimum(alpha, 0.75)
        tone = _bgr((rng.uniform(8, 28), rng.uniform(10, 110), rng.uniform(60, 190)))
        plate += alpha * (tone - plate)
    if rng.random() < 0.08:
        for _ in range(int(rng.integers(1, 5))):
            spot = tuple(int(rng.integers(0, n)) for n in (shape[1], shape[0]))
            axes = tuple(int(a) for a in rng.integers(2, max(4, shape[0] // 8), 2))
            tone = _bgr((rng.uniform(5, 30), rng.uniform(0, 120), rng.uniform(30, 230)))
            cv2.ellipse(plate, spot, axes, rng.uniform(0, 180), 0, 360, tuple(map(float, tone)), -1)


def _light(plate: Floats, rng: np.random.Generator) -> None:
    """Uneven light, a shadow's edge, a glare: multiplied or added in place."""
    height, width = plate.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (np.cos(angle) * (xx / width - 0.5) + np.sin(angle) * (yy / height - 0.5)) * 2
    plate *= (1 + rng.uniform(0, 0.25) * along)[..., None]
    kind = rng.random()
    if kind < 0.15:
        edge = 1 / (
            1 + np.exp(np.clip(-(along - rng.uniform(-0.7, 0.7)) * rng.uniform(6, 80), -30, 30))
        )
        plate *= (1 - rng.uniform(0.25, 0.7) * edge)[..., None]
    elif kind < 0.24:
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        spread = rng.uniform(0.15, 0.6) * height
        glare = np.exp(-(((xx - cx) / (2 * spread)) ** 2 + ((yy - cy) / spread) ** 2))
        plate += (rng.uniform(40, 200) * glare)[..., None]


def draw_plate(
    specimen: Specimen, glyphs: Glyphs, scale: float, rng: np.random.Generator
) -> Picture:
    """The plate alone, ``(H, W, 3)`` BGR uint8, at ``scale`` px per mm."""
    width, height = (round(s * scale) for s in specimen.size)
    plate = _ground(specimen, (height, width), rng)
    ink, red = _inks(specimen, rng)
    _border(plate, specimen, ink, scale, rng)
    weight = int(np.clip(round(rng.normal(WEIGHTS // 2, 1.4)), 0, WEIGHTS - 1))
    everything, red_mask = _ink_masks(specimen, glyphs, scale, (height, width), weight, rng)
    if rng.random() < 0.3:  # embossing: a light and a dark edge
        shift = np.roll(everything, (1, 1), (0, 1)) - everything
        plate += (shift * rng.uniform(-50, 50))[..., None]
    plate += everything[..., None] * (ink - plate)
    if red_mask is not None:
        plate += red_mask[..., None] * (red - plate)
    for x, y in specimen.dots:
        if rng.random() < 0.93:
            radius = max(1, round(5 * scale * rng.uniform(0.8, 1.2)))
            spot = (round(x * scale), round(y * scale))
            cv2.circle(plate, spot, radius, tuple(float(c) for c in ink), -1, cv2.LINE_AA)
    _fixings(plate, specimen, scale, rng)
    _dirt(plate, rng)
    _light(plate, rng)
    return np.clip(plate, 0, 255).astype(np.uint8)
