"""Where pictures come from: network streams, files, USB cameras and folders of pictures.

In: the text of a camera's `source`. Out: an opened `Stream` that yields `Picture`, and `Damaged` for
what the decoder flagged; `SourceError` when it cannot be opened or breaks off. Decoding is PyAV's: it
flags damage, follows a change of resolution and gives up a stalled read in time, which
`cv2.VideoCapture` does not. Nothing is converted here, and nothing retried.
"""

import struct
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from edge.frame import ArrayPixels, Grey, Image, Pixels, shrink
from edge.tap import PacketTap
from wire.errors import SourceError

OPEN_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_CLOCK: Final = datetime(1999, 1, 1, tzinfo=UTC)  # what lies before is time since switched on
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One decoded picture.

    `pts_s` is None where the stream has no times, `camera_clock` where the camera does not say what its
    clock was.
    """

    pixels: Pixels
    pts_s: float | None
    camera_clock: datetime | None = None


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame that the decoder flagged, or could not decode."""

    reason: str


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the stream says of itself; `rate_hz` is None where it does not say."""

    codec: str
    width_px: int
    height_px: int
    rate_hz: float | None


class Stream(AbstractContextManager["Stream"], Protocol):
    """An open source. Iterate once, from one thread; close by leaving the ``with``."""

    @property
    def info(self) -> StreamInfo: ...  # noqa: D102 - what the stream says of itself

    def __iter__(self) -> Iterator[Picture | Damaged]:
        """Pictures in stream order. Ends with a finite source, or raises SourceError."""
        ...


class Source(Protocol):
    """A place to open a stream from.

    Attributes:
        name: for people; without user name and password.
        live: it has no end, and is worth opening again.
        continuous: its pictures show one view over time.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - documented above
    @property
    def live(self) -> bool: ...  # noqa: D102
    @property
    def continuous(self) -> bool: ...  # noqa: D102

    def open(self) -> Stream:
        """Open it. SourceError says why it cannot be."""
        ...


def parse_source(text: str, transport: str = "tcp", tap: PacketTap | None = None) -> Source:
    """The source that `text` names. Opens nothing. `tap` is shown a video's packets as they come."""
    if "://" in text:
        name = _without_credentials(text)
        return VideoSource(text, name, live=True, options=_network(transport), tap=tap)
    if text.isdigit() or text.startswith("/dev/video"):
        device = f"/dev/video{text}" if text.isdigit() else text
        return VideoSource(device, device, live=True, options={}, container_format="v4l2", tap=tap)
    if Path(text).is_dir():
        return FolderSource(Path(text))
    return VideoSource(text, text, live=False, options={}, tap=tap)


def _network(transport: str) -> dict[str, str]:
    """FFmpeg's options: a reorder queue of half a second, and no second of probing before the start."""
    return {
        "rtsp_transport": transport,
        "max_delay": "500000",
        "analyzeduration": "1000000",
        "timeout": str(int(OPEN_TIMEOUT_S * 1e6)),
    }


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


@dataclass(frozen=True, slots=True)
class VideoSource:
    """A file, a network stream or a USB camera."""

    url: str
    name: str
    live: bool
    options: dict[str, str]
    container_format: str | None = None
    continuous: bool = True
    tap: PacketTap | None = None

    def open(self) -> "VideoStream":
        """Open it. SourceError says why it cannot be."""
        if not self.live and not Path(self.url).is_file():
            raise SourceError(f"{self.name}: there is no such file or folder")
        options = self.options if self.url.startswith("rtsp") else {}
        try:
            container: Any = av.open(
                self.url,
                mode="r",
                format=self.container_format,
                options=options,
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self.name} cannot be opened: {_why(error)}") from error
        if not container.streams.video:
            container.close()
            raise SourceError(f"{self.name} has no video in it")
        return VideoStream(container, self.name, self.tap)


