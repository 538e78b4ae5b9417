"""H.264 and H.265 as a stream of NAL units with start codes, each key picture with its parameter sets.

In: a packet as its container or camera gave it, and what stood in the header (extradata). Out: the same
packet in Annex B form (ITU-T H.264 and H.265, annex B). A clip cut from the middle of a stream then needs
nothing that was said at the stream's start. Pictures are never decoded or changed. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

START: Final = b"\x00\x00\x00\x01"
_SHORT_START: Final = b"\x00\x00\x01"
_H264_SETS: Final = frozenset({7, 8})  # SPS, PPS (ITU-T H.264, table 7-1)
_HEVC_SETS: Final = frozenset({32, 33, 34})  # VPS, SPS, PPS (ITU-T H.265, table 7-1)


@dataclass(frozen=True, slots=True)
class NalFormat:
    """How the packets of one stream hold their NAL units; `codec` is ``h264`` or ``hevc``.

    `length_bytes` is that of the length before each unit, 0 where start codes stand between them. `sets`
    are the parameter sets of the header; ``()`` where it has none.
    """

    codec: str
    length_bytes: int
    sets: tuple[bytes, ...]

    @classmethod
    def of_header(cls, codec: str, extradata: bytes) -> Self:
        """What a stream's header says: an ``avcC`` or ``hvcC`` box (ISO/IEC 14496-15), Annex B, or nothing.

        ValueError when it is cut short.
        """
        if not extradata or extradata.startswith((START, _SHORT_START)):
            return cls(codec, 0, _sets(codec, split(extradata)))
        try:
            length_bytes, units = (_avcc if codec == "h264" else _hvcc)(extradata)
        except IndexError as error:
            raise ValueError(f"the {codec} header is cut short") from error
        return cls(codec, length_bytes, _sets(codec, units))

    def units(self, packet: bytes) -> list[bytes]:
        """The NAL units of a packet; of a damaged one those before the damage."""
        return list(_by_length(packet, self.length_bytes) if self.length_bytes else split(packet))

    def annexb(self, packet: bytes) -> bytes:
        """The packet with start codes."""
        return join(self.units(packet)) if self.length_bytes else packet

    def key_picture(self, packet: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        """A key picture in Annex B with its parameter sets in front, and those sets.

        Sets in the packet itself win over those of the header: the camera has changed them.
        """
        units = self.units(packet)
        own = _sets(self.codec, units)
        if own:
            return join(units), own
        return join((*self.sets, *units)), self.sets


def split(data: bytes) -> Iterator[bytes]:
    """The NAL units between the start codes of Annex B."""
    start = data.find(_SHORT_START)
    while start >= 0:
        begin = start + 3
        start = data.find(_SHORT_START, begin)
        unit = data[begin : start if start >= 0 else len(data)].rstrip(b"\x00")
        if unit:
            yield unit


def join(units: Iterable[bytes]) -> bytes:
    """NAL units with a start code before each."""
    return b"".join(START + unit for unit in units)


def _sets(codec: str, units: Iterable[bytes]) -> tuple[bytes, ...]:
    if codec == "h264":
        return tuple(unit for unit in units if unit[0] & 0x1F in _H264_SETS)
    return tuple(unit for unit in units if unit[0] >> 1 & 0x3F in _HEVC_SETS)


def _by_length(data: bytes, length_bytes: int) -> Iterator[bytes]:
    place = 0
    while place + length_bytes < len(data):
        size = int.from_bytes(data[place : place + length_bytes], "big")
        place += length_bytes
        if not 0 < size <= len(data) - place:
            return
        yield data[place : place + size]
        place += size


def _avcc(box: bytes) -> tuple[int, Sequence[bytes]]:
    units: list[bytes] = []
    place = 5
    for mask in (0x1F, 0xFF):  # the numbers of SPS and PPS
        count, place = box[place] & mask, place + 1
        place = _take(box, place, count, units)
    return (box[4] & 3) + 1, units


def _hvcc(box: bytes) -> tuple[int, Sequence[bytes]]:
    units: list[bytes] = []
    place = 23
    for _ in range(box[22]):
        count = box[place + 1] << 8 | box[place + 2]
        place = _take(box, place + 3, count, units)
    return (box[21] & 3) + 1, units


def _take(box: bytes, place: int, count: int, units: list[bytes]) -> int:
    """Append `count` units, each behind its length of two bytes; returns the place after them."""
    for _ in range(count):
        size = int.from_bytes(box[place : place + 2], "big")
        unit = box[place + 2 : place + 2 + size]
        if not unit or len(unit) < size:
            raise IndexError(place)
        units.append(unit)
        place += 2 + size
    return place
