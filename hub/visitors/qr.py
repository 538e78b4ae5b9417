"""QR codes (ISO/IEC 18004) of URLs. Pure. Level M: a sheet at a gate gets scratched."""

import io
from typing import Final

import segno

from hub.visitors.markup import Html

_LEVEL: Final = "m"
_QUIET: Final = 4
"""Modules of white around it, as the standard has it."""


def svg(url: str) -> bytes:
    """The code as an SVG file, dark on white."""
    buffer = io.BytesIO()
    segno.make_qr(url, error=_LEVEL).save(
        buffer, kind="svg", scale=8, border=_QUIET, light="#fff", dark="#000"
    )
    return buffer.getvalue()


def png(url: str) -> bytes:
    """The code as a PNG file, ten pixels a module."""
    buffer = io.BytesIO()
    segno.make_qr(url, error=_LEVEL).save(buffer, kind="png", scale=10, border=_QUIET)
    return buffer.getvalue()


def inline(url: str) -> Html:
    """The code for a page, as large as its place."""
    code = segno.make_qr(url, error=_LEVEL)
    return Html(code.svg_inline(border=_QUIET, omitsize=True, light="#fff", dark="#000"))
