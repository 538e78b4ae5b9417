"""Scenes for the detector: plates set into real and drawn vehicles, and scenes with none.

In: backgrounds with the plates they already hold, glyphs, a random generator. Out: a square
picture and the corners of every plate in it. Signs, stickers, telephone numbers and the text that
recorders burn into a picture are drawn as what is no plate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.plates.rectify import around
from models.training.camera import (
    Mix,
    add_frame,
    degrade,
    pose_corners,
    surroundings,
    warp_into,
)
from models.training.draw import Floats, Picture, draw_plate, smooth_noise
from models.training.glyphs import Glyphs, material_root
from models.training.pool import Capture
from models.training.preview import DRAW_SCALE
from models.training.real import read_picture, traced
from models.training.specimen import sample_specimen

SCENE = 256
"""Side of a training scene, px, at the scale of a 640 px frame."""

CLOSE_UP = 320
"""Side of a scene that close captures are cut from, px."""

SMALLEST_PX = 17.0
"""Plates narrower than this are ignored by the loss: nobody could read them."""


@dataclass(frozen=True)
class Background:
    """A real picture, and the corners ``(P, 4, 2)`` of the plates in it."""

    picture: Picture
    plates: Floats


@dataclass(frozen=True)
class Scene:
    """``picture`` (S, S, 3) BGR uint8, ``corners`` (P, 4, 2) px, ``rows`` (P,), ``clear`` (P,).

    What is not ``clear`` is too small, too faint or cut off: the loss looks away from it.
    """

    picture: Picture
    corners: Floats
    rows: NDArray[np.int64]
    clear: NDArray[np.bool_]


def _frames(path: Path, every: int) -> list[Picture]:
    frames: list[Picture] = []
    video = cv2.VideoCapture(str(path))
    index = 0
    while True:
        more, frame = video.read()
        if not more:
            return frames
        if index % every == 0:
            frames.append(np.asarray(frame, np.uint8))
        index += 1


def _fit(picture: Picture, longest: int) -> tuple[Picture, float]:
    scale = min(1.0, longest / max(picture.shape[:2]))
    if scale < 1:
        picture = np.asarray(
            cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    return picture, scale


def load_backgrounds(root: Path | None = None) -> list[Background]:
    """The training half of ``cars_easypr`` and frames of the videos marked S; no other picture."""
    root = root or material_root()
    found: list[Background] = []
    by_picture: dict[Path, list[Floats]] = {}
    for item in traced(root / "plates" / "cars_easypr"):
        by_picture.setdefault(item.path, []).append(item.corners)
    for path, quads in by_picture.items():
        picture = read_picture(path)
        if picture is not None:
            picture, scale = _fit(picture, 1280)
            found.append(Background(picture, np.stack(quads) * np.float32(scale)))
    none = np.zeros((0, 4, 2), np.float32)
    for name, every in (
        ("udacity_test_video.mp4", 6),
        ("intel_car-detection.mp4", 40),
        ("intel_one-by-one-person-detection.mp4", 150),
        ("intel_previews/person-bicycle-car-detection.mp4", 14),
        ("intel_previews/classroom.mp4", 25),
        ("intel_previews/face-demographics-walking.mp4", 20),
    ):
        found += [Background(f, none) for f in _frames(root / "video" / name, every)]
    return found


def _random_colour(rng: np.random.Generator) -> tuple[float, float, float]:
    shade = rng.uniform(0, 255)
    b, g, r = np.clip(shade + rng.normal(0, 45, 3), 0, 255)
    return float(b), float(g), float(r)


def drawn_vehicle(side: int, rng: np.random.Generator) -> Picture:
    """A rough front or rear of a car on a rough street: shapes, not a likeness."""
    texture = smooth_noise((side, side), int(rng.integers(3, 24)), rng)
    picture = np.empty((side, side, 3), np.float32)
    picture[:] = _random_colour(rng)
    picture *= (0.5 + texture)[..., None]
    horizon = int(side * rng.uniform(0.2, 0.8))
    picture[horizon:] = np.array(_random_colour(rng)) * (0.8 + 0.4 * texture[horizon:, :, None])
    for _ in range(int(rng.integers(1, 3))):
        width = rng.uniform(0.35, 1.3) * side
        height = width * rng.uniform(0.55, 0.95)
        x, y = rng.uniform(-0.3, 0.9) * side, rng.uniform(-0.2, 0.7) * side
        body = _random_colour(rng)

        def at(
            u: float, v: float, x: float = x, y: float = y, w: float = width, h: float = height
        ) -> tuple[int, int]:
            return int(x + u * w), int(y + v * h)

        cv2.rectangle(picture, at(0, 0.4), at(1, 0.95), body, -1)
        glass = np.array([at(0.12, 0.42), at(0.22, 0.08), at(0.78, 0.08), at(0.88, 0.42)])
        cv2.fillPoly(picture, [glass], _random_colour(rng))
        for u in (0.1, 0.9):
            lamp = (int(width * 0.08) + 1, int(height * rng.uniform(0.03, 0.1)) + 1)
            tone = (
                (40.0, 40.0, rng.uniform(80, 255))
                if rng.random() < 0.5
                else (rng.uniform(150, 255),) * 3
            )
            cv2.ellipse(picture, at(u, 0.55), lamp, 0, 0, 360, tone, -1, cv2.LINE_AA)
        for v in np.linspace(0.55, 0.7, int(rng.integers(0, 9))):
            cv2.line(picture, at(0.25, v), at(0.75, v), _random_colour(rng), max(1, side // 120))
        cv2.rectangle(picture, at(0, 0.78), at(1, 0.95), _random_colour(rng), -1)
        cv2.rectangle(picture, at(0.05, 0.93), at(0.2, 1.1), (20, 20, 20), -1)
        cv2.rectangle(picture, at(0.8, 0.93), at(0.95, 1.1), (20, 20, 20), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _view(background: Background, side: int, rng: np.random.Generator) -> tuple[Picture, Floats]:
    """A random square of ``background`` at a random scale, and the plates' corners in it."""
    height, width = background.picture.shape[:2]
    scale = 640 / max(height, width) * float(np.exp(rng.uniform(-0.5, 0.8)))
    reach = side / scale
    centre = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    if len(background.plates) and rng.random() < 0.7:
        plate = background.plates[int(rng.integers(len(background.plates)))]
        centre = plate.mean(0) + rng.uniform(-0.42, 0.42, 2) * reach
    roll = rng.normal(0, 0.06)
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) * scale
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    matrix = np.column_stack((turn, side / 2 - turn @ centre))
    source = background.picture
    if scale < 0.7:
        source = cv2.blur(source, (round(1 / scale), round(1 / scale)))
    border = cv2.BORDER_REFLECT_101 if rng.random() < 0.3 else cv2.BORDER_CONSTANT
    picture = cv2.warpAffine(
        source, matrix, (side, side), borderMode=border, borderValue=(114, 114, 114)
    )
    plates = background.plates @ turn.T + matrix[:, 2]
    if turn[0, 0] * turn[1, 1] < 0:  # mirrored: keep tl first as seen
        plates = plates[:, [1, 0, 3, 2]]
    return np.asarray(picture, np.uint8), plates.astype(np.float32)


