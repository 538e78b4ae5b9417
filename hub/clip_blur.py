"""A clip with every face in it made unrecognisable: for those who may not see it whole.

In: an MP4 file and a face detector. Out: another MP4 file, encoded anew. Faces are looked for several times a
second and hidden from the look before to the look after, so that one which a single look misses is hidden all
the same. It cannot hide a face that no look finds: far away, turned off, behind a windscreen. Nothing is
written to a disk.
"""

import hashlib
import io
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from models.faces.types import FaceDetector
from models.pixelate import pixelate
from wire.errors import InputError
from wire.mp4 import index_first

_LOOK_EVERY_S: Final = 0.12
_KEPT: Final = 4
_OPTIONS: Final = {"preset": "veryfast", "crf": "26"}

Boxes = NDArray[np.float32]


@dataclass(slots=True)
class ClipBlurrer:
    """Blurs clips, one at a time, and remembers the last few. Safe for use by several threads."""

    detector: FaceDetector
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _made: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def blurred(self, clip: bytes) -> bytes:
        """The clip without faces. InputError when it cannot be decoded."""
        name = hashlib.sha256(clip).hexdigest()
        with self._lock:
            if name not in self._made:
                self._made[name] = blur(clip, self.detector)
                while len(self._made) > _KEPT:
                    self._made.popitem(last=False)
            self._made.move_to_end(name)
            return self._made[name]


def blur(clip: bytes, detector: FaceDetector) -> bytes:
    """`clip` with its faces pixelated, as H.264. InputError when it cannot be decoded."""
    try:
        with av.open(io.BytesIO(clip)) as source:
            return _encoded(source, detector)
    except av.error.FFmpegError as error:
        raise InputError(f"the clip cannot be blurred: {error.strerror}") from error


def _encoded(source: Any, detector: FaceDetector) -> bytes:
    video = source.streams.video[0]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=video.average_rate or 25)
        stream.width, stream.height = video.width // 2 * 2, video.height // 2 * 2
        stream.pix_fmt, stream.options = "yuv420p", dict(_OPTIONS)
        stream.time_base = stream.codec_context.time_base = video.time_base
        for image, pts in _hidden(source.decode(video), detector):
            even = np.ascontiguousarray(image[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(even, format="bgr24")
            frame.pts, frame.time_base = pts, video.time_base
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return index_first(buffer.getvalue())


@dataclass(slots=True, eq=False)
class _Look:
    """A picture at which faces were looked for, and those after it at which they were not."""

    boxes: Boxes
    pictures: list[tuple[NDArray[np.uint8], int]] = field(default_factory=list)


def _hidden(
    frames: Iterator[Any], detector: FaceDetector
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Each picture ``(H, W, 3)`` BGR with the faces of the looks before, at and after it hidden."""
    looks: deque[_Look] = deque([_Look(np.zeros((0, 4), np.float32))], maxlen=3)
    looked_at_s = -_LOOK_EVERY_S
    for frame in frames:
        image = frame.to_ndarray(format="bgr24")
        at_s = float(frame.time or 0.0)
        if at_s - looked_at_s >= _LOOK_EVERY_S:
            looked_at_s = at_s
            looks.append(_Look(detector.detect(image).boxes))
            if len(looks) == 3:
                yield from _pixelated(looks[1], looks)
        looks[-1].pictures.append((image, frame.pts))
    yield from _pixelated(looks[-1], looks)


def _pixelated(look: _Look, looks: deque[_Look]) -> Iterator[tuple[NDArray[np.uint8], int]]:
    boxes = np.concatenate([other.boxes for other in looks])
    for image, pts in look.pictures:
        pixelate(image, boxes)
        yield image, pts
    look.pictures.clear()
