"""What decoding costs, with no network at all."""

import time
from collections.abc import Callable, Iterator

from demo.clip import FPS
from tests.bench.clips import decode, gate_clip, gate_clip_1080p
from tests.bench.report import Row


def run() -> list[Row]:
    """Full decoding and key frames only; as cores per camera at 25 frames a second."""
    rows = []
    for name, path in (("1280x720", gate_clip()), ("1920x1080", gate_clip_1080p())):
        frames, full_s = _timed(lambda path=path: decode(path))
        _, keys_s = _timed(lambda path=path: decode(path, keyframes=True))
        seconds = frames / FPS
        rows += [
            Row("Decoding, one thread", f"{name}, every frame", frames / full_s, "frames/s"),
            Row(
                "Decoding, one thread",
                f"{name}, cores per camera",
                full_s / seconds,
                "core",
            ),
            Row(
                "Decoding, one thread",
                f"{name}, key frames only, cores per camera",
                keys_s / seconds,
                "core",
                "every frame",
                keys_s / full_s,
            ),
        ]
    return rows


def _timed(frames: Callable[[], Iterator[object]]) -> tuple[int, float]:
    started = time.process_time()
    count = sum(1 for _ in frames())
    return count, time.process_time() - started
