"""Video files made on the spot, sound ones and broken ones."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def write_clip(path: Path, images: Iterable[Image], *, rate_hz: int = 25, gop: int = 25) -> Path:
    """H.264 in whatever container the suffix says; all images of one size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": str(gop), "preset": "veryfast", "crf": "18", "bf": "0"}
        for number, image in enumerate(images):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def texture(size: tuple[int, int] = (320, 240), seed: int = 3) -> Callable[[int], Image]:
    """A moving picture with detail everywhere, so that damage shows."""
    width, height = size
    base = np.random.default_rng(seed).integers(
        0, 255, (height // 4, width // 2, 3), dtype=np.uint8
    )
    large = np.kron(base, np.ones((4, 4, 1), np.uint8)).astype(np.uint8)
    return lambda n: np.ascontiguousarray(large[:, (2 * n) % width : (2 * n) % width + width])


def flip_bytes(path: Path, target: Path, *, count: int, seed: int) -> Path:
    """A copy with single bytes flipped, in the pictures and not in the index."""
    data, source = bytearray(path.read_bytes()), random.Random(seed)
    first, last = data.find(b"mdat") + 64, data.rfind(b"moov") - 64
    for _ in range(count):
        data[source.randrange(first, last)] ^= 0xFF
    target.write_bytes(data)
    return target