def _overlaps(box: Floats, others: list[Floats]) -> bool:
    for quad in others:
        other = around(quad)
        if (np.minimum(box[2:], other[2:]) > np.maximum(box[:2], other[:2]) - 3).all():
            return True
    return False


def _paste_plate(
    picture: Picture,
    glyphs: Glyphs,
    taken: list[Floats],
    target: Floats | None,
    rng: np.random.Generator,
) -> tuple[Floats, int] | None:
    """Set a synthetic plate into ``picture``, over the corners ``target`` or anywhere free."""
    side = picture.shape[0]
    specimen = sample_specimen(rng)
    unit = pose_corners(specimen.size, rng, 0.9)
    extent = np.ptp(unit, axis=0)
    if target is None:
        width = float(np.exp(rng.uniform(np.log(SMALLEST_PX), np.log(side * 0.95))))
        corners = unit * (width / extent[0])
        size = np.ptp(corners, axis=0)
        low = np.minimum(-corners.min(0), side - corners.max(0))
        high = np.maximum(-corners.min(0), side - corners.max(0))
        corners = corners + rng.uniform(low, high)
    else:
        size = np.ptp(target, axis=0)
        corners = unit * (float(size[0]) * rng.uniform(1.02, 1.2) / extent[0]) + target.mean(0)
    corners = corners.astype(np.float32)
    if target is None and _overlaps(around(corners), taken):
        return None
    plate = draw_plate(specimen, glyphs, DRAW_SCALE if size[0] < 160 else 0.9, rng)
    reach = around(corners)
    grow = (reach[2:] - reach[:2]) * rng.uniform(0.02, 0.5, 2)
    if rng.random() < 0.4:  # the recess or bumper it is screwed to
        x0, y0 = np.maximum(reach[:2] - grow, 0).astype(int)
        x1, y1 = np.minimum(reach[2:] + grow, side).astype(int)
        if x1 > x0 and y1 > y0:
            patch = surroundings((y1 - y0, x1 - x0), rng)
            picture[y0:y1, x0:x1] = patch
    near = picture[
        max(0, int(reach[1])) : int(reach[3]) + 1, max(0, int(reach[0])) : int(reach[2]) + 1
    ]
    level = float(near.mean()) if near.size else 128.0
    gain = np.clip((level / 118) ** rng.uniform(0, 0.8), 0.25, 1.5)
    lit = np.clip(plate * gain, 0, 255).astype(np.uint8)
    framed, source = add_frame(lit, rng)
    warp_into(picture, framed, source, corners)
    return corners, specimen.rows


