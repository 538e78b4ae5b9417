"""A photo that a person uploads, decoded with care.

In: bytes of unknown origin. Out: a picture, upright as its EXIF says. Whatever is wrong becomes an
`InputError` that says it; the number of pixels is checked from the header, before any is decoded.
"""

import io
import warnings
from typing import Final

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from models.arrays import Image
from wire.errors import InputError

MAX_MEGAPIXELS: Final = 50
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_ANIMATED: Final = frozenset({"GIF", "PNG", "WEBP"})
_BACKGROUND: Final = (255, 255, 255)


def decode_photo(data: bytes) -> Image:
    """Decode one still picture.

    Args:
        data: a JPEG, PNG, WebP, BMP, GIF or TIFF file of one frame.

    Returns:
        ``(H, W, 3)`` uint8 BGR, turned as EXIF says; transparency on white; 16 bits reduced to 8.

    Raises:
        InputError: empty, no picture, truncated, animated, or more than 50 megapixels.
    """
    if not data:
        raise InputError("the photo is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of big and odd pictures; we check ourselves
        try:
            picture = PillowImage.open(io.BytesIO(data), formats=_FORMATS)
        except PillowImage.DecompressionBombError as error:
            raise InputError(
                f"the photo has more than {MAX_MEGAPIXELS} megapixels: scale it down"
            ) from error
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise InputError(
                "the file is no picture that can be read: send a JPEG, PNG or WebP"
            ) from error
        _check_header(picture)
        try:
            upright = ImageOps.exif_transpose(picture)
            rgb = _flatten(upright)
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
            raise InputError(
                f"the photo is damaged or cut short ({error}): send it again"
            ) from error
    return np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8)[..., ::-1])


def _check_header(picture: PillowImage.Image) -> None:
    width, height = picture.size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise InputError(
            f"the photo has {width * height / 1e6:.0f} megapixels ({width} x {height}),"
            f" more than {MAX_MEGAPIXELS}: scale it down"
        )
    # An MPO is a JPEG of a phone with a second picture in it: its first one is the photo.
    if picture.format in _ANIMATED and getattr(picture, "is_animated", False):
        raise InputError(f"the photo is an animated {picture.format}: send a still picture")


def _flatten(picture: PillowImage.Image) -> PillowImage.Image:
    """RGB, with transparent parts on white."""
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        levels = np.asarray(picture, dtype=np.float64)
        top = 65535.0 if levels.max(initial=0.0) > 255 else 255.0
        return PillowImage.fromarray((levels.clip(0, top) / top * 255).astype(np.uint8)).convert(
            "RGB"
        )
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = PillowImage.new("RGBA", rgba.size, (*_BACKGROUND, 255))
        return PillowImage.alpha_composite(white, rgba).convert("RGB")
    return picture.convert("RGB")