class VideoStream:
    """An open video. One thread decodes each: cameras are the parallelism, and delay stays least."""

    def __init__(self, container: Any, name: str, tap: PacketTap | None = None) -> None:
        self._container = container
        self._name = name
        self._tap = tap
        self._stream = container.streams.video[0]
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        context, rate = self._stream.codec_context, self._stream.average_rate
        self.info = StreamInfo(
            context.name, context.width, context.height, float(rate) if rate else None
        )
        if tap is not None:
            tap.opened(context.name, context.extradata or b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()
        if self._tap is not None:
            self._tap.closed()

    def __iter__(self) -> Iterator[Picture | Damaged]:
        packets = self._container.demux(self._stream)
        while True:
            started_s = time.monotonic()
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError as error:
                waited_s = time.monotonic() - started_s
                stalled = isinstance(error, av.error.ExitError) or waited_s >= READ_TIMEOUT_S - 0.1
                why = f"no data for {waited_s:.0f} s" if stalled else _why(error)
                raise SourceError(f"{self._name} broke off: {why}") from error
            pictures = list(self._decode(packet))
            if self._tap is not None and packet.size:
                context = self._stream.codec_context
                self._tap.take(packet, context.width, context.height)
            yield from pictures

    def _decode(self, packet: Any) -> Iterator[Picture | Damaged]:
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            yield Damaged(_why(error))
            return
        clock = _camera_clock(packet)
        for frame in frames:
            if frame.is_corrupt:
                yield Damaged("flagged corrupt by the decoder")
            else:
                pts_s = None if frame.pts is None else float(frame.time)
                yield Picture(_AvPixels(frame), pts_s, clock)


def _camera_clock(packet: Any) -> datetime | None:
    """What the camera's clock was, from its RTCP sender reports (RFC 3550, 6.4.1).

    FFmpeg gives it as an ``AVProducerReferenceTime``: microseconds since 1970 in the machine's byte
    order. A camera that counts from when it was switched on has no clock to be wrong.
    """
    if not packet.has_sidedata("prft"):
        return None
    (since_1970_us,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
    try:
        clock = _EPOCH + timedelta(microseconds=since_1970_us)
    except OverflowError:
        return None
    return clock if clock >= _FIRST_CLOCK else None


@dataclass(frozen=True, slots=True, eq=False)
class _AvPixels:
    """A frame as FFmpeg decoded it."""

    frame: Any

    @property
    def size_px(self) -> tuple[int, int]:
        return self.frame.width, self.frame.height

    def bgr(self) -> Image:
        # A reformatter of its own: the frame's is shared, and several threads may ask for one frame.
        converted: Any = VideoReformatter().reformat(self.frame, format="bgr24")
        image: Image = converted.to_ndarray()
        return image

    def grey(self, width_px: int) -> Grey:
        if not self.frame.format.name.startswith(("yuv4", "yuvj4", "nv12", "nv21", "gray")):
            return shrink(self.frame.to_ndarray(format="gray"), width_px)
        plane = self.frame.planes[0]  # luma: a view, no copy
        luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        return shrink(luma[: plane.height, : plane.width], width_px)


def _why(error: Exception) -> str:
    """The reason that FFmpeg gives, without its number and the address."""
    return getattr(error, "strerror", None) or str(error)


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of pictures in the order of their names; each is a scene of its own."""

    folder: Path
    live: bool = False
    continuous: bool = False

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def open(self) -> "FolderStream":
        """List it. SourceError when it has no pictures."""
        try:
            files = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in _PICTURES)
        except OSError as error:
            raise SourceError(f"{self.folder} cannot be read: {error.strerror}") from error
        if not files:
            raise SourceError(f"{self.folder} has no pictures in it")
        return FolderStream(files)


class FolderStream:
    """An open folder; sizes may differ from picture to picture."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        first = next((image for file in files if (image := _read(file)) is not None), None)
        if first is None:
            raise SourceError(f"{files[0].parent}: none of its {len(files)} pictures can be read")
        self.info = StreamInfo("pictures", first.shape[1], first.shape[0], None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Picture | Damaged]:
        for file in self._files:
            image = _read(file)
            yield (
                Damaged(f"{file} cannot be read as a picture")
                if image is None
                else Picture(ArrayPixels(image), None)
            )


def _read(file: Path) -> Image | None:
    """Decode a picture file of any name; None when it is none."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    if not data.size:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)