def _distract(picture: Picture, glyphs: Glyphs, rng: np.random.Generator) -> None:
    """Draw what is no plate: text, signs, blank boards of plate colours, a recorder's overlay."""
    side = picture.shape[0]
    kind = rng.random()
    x, y = int(rng.integers(0, side)), int(rng.integers(0, side))
    if kind < 0.35:
        text = "".join(chr(int(c)) for c in rng.integers(45, 91, int(rng.integers(3, 20))))
        font = int(
            rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN])
        )
        size = rng.uniform(0.25, 1.6)
        cv2.putText(
            picture,
            text,
            (x // 2, y),
            font,
            size,
            _random_colour(rng),
            int(rng.integers(1, 3)),
            cv2.LINE_AA,
        )
        return
    width = int(rng.uniform(16, 140))
    height = int(width * rng.uniform(0.2, 0.7))
    board = picture[y : y + height, x : x + width]
    if board.size == 0:
        return
    if kind < 0.9:
        hues = [
            (190, 70, 20),
            (40, 190, 240),
            (250, 250, 250),
            (60, 160, 40),
            (30, 30, 30),
            (30, 30, 200),
        ]
        board[:] = hues[int(rng.integers(len(hues)))] if rng.random() < 0.7 else _random_colour(rng)
    count = int(rng.integers(0, 4)) if kind < 0.75 else int(rng.integers(2, 16))
    masks = list(glyphs.masks.values())
    ink = np.array(_random_colour(rng)).astype(np.uint8)
    step = max(4, width // max(count, 1))
    for index in range(count):
        cell = (max(3, int(step * 0.8)), max(4, int(min(height * 0.7, step * 1.1))))
        mask = cv2.resize(masks[int(rng.integers(len(masks)))], cell)
        top, left = height // 6, index * step
        patch = board[top : top + cell[1], left : left + cell[0]]
        if patch.size:
            patch[mask[: patch.shape[0], : patch.shape[1]] > 128] = ink


def close_captures(
    backgrounds: list[Background], glyphs: Glyphs, rng: np.random.Generator
) -> Iterator[Capture]:
    """Captures without end of plates in real surroundings: set over the plate of a photograph, or beside it.

    What is around a plate in them, up to a whole plate on each side, is what a refiner gets to see when
    the detector was generous: bumpers, grilles, lamps, number plates' own frames. Texts, colours and
    kinds are left out: such captures are for corners.
    """
    while True:
        background = backgrounds[int(rng.integers(len(backgrounds)))]
        picture, plates = _view(background, CLOSE_UP, rng)
        corners: list[Floats] = []
        rows: list[int] = []
        targets: list[Floats | None] = list(plates)
        if not targets or rng.random() < 0.5:
            targets.append(None)
        for target in targets:
            pasted = _paste_plate(picture, glyphs, [*corners, *plates], target, rng)
            if pasted is not None:
                corners.append(pasted[0])
                rows.append(pasted[1])
        if not corners:
            continue
        height = float(np.median([np.ptp(c[:, 1]) for c in corners]))
        picture = degrade(picture, min(height, 60.0), rng)
        for quad, row in zip(corners, rows, strict=True):
            box = around(quad)
            extent = box[2:] - box[:2]
            if extent[0] < 40 or not _is_clear(picture, quad):
                continue
            low = np.maximum(box[:2] - extent * (0.8, 1.2), 0).astype(int)
            high = np.minimum(box[2:] + extent * (0.8, 1.2) + 1, CLOSE_UP).astype(int)
            part = picture[low[1] : high[1], low[0] : high[0]].copy()
            yield Capture(part, (quad - low).astype(np.float32), "?", -1, -1, row)


def make_scene(
    backgrounds: list[Background], glyphs: Glyphs, rng: np.random.Generator, side: int = SCENE
) -> Scene:
    """One scene: seven in ten on a real picture, three in ten drawn; one in five without plates of ours."""
    corners: list[Floats] = []
    rows: list[int] = []
    empty = rng.random() < 0.22
    if rng.random() < 0.72 and backgrounds:
        picture, plates = _view(backgrounds[int(rng.integers(len(backgrounds)))], side, rng)
    else:
        picture, plates = drawn_vehicle(side, rng), np.zeros((0, 4, 2), np.float32)
        if rng.random() < 0.3:
            picture = surroundings((side, side), rng)
    for _ in range(int(rng.integers(0, 5))):
        before = [*corners, *plates]
        patch = picture.copy()
        _distract(patch, glyphs, rng)
        changed = np.argwhere((patch != picture).any(2))
        if changed.size and _overlaps(
            np.concatenate((changed.min(0)[::-1], changed.max(0)[::-1])).astype(np.float32), before
        ):
            continue
        picture = patch
    for quad in plates:
        if rng.random() < 0.45:
            done = _paste_plate(picture, glyphs, corners, quad, rng)
            assert done is not None
            corners.append(done[0])
            rows.append(done[1])
        else:
            corners.append(quad)
            rows.append(1)
    for _ in range(0 if empty else int(rng.integers(1 if not corners else 0, 4))):
        pasted = _paste_plate(picture, glyphs, corners, None, rng)
        if pasted is not None:
            corners.append(pasted[0])
            rows.append(pasted[1])
    height = float(np.median([np.ptp(c[:, 1]) for c in corners])) if corners else 20.0
    picture = degrade(picture, min(height, 26.0), rng, Mix(blur=0.7, noise=0.8, light=0.8))
    return Scene(
        picture,
        np.stack(corners).astype(np.float32) if corners else np.zeros((0, 4, 2), np.float32),
        np.array(rows, np.int64),
        np.array([_is_clear(picture, c) for c in corners], bool),
    )


def _is_clear(picture: Picture, corners: Floats) -> bool:
    side = picture.shape[0]
    box = around(corners)
    seen = np.clip(box, 0, side)
    share = np.prod(seen[2:] - seen[:2]) / max(1.0, float(np.prod(box[2:] - box[:2])))
    x0, y0, x1, y1 = seen.astype(int)
    patch = picture[y0 : y1 + 1, x0 : x1 + 1]
    wide = float(box[2] - box[0]) >= SMALLEST_PX
    return bool(share > 0.85 and wide and patch.size > 0 and patch.std((0, 1)).max() > 7)
