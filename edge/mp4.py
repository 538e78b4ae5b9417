"""Packets -> an MP4 file in memory, without decoding or encoding a picture.

In: a `Cut`. Out: bytes that browsers play from the start, since the index stands before the pictures. It
touches no disk. H.264 and H.265 keep their parameter sets in the pictures too; Motion JPEG is kept as it is.
"""

import io
import struct
from collections.abc import Iterator
from typing import Final

import av

from edge.packets import Cut, playing_times

_CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})


def mux(cut: Cut) -> bytes:
    """The packets as one MP4 file."""
    buffer = io.BytesIO()
    form, first = cut.format, cut.held[0].packet
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_mux_stream(
            form.codec, width=form.width_px, height=form.height_px, time_base=first.time_base
        )
        for packet, pts, dts in playing_times([held.packet for held in cut.held]):
            sample = av.Packet(packet.data)
            sample.stream = stream
            sample.pts, sample.dts, sample.time_base = pts, dts, first.time_base
            sample.is_keyframe = packet.is_key
            container.mux_one(sample)
    return index_first(buffer.getvalue())


def index_first(file: bytes) -> bytes:
    """The same MP4 with its index (``moov``) before its pictures, and the offsets in it moved on.

    A player that reads from the start, as a browser does over HTTP, can then begin at once.
    """
    boxes = [(kind, file[start:end]) for kind, start, end in _boxes(file, 0, len(file))]
    kinds = [kind for kind, _ in boxes]
    if kinds.index(b"moov") < kinds.index(b"mdat"):
        return file
    index = bytearray(dict(boxes)[b"moov"])
    _move_offsets(index, 8, len(index), len(index))
    ahead = [data for kind, data in boxes if kind == b"ftyp"]
    behind = [data for kind, data in boxes if kind not in {b"ftyp", b"moov"}]
    return b"".join((*ahead, index, *behind))


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box between two places (ISO/IEC 14496-12, 4.2)."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
        yield kind, start, start + size
        start += size


def _move_offsets(index: bytearray, start: int, end: int, by: int) -> None:
    """Add `by` to every chunk offset of the index, in place."""
    for kind, first, last in list(_boxes(index, start, end)):
        if kind in _CONTAINERS:
            _move_offsets(index, first + 8, last, by)
        elif kind in {b"stco", b"co64"}:
            form = ">I" if kind == b"stco" else ">Q"
            for place in range(first + 16, last, struct.calcsize(form)):
                (offset,) = struct.unpack_from(form, index, place)
                struct.pack_into(form, index, place, offset + by)
