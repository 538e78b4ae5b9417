"""What the benchmarks play: the demonstration's gate clip, and a busy one in 1080p made of it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import av
import numpy as np

from demo.clip import FPS, write_gate_clip
from edge.frame import Image

PLATE = "京A12F45"


@cache
def gate_clip() -> Path:
    """The gate clip: 1280 x 720, 25 frames a second, 14 s, people and then a car."""
    path = Path(mkdtemp(prefix="gatehouse-bench-")) / "gate.mp4"
    write_gate_clip(path, PLATE)
    return path


@cache
def gate_clip_1080p() -> Path:
    """The same in 1920 x 1080."""
    source, path = gate_clip(), gate_clip().with_name("gate-1080p.mp4")
    with av.open(str(source)) as played, av.open(str(path), "w") as written:
        stream = written.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23", "g": str(2 * FPS)}
        for frame in played.decode(video=0):
            larger = frame.to_ndarray(width=1920, height=1080, format="yuv420p")
            written.mux(stream.encode(av.VideoFrame.from_ndarray(larger, format="yuv420p")))
        written.mux(stream.encode(None))
    return path


def decode(path: Path, *, keyframes: bool = False) -> Iterator[av.VideoFrame]:
    """Decode a file on one thread, as capture does."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        if keyframes:
            stream.codec_context.skip_frame = "NONKEY"
        yield from container.decode(stream)


def picture_at(path: Path, second: float) -> Image:
    """The frame at `second` as ``(H, W, 3)`` uint8 BGR."""
    for number, frame in enumerate(decode(path)):
        if number >= second * FPS:
            return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    raise ValueError(f"{path} is shorter than {second} s")
