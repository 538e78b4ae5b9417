"""Made pictures of a camera's scene, and what can happen to its lens: for tests of camera health."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Effect = Callable[[Grey], Grey]

SIZE = (320, 180)


class Scene:
    """A yard seen by a fixed camera: walls and windows, someone who walks, the noise of the sensor."""

    def __init__(self, seed: int = 1, noise: float = 2.0) -> None:
        self._random = np.random.default_rng(seed)
        self._noise = noise
        canvas = np.full((260, 420), 120, np.float32)
        for _ in range(140):
            x, y = int(self._random.integers(0, 400)), int(self._random.integers(0, 240))
            w, h = (int(v) for v in self._random.integers(8, 60, 2))
            cv2.rectangle(canvas, (x, y), (x + w, y + h), float(self._random.integers(30, 220)), -1)
        self._canvas = canvas

    def at(self, second: float, *, light: float = 1.0, turned: tuple[int, int] = (0, 0)) -> Grey:
        """The scene at this second; `turned` moves the camera by px of the small picture."""
        x, y = 40 + turned[0], 30 + turned[1]
        view = self._canvas[y : y + 180, x : x + 320].copy()
        walker = int(20 * second) % 300
        view[90:150, walker : walker + 18] = 25
        view += self._random.normal(0, self._noise, view.shape)
        return np.clip(view * light, 0, 255).astype(np.uint8)


def nothing(grey: Grey) -> Grey:
    return grey


def blurred(sigma_px: float) -> Effect:
    return lambda grey: cv2.GaussianBlur(grey, (0, 0), sigma_px).astype(np.uint8)


def covered(level: int = 70) -> Effect:
    """A hand, a bag: a soft slope of one colour."""
    slope = np.linspace(-6, 6, SIZE[0])[None, :]
    noise = np.random.default_rng(5)

    def cover(grey: Grey) -> Grey:
        return np.clip(level + slope + noise.normal(0, 1, grey.shape), 0, 255).astype(np.uint8)

    return cover


def frozen() -> Effect:
    """The first picture again and again, with an encoder's last bit at every fourth."""
    kept: list[Grey] = []
    noise = np.random.default_rng(6)

    def freeze(grey: Grey) -> Grey:
        kept.append(grey)
        key_frame = len(kept) % 4 == 0
        return kept[0] + noise.integers(0, 2 if key_frame else 1, grey.shape, dtype=np.uint8)

    return freeze
