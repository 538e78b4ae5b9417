"""What comes over a plate after the camera's own faults: a recorder's text, bloom, haze, something in front.

In: a picture of a plate, its corners, a random generator. Out: the picture spoilt in one of these ways,
still legible more often than not. Cheap enough for every sample, so that one drawn capture is met in many
states. Pure.
"""

import cv2
import numpy as np

from models.training.draw import Floats, Picture

SHARE = 0.35
"""How many samples are spoilt."""

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN)


def _stamp_text(rng: np.random.Generator) -> str:
    """Date and time as recorders write them, or the name of a camera."""
    if rng.random() < 0.25:
        return f"CAM {int(rng.integers(1, 64)):02d} CH{int(rng.integers(1, 9))}"
    year, month, day, hour, minute, second = rng.integers(
        (2008, 1, 1, 0, 0, 0), (2027, 13, 29, 24, 60, 60)
    )
    mark = "/-."[int(rng.integers(3))]
    date = f"{year}{mark}{month:02d}{mark}{day:02d}"
    return f"{date} {hour:02d}:{minute:02d}:{second:02d}" if rng.random() < 0.7 else date


def stamp(picture: Picture, corners: Floats, rng: np.random.Generator) -> Picture:
    """A recorder's text burnt over the upper or lower edge of the plate, seldom across it."""
    low, high = corners.min(0), corners.max(0)
    width, height = high - low
    text, font = _stamp_text(rng), _FONTS[int(rng.integers(len(_FONTS)))]
    tall = float(height * rng.uniform(0.25, 0.7))
    thick = max(1, round(tall * rng.uniform(0.06, 0.14)))
    scale = tall / max(1, cv2.getTextSize(text, font, 1.0, 1)[0][1])
    across = cv2.getTextSize(text, font, scale, thick)[0][0]
    x = float(low[0] + width * rng.uniform(-0.4, 0.7)) if rng.random() < 0.7 else float(high[0])
    x = min(x, float(high[0] - 0.2 * width)) - (across * 0.5 if rng.random() < 0.3 else 0.0)
    into = float(height * rng.uniform(0.0, 0.3))
    if rng.random() < 0.65:
        y = float(high[1]) - into + tall
    elif rng.random() < 0.8:
        y = float(low[1]) + into
    else:
        y = float(low[1] + height * rng.uniform(0.2, 1.0))
    shade = float(rng.choice([255.0, 235.0, rng.uniform(0, 80)]))
    ink = (shade * float(rng.choice([1.0, 0.1], p=[0.75, 0.25])), shade, shade)
    spoilt, at = picture.copy(), (round(x), round(y))
    if rng.random() < 0.6:  # an outline keeps it legible on any ground
        edge = (0.0, 0.0, 0.0) if shade > 128 else (255.0, 255.0, 255.0)
        cv2.putText(spoilt, text, at, font, scale, edge, thick + 2, cv2.LINE_AA)
    cv2.putText(spoilt, text, at, font, scale, ink, thick, cv2.LINE_AA)
    return spoilt


def bloom(picture: Picture, corners: Floats, rng: np.random.Generator) -> Picture:
    """Too much light: what is bright burns out and bleeds into what is beside it."""
    height = max(4.0, float(np.ptp(corners[:, 1])))
    bright = np.clip(picture.astype(np.float32) - rng.uniform(110, 200), 0, None)
    spread = cv2.GaussianBlur(bright, (0, 0), max(0.4, height * rng.uniform(0.015, 0.07)))
    lit = picture * rng.uniform(0.95, 1.6) + spread * rng.uniform(0.5, 3.0)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def haze(picture: Picture, rng: np.random.Generator) -> Picture:
    """Little contrast and a cast: rain on the lens, dusk, a film over the plate."""
    keep = rng.uniform(0.22, 0.7)
    veil = np.clip(rng.uniform(40, 220) + rng.normal(0, 18, 3), 0, 255)
    faded = picture.astype(np.float32) * keep + veil * (1 - keep)
    if rng.random() < 0.5:
        faded += rng.standard_normal(picture.shape, np.float32) * rng.uniform(0, 5)
    return np.clip(faded, 0, 255).astype(np.uint8)


def cover(picture: Picture, corners: Floats, rng: np.random.Generator) -> Picture:
    """A tow bar, a leaf, a railing, a hard shadow over part of the plate."""
    low, extent = corners.min(0), np.ptp(corners, axis=0)
    spoilt = picture.copy()
    tone = tuple(float(c) for c in np.clip(rng.uniform(0, 255) + rng.normal(0, 20, 3), 0, 255))
    kind = rng.random()
    if kind < 0.4:  # along the edge, above or below
        deep = int(extent[1] * rng.uniform(0.04, 0.2))
        at = int(low[1] - 2) if rng.random() < 0.5 else int(low[1] + extent[1] - deep)
        cv2.rectangle(spoilt, (0, at), (picture.shape[1], at + deep), tone, -1)
    elif kind < 0.7:  # a thin thing across
        start = low + extent * rng.uniform(-0.1, 1.1, 2)
        angle, reach = rng.uniform(0, np.pi), extent[1] * rng.uniform(0.5, 3.0)
        end = start + reach * np.array([np.cos(angle), np.sin(angle)])
        thick = max(1, round(float(extent[1]) * rng.uniform(0.02, 0.1)))
        cv2.line(spoilt, _point(start), _point(end), tone, thick, cv2.LINE_AA)
    else:  # a blot
        spot = low + extent * rng.uniform(0, 1, 2)
        axes = np.maximum(1, extent[1] * rng.uniform(0.04, 0.16, 2))
        cv2.ellipse(spoilt, _point(spot), _point(axes), rng.uniform(0, 180), 0, 360, tone, -1)
    if rng.random() < 0.4:
        spoilt = np.asarray(
            cv2.addWeighted(spoilt, rng.uniform(0.4, 0.9), picture, 0.3, 0), np.uint8
        )
    return spoilt


def _point(xy: Floats) -> tuple[int, int]:
    return int(xy[0]), int(xy[1])


def spoil(picture: Picture, corners: Floats, rng: np.random.Generator) -> Picture:
    """``picture`` (H, W, 3) as it is, or :data:`SHARE` of the time spoilt; ``corners`` (4, 2) px in it."""
    if rng.random() >= SHARE:
        return picture
    kind = rng.random()
    if kind < 0.45:
        return stamp(picture, corners, rng)
    if kind < 0.7:
        return bloom(picture, corners, rng)
    if kind < 0.82:
        return haze(picture, rng)
    return cover(picture, corners, rng)
