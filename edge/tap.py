"""Where a stream's compressed packets are kept on the side: one camera's ring, filled as it is decoded.

In: packets as PyAV reads them, from the capture's thread. Out: cuts of the ring, to other threads. It says
when each was captured: one of a live stream as it came, one of a file by its place in it. It holds up
nothing, and what cannot be kept as it came is said to be so.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from edge.annexb import NalFormat
from edge.packets import Cut, Limits, NoClip, Packet, PacketFormat, PacketRing

CODECS: Final = ("h264", "hevc", "mjpeg")
"""What an MP4 file holds as it came."""


class PacketTap:
    """One camera's packets. Safe for use by several threads."""

    def __init__(
        self,
        limits: Limits,
        *,
        live: bool,
        now: Callable[[], datetime],
        starts_at: datetime | None = None,
    ) -> None:
        """`starts_at` is when a file's first picture was captured; None for when it is opened."""
        self._live, self._now, self._starts_at = live, now, starts_at
        self._lock = threading.Lock()
        self._ring = PacketRing(limits)
        self._codec = ""
        self._nal: NalFormat | None = None
        self._zero: tuple[datetime, float] | None = None
        self._latest: datetime | None = None
        self._open = False

    # From the capture's thread ------------------------------------------------------------------

    def opened(self, codec: str, extradata: bytes) -> None:
        """A stream was opened."""
        nal = None
        try:
            if codec in ("h264", "hevc"):
                nal = NalFormat.of_header(codec, extradata)
        except ValueError:
            codec = f"{codec} with a damaged header"
        with self._lock:
            self._codec, self._nal, self._zero, self._open = codec, nal, None, True
            self._ring.begin()

    def take(self, packet: Any, width_px: int, height_px: int) -> None:
        """Keep an `av.Packet`, of a picture of this size."""
        if self._codec not in CODECS:
            return
        kept = self._kept(packet)
        with self._lock:
            at = self._captured_at(kept)
            self._latest = at
            self._ring.add(kept, PacketFormat(self._codec, width_px, height_px), at)

    def closed(self) -> None:
        """The stream has ended, or broke off."""
        with self._lock:
            self._open = False

    def _kept(self, packet: Any) -> Packet:
        data = bytes(packet)
        sets: tuple[bytes, ...] = ()
        if self._nal is not None and packet.is_keyframe:
            data, sets = self._nal.key_picture(data)
            self._nal = replace(self._nal, sets=sets)
        elif self._nal is not None:
            data = self._nal.annexb(data)
        return Packet(
            data, packet.pts, packet.dts, packet.time_base, bool(packet.is_keyframe), sets
        )

    def _captured_at(self, packet: Packet) -> datetime:
        stamp_s = packet.stamp_s if packet.pts is None else float(packet.pts * packet.time_base)
        if self._live or stamp_s is None:
            return self._now()
        if self._zero is None:
            self._zero = (self._starts_at or self._now(), stamp_s)
        start, first_s = self._zero
        return start + timedelta(seconds=stamp_s - first_s)

    # From other threads -------------------------------------------------------------------------

    def reaches(self, moment: datetime) -> bool:
        """Whether all there will be until `moment` is there."""
        with self._lock:
            return not self._open or (self._latest is not None and self._latest >= moment)

    def cut(self, moment: datetime, before_s: float, after_s: float) -> Cut | NoClip:
        """The packets around `moment`; see `PacketRing.cut`."""
        with self._lock:
            if self._codec and self._codec not in CODECS:
                return NoClip(f"the camera sends {self._codec}, which a clip cannot hold as it is")
            return self._ring.cut(moment, before_s, after_s)
