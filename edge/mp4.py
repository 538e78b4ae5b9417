"""Packets -> an MP4 file in memory, without decoding or encoding a picture.

In: a `Cut`. Out: bytes that browsers play from the start, since the index stands before the pictures. It
touches no disk. H.264 and H.265 keep their parameter sets in the pictures too; Motion JPEG is kept as it is.
"""

import io

import av

from edge.packets import Cut, playing_times
from wire.mp4 import index_first


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
