"""Shapes of what the networks take and give, checked where arrays cross into ours.

In: anything. Out: the same array, or `ShapeError` with what was expected and what came. Never copies.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Picture, ``(H, W, 3)`` uint8, BGR, origin top left."""

Floats = NDArray[np.float32]


class ShapeError(ValueError):
    """An array has not the shape or dtype that was asked for: a fault of the caller. Fix it."""


def check_image(image: object, name: str = "image") -> Image:
    """Return `image` if it is a picture: ``(H, W, 3)`` uint8 with at least one pixel.

    Raises:
        ShapeError: it is none.
    """
    if not isinstance(image, np.ndarray):
        raise ShapeError(f"{name}: expected (H, W, 3) uint8, got {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ShapeError(f"{name}: expected (H, W, 3) uint8, got {image.shape} {image.dtype}")
    return image


def check_floats(array: object, shape: tuple[int, ...], name: str) -> Floats:
    """Return `array` if it is float32 of exactly `shape`.

    Raises:
        ShapeError: it is not.
    """
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != np.float32:
        got: Any = (
            f"{array.shape} {array.dtype}"
            if isinstance(array, np.ndarray)
            else type(array).__name__
        )
        raise ShapeError(f"{name}: expected {shape} float32, got {got}")
    return array
