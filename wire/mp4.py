"""An MP4 file that plays from its start: the index moved before the pictures. Pure.

In: a whole file, as a muxer wrote it (ISO/IEC 14496-12). Out: the same pictures with the index in front.
"""

import struct
from collections.abc import Iterator
from typing import Final

_CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})


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
