"""The last half minute of one camera's own compressed packets, in memory, to cut clips from.

In: every packet of the stream with the time it was captured. Out: a `Cut` around a moment, from a key
picture before it, or a `NoClip` with the reason. Bounded in seconds and in bytes; whole groups of pictures
are forgotten, oldest first. A reconnection, another resolution or a jump of the stream's clock begins a new
segment, and a cut never reaches over such a border. It decodes nothing and touches no disk. Pure, and not for
use by two threads at once.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

_LARGEST_STEP_S: Final = 10.0  # a larger one is the camera's clock being set, not a pause


@dataclass(frozen=True, slots=True)
class Packet:
    """One compressed picture, in the order of the stream.

    `pts` and `dts` count `time_base`; either is None where the stream does not say. `sets` are the
    parameter sets that a key picture rests on. Data of H.264 and H.265 is in Annex B form.
    """

    data: bytes
    pts: int | None
    dts: int | None
    time_base: Fraction
    is_key: bool
    sets: tuple[bytes, ...] = ()

    @property
    def stamp_s(self) -> float | None:
        """The stream's time of it, as near as it says; None when it says none."""
        stamp = self.dts if self.dts is not None else self.pts
        return None if stamp is None else float(stamp * self.time_base)


@dataclass(frozen=True, slots=True)
class PacketFormat:
    """What the packets of one segment are."""

    codec: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Held:
    """A packet and when it was captured, aware UTC."""

    packet: Packet
    at: datetime


@dataclass(frozen=True, slots=True)
class Cut:
    """Packets from a key picture on, all of one format, and the times of the first and last."""

    format: PacketFormat
    held: tuple[Held, ...]

    @property
    def starts_at(self) -> datetime:
        """When the first picture was captured."""
        return self.held[0].at

    @property
    def ends_at(self) -> datetime:
        """When the last picture was captured."""
        return self.held[-1].at


@dataclass(frozen=True, slots=True)
class NoClip:
    """Why there is no clip of a moment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one camera's ring keeps."""

    seconds: float
    most_bytes: int


@dataclass(slots=True)
class _Segment:
    """Packets that play in one go."""

    format: PacketFormat
    sets: tuple[bytes, ...]
    held: deque[Held] = field(default_factory=deque)


class PacketRing:
    """One camera's latest packets."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._segments: deque[_Segment] = deque()
        self._bytes = 0
        self._whole = False  # whether what comes next goes on from a group that is held

    @property
    def held_bytes(self) -> int:
        """How much it holds."""
        return self._bytes

    def begin(self) -> None:
        """The stream was opened: what follows does not go on from what was before."""
        self._whole = False

    def add(self, packet: Packet, format: PacketFormat, at: datetime) -> None:  # noqa: A002
        """Keep the next packet. What stands before the first key picture of a segment is of no use."""
        if packet.is_key:
            if not self._goes_on(packet, format):
                self._segments.append(_Segment(format, packet.sets))
            self._whole = True
        elif not self._whole or not self._steps_on(packet):
            self._whole = False
            return
        self._segments[-1].held.append(Held(packet, at))
        self._bytes += len(packet.data)
        self._forget(at)

    def cut(self, moment: datetime, before_s: float, after_s: float) -> Cut | NoClip:
        """The packets from a key picture `before_s` before `moment` to `after_s` after it.

        Where the group of pictures is longer it starts earlier; where less is held, at the first that is.
        """
        segment = next((s for s in reversed(self._segments) if s.held[0].at <= moment), None)
        if segment is None:
            return NoClip(
                "it was asked for too late: newer pictures had taken its room"
                if self._segments
                else "no stream has been received since the edge was started"
            )
        if segment.held[-1].at < moment - timedelta(seconds=_LARGEST_STEP_S):
            return NoClip("the camera sent nothing at that moment")
        first = _first(segment.held, moment - timedelta(seconds=before_s))
        until = moment + timedelta(seconds=after_s)
        held = tuple(h for n, h in enumerate(segment.held) if n >= first and h.at <= until)
        return Cut(segment.format, held)

    def _goes_on(self, packet: Packet, format: PacketFormat) -> bool:  # noqa: A002
        if not self._segments or not self._whole:
            return False
        last = self._segments[-1]
        return last.format == format and last.sets == packet.sets and self._steps_on(packet)

    def _steps_on(self, packet: Packet) -> bool:
        """Whether the stream's clock goes on from the packet before."""
        last_s, next_s = self._segments[-1].held[-1].packet.stamp_s, packet.stamp_s
        if last_s is None or next_s is None:
            return last_s is next_s
        return abs(next_s - last_s) <= _LARGEST_STEP_S

    def _forget(self, now: datetime) -> None:
        """Drop the oldest groups until the limits hold; one that is still needed for `seconds` stays."""
        oldest_needed = now - timedelta(seconds=self._limits.seconds)
        while self._segments:
            held = self._segments[0].held
            following = self._second_group_at()
            too_old = following is not None and following <= oldest_needed
            if not too_old and self._bytes <= self._limits.most_bytes:
                return
            self._bytes -= len(held.popleft().packet.data)
            while held and not held[0].packet.is_key:
                self._bytes -= len(held.popleft().packet.data)
            if not held:
                self._segments.popleft()
                self._whole = self._whole and bool(self._segments)

    def _second_group_at(self) -> datetime | None:
        """When the group after the oldest begins; None when there is none."""
        held = iter(self._segments[0].held)
        next(held)
        for item in held:
            if item.packet.is_key:
                return item.at
        return self._segments[1].held[0].at if len(self._segments) > 1 else None


def _first(held: Sequence[Held], wanted: datetime) -> int:
    """The place of the last key picture at or before `wanted`, or of the first one held."""
    keys = (n for n, item in enumerate(held) if item.packet.is_key and item.at <= wanted)
    return max(keys, default=0)


def playing_times(packets: Sequence[Packet]) -> list[tuple[Packet, int, int]]:
    """Each packet with its ``pts`` and ``dts`` from 0 on: dts rises and is never after pts, as MP4 wants it.

    Leading pictures, which come after the first key picture and are shown before it, are left out: what
    they rest on is not there. A stream that says no decoding times gets them from its presentation times in
    order, put off by as much as the furthest reordering. Where it says neither, pictures are 40 ms apart.
    """
    step = max(1, round(Fraction(1, 25) / packets[0].time_base))
    stamped = [(packet, _stamp(packet, number * step)) for number, packet in enumerate(packets)]
    stamped = [(packet, shown) for packet, shown in stamped if shown >= stamped[0][1]]
    in_order = sorted(shown for _, shown in stamped)
    rising = [in_order[0]]
    for before, after in pairwise(in_order):
        rising.append(rising[-1] + max(1, after - before))
    late = max(0, *(time - shown for time, (_, shown) in zip(rising, stamped, strict=True)))
    start = rising[0] - late
    times = [time - late - start for time in rising]
    return [
        (packet, max(shown - start, time), time)
        for time, (packet, shown) in zip(times, stamped, strict=True)
    ]


def _stamp(packet: Packet, made_up: int) -> int:
    for stamp in (packet.pts, packet.dts):
        if stamp is not None:
            return stamp
    return made_up
