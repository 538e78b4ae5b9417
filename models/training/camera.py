"""What a gate camera does to a plate: perspective, resolution, blur, light, noise, compression.

In: a flat plate, a background to set it in, a random generator. Out: the picture that a camera
would have taken, small and degraded as such pictures are, and the four corners in it. Pure: the
generator is the only source of chance.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from models.training.draw import Floats, Picture, smooth_noise


@dataclass(frozen=True)
class Mix:
    """How hard the degradations are: 1.0 as in training; tests use others that it never saw.

    ``width_px`` is the range of plate widths in the picture, drawn log-uniformly.
    """

    width_px: tuple[float, float] = (44.0, 260.0)
    tilt: float = 1.0
    blur: float = 1.0
    noise: float = 1.0
    light: float = 1.0


def pose_corners(
    size: tuple[float, float], rng: np.random.Generator, strength: float = 1.0
) -> Floats:
    """``(4, 2)`` float32: a ``size`` plate seen by a pinhole camera, tl tr br bl, unit width.

    Yaw, pitch and roll are normal, wide enough for a gate's worst; the distance is 3 to 12
    plate widths, so perspective is real but slight.
    """
    yaw, pitch, roll = rng.normal(0, 1, 3) * np.radians((20, 14, 5.5)) * strength
    if rng.random() < 0.08:
        roll *= 2.2
    yaw = float(np.clip(yaw, -1.05, 1.05))
    width, height = 1.0, size[1] / size[0]
    points = (
        np.array(
            [[-width, -height, 0], [width, -height, 0], [width, height, 0], [-width, height, 0]]
        )
        * 0.5
    )
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    turn_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    turn_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    turn_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned = points @ (turn_z @ turn_x @ turn_y).T
    distance = rng.uniform(3, 12)
    seen = turned[:, :2] * (distance / (distance + turned[:, 2:]))
    # A gate camera looks on from the side and above: a slant that no plain turn gives.
    seen[:, 1] += seen[:, 0] * rng.normal(0, 0.07) * strength
    return np.asarray(seen, np.float32)


def surroundings(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """A bit of car around a plate, ``(H, W, 3)`` BGR: body colour, edges, grille, bumper."""
    height, width = shape
    tone = np.clip(rng.uniform(10, 235) + rng.normal(0, 22, 3), 0, 255)
    field = smooth_noise(shape, int(rng.integers(2, 9)), rng) - 0.5
    picture = (tone + rng.uniform(0, 120) * field[..., None]).astype(np.float32)
    for _ in range(int(rng.integers(0, 6))):
        shade = tuple(float(c) for c in np.clip(rng.uniform(0, 255) + rng.normal(0, 15, 3), 0, 255))
        y = int(rng.integers(0, height))
        slope = int(rng.normal(0, 0.06) * width)
        thick = max(1, int(rng.uniform(0.01, 0.16) * height))
        cv2.line(picture, (0, y), (width, y + slope), shade, thick, cv2.LINE_AA)
    if rng.random() < 0.2:
        step = int(rng.integers(3, 12))
        picture[::step] *= rng.uniform(0.3, 1.4)
    return np.clip(picture, 0, 255).astype(np.uint8)


def add_frame(plate: Picture, rng: np.random.Generator) -> tuple[Picture, Floats]:
    """``plate`` in a dealer's frame now and then; its corners in the new picture ``(4, 2)``."""
    height, width = plate.shape[:2]
    pads = np.zeros(4, int)
    if rng.random() < 0.4:
        pads = (rng.uniform(0.01, 0.10, 4) * height).astype(int)
        if rng.random() < 0.4:
            pads[1] += int(rng.uniform(0.05, 0.22) * height)
        shade = float(rng.choice([rng.uniform(5, 50), rng.uniform(120, 240)]))
        tone = [float(c) for c in np.clip(shade + rng.normal(0, 8, 3), 0, 255)]
        top, bottom, left, right = (int(p) for p in pads)
        plate = cv2.copyMakeBorder(plate, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tone)
        if bottom > 0.12 * height and rng.random() < 0.7:
            text = "".join(chr(int(c)) for c in rng.integers(48, 91, int(rng.integers(5, 16))))
            at = (int(left + width * rng.uniform(0.05, 0.4)), top + height + bottom - 2)
            ink = tuple(float(c) for c in rng.uniform(0, 255, 3))
            cv2.putText(plate, text, at, cv2.FONT_HERSHEY_SIMPLEX, bottom / 30, ink, 1, cv2.LINE_AA)
    y, x = float(pads[0]), float(pads[2])
    corners = np.array(
        [[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32
    )
    return plate, corners


def warp_into(picture: Picture, plate: Picture, source: Floats, target: Floats) -> None:
    """Set ``plate`` into ``picture`` in place: ``source`` corners go to ``target``, both (4, 2)."""
    shrink = float(np.linalg.norm(source[1] - source[0]))
    shrink /= max(1.0, float(np.linalg.norm(target[1] - target[0])))
    if shrink > 1.3:  # the filter that the optics and the sensor are
        plate = cv2.GaussianBlur(plate, (0, 0), 0.42 * shrink)
    homography = cv2.getPerspectiveTransform(source, target)
    size = (picture.shape[1], picture.shape[0])
    warped = cv2.warpPerspective(plate, homography, size, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(
        np.full(plate.shape[:2], 255, np.uint8), homography, size, flags=cv2.INTER_LINEAR
    )
    alpha = cover[..., None].astype(np.float32) / 255.0
    np.copyto(picture, (warped * alpha + picture * (1 - alpha)).astype(np.uint8))


def motion_kernel(length: float, angle: float) -> Floats:
    """``(k, k)`` float32, sums to 1: blur along ``angle`` (rad) over ``length`` px."""
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    centre = (size - 1) / 2
    reach = (length - 1) / 2
    start = (round(centre - reach * np.cos(angle)), round(centre - reach * np.sin(angle)))
    end = (round(centre + reach * np.cos(angle)), round(centre + reach * np.sin(angle)))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _blur(picture: Picture, plate_height: float, rng: np.random.Generator, k: float) -> Picture:
    """Defocus or motion, a share of the plate's height."""
    kind = rng.random()
    if kind < 0.45:
        sigma = abs(rng.normal(0, 0.045)) * plate_height * k
        if sigma > 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    elif kind < 0.65:
        length = 1 + abs(rng.normal(0, 0.12)) * plate_height * k
        if length > 2:
            picture = cv2.filter2D(picture, -1, motion_kernel(length, rng.uniform(0, np.pi)))
    elif kind < 0.72:  # an in-camera sharpening halo
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = cv2.addWeighted(picture, 1 + rng.uniform(0.3, 1.6), soft, -rng.uniform(0.3, 1), 0)
    return picture


def _expose(picture: Picture, rng: np.random.Generator, k: float) -> Picture:
    """Exposure, contrast, white balance, saturation, fog: as tables, one pass."""
    values = np.linspace(0, 1, 256, dtype=np.float32)
    gain = float(np.exp(rng.normal(0.08, 0.42 * k)))
    gamma = float(np.exp(rng.normal(0, 0.28 * k)))
    curve = np.clip(values * gain, 0, 1.15) ** gamma
    if rng.random() < 0.25:  # fog, headlights, a dirty lens
        veil = rng.uniform(0, 0.45) * k
        curve = curve * (1 - veil) + veil * rng.uniform(0.3, 1.0)
    cast = np.exp(rng.normal(0, 0.10 * k, 3))
    if rng.random() < 0.12:  # sodium lamps, infrared, a broken white balance
        cast = np.exp(rng.normal(0, 0.35, 3))
    lut = np.clip(curve[:, None] * cast * 255, 0, 255).astype(np.uint8)
    picture = cv2.LUT(picture, lut.reshape(256, 1, 3))
    fade = rng.random()
    if fade < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        amount = 1.0 if fade < 0.03 else rng.uniform(-0.3, 0.85)
        picture = cv2.addWeighted(picture, 1 - amount, grey, amount, 0)
    return picture


def _grain(picture: Picture, rng: np.random.Generator, k: float) -> Picture:
    if rng.random() < 0.55:
        sigma = abs(rng.normal(0, 7.0)) * k
        noise = rng.standard_normal(picture.shape, np.float32) * sigma
        if rng.random() < 0.4:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.8
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.65:
        quality = int(rng.uniform(22, 95))
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return picture


def _weather(picture: Picture, rng: np.random.Generator) -> Picture:
    """Rain streaks, a screen's moiré, interlaced lines: each seldom."""
    kind = rng.random()
    height, width = picture.shape[:2]
    if kind < 0.03:
        layer = np.zeros((height, width), np.float32)
        slant = rng.normal(0, 0.2)
        for _ in range(int(rng.integers(4, 30))):
            x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
            reach = int(rng.uniform(0.05, 0.4) * height) + 1
            cv2.line(layer, (x, y), (int(x + slant * reach), y + reach), rng.uniform(30, 120), 1)
        picture = np.clip(picture + layer[..., None], 0, 255).astype(np.uint8)
    elif kind < 0.05:
        yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 6)
        wave = np.sin((np.cos(angle) * xx + np.sin(angle) * yy) * 2 * np.pi / period)
        picture = np.clip(picture + rng.uniform(5, 30) * wave[..., None], 0, 255).astype(np.uint8)
    elif kind < 0.07:
        picture = picture.copy()
        picture[1::2] = np.roll(picture, int(rng.integers(1, 3)), 1)[1::2]
    return picture


def degrade(
    picture: Picture, plate_height: float, rng: np.random.Generator, mix: Mix | None = None
) -> Picture:
    """``picture`` as a camera would store it. ``plate_height`` px scales the blur."""
    mix = mix or Mix()
    picture = _blur(picture, plate_height, rng, mix.blur)
    picture = _weather(_expose(picture, rng, mix.light), rng)
    if rng.random() < 0.15:  # recompressed at another size on its way
        height, width = picture.shape[:2]
        factor = rng.uniform(0.45, 0.9)
        small = cv2.resize(picture, (max(8, int(width * factor)), max(8, int(height * factor))))
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return _grain(picture, rng, mix.noise)


def photograph(
    plate: Picture, size_mm: tuple[float, float], rng: np.random.Generator, mix: Mix | None = None
) -> tuple[Picture, Floats]:
    """A close picture of ``plate`` with what is around it, and the corners ``(4, 2)`` in it.

    The picture reaches half a plate beyond the corners on each side, so that any loose crop can
    be cut from it.
    """
    mix = mix or Mix()
    unit = pose_corners(size_mm, rng, mix.tilt)
    span = np.ptp(unit, axis=0)
    low, high = np.log(mix.width_px)
    width = float(np.exp(rng.uniform(low, high)))
    if size_mm[1] > 0.3 * size_mm[0] * 1.3:
        width *= 0.8
    corners = unit * (width / span[0])
    margin = np.ptp(corners, axis=0) * (0.35, 0.5) + 4
    corners = (corners - corners.min(axis=0) + margin).astype(np.float32)
    extent = np.ceil(corners.max(axis=0) + margin).astype(int)
    picture = surroundings((int(extent[1]), int(extent[0])), rng)
    framed, source = add_frame(plate, rng)
    warp_into(picture, framed, source, corners)
    height = float(np.linalg.norm(corners[3] - corners[0]))
    return degrade(picture, height, rng, mix), corners
