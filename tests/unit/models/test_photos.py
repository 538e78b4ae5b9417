import contextlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from models.photos import decode_photo
from wire.errors import InputError

RED_TOP = np.zeros((40, 30, 3), np.uint8)
RED_TOP[:20, :, 0] = 255  # RGB: upper half red


def encode(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(kind: str = "JPEG", **options: object) -> bytes:
    return encode(PillowImage.fromarray(RED_TOP), kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_decodes_to_bgr(kind: str) -> None:
    image = decode_photo(photo(kind))
    assert (image.shape, image.dtype) == ((40, 30, 3), np.uint8)
    blue, green, red = (int(v) for v in image[5, 15])
    assert red > 200
    assert max(blue, green) < 60
    assert image.flags.c_contiguous


def test_turns_as_exif_says() -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # to be turned 90 degrees clockwise
    image = decode_photo(photo("JPEG", exif=exif))
    assert image.shape == (30, 40, 3)
    assert image[15, 35, 2] > 200  # the red half is on the right now
    assert image[15, 5, 2] < 60


def test_a_phones_jpeg_with_a_second_picture_is_its_first() -> None:
    second = PillowImage.new("RGB", (30, 40), "blue")
    image = decode_photo(photo("MPO", save_all=True, append_images=[second]))
    assert image[5, 15, 2] > 200


def test_empty_is_told() -> None:
    with pytest.raises(InputError, match="is empty"):
        decode_photo(b"")


@pytest.mark.parametrize(
    "data", [b"hello, I am text", b"%PDF-1.4", b"<svg/>", b"\x00" * 100, b"\xff\xd8"]
)
def test_what_is_no_picture_is_told(data: bytes) -> None:
    with pytest.raises(InputError, match="no picture that can be read"):
        decode_photo(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_told(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    data = encode(PillowImage.fromarray(noise), kind)
    with pytest.raises(InputError, match=r"damaged or cut short|no picture"):
        decode_photo(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_told(kind: str) -> None:
    frames = [PillowImage.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=f"animated {kind}"):
        decode_photo(data)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data would never fill."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [7100, 15_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(InputError, match="50"):
        decode_photo(bomb(side, side))


def test_fifty_megapixels_are_not_too_many() -> None:
    with pytest.raises(
        InputError, match="damaged or cut short"
    ):  # the header passed, the data is none
        decode_photo(bomb(10_000, 5_000))


def test_transparency_becomes_white() -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[:, 5:] = (0, 0, 255, 255)
    image = decode_photo(encode(PillowImage.fromarray(rgba), "PNG"))
    assert image[5, 2].tolist() == [255, 255, 255]
    assert image[5, 7].tolist() == [255, 0, 0]


def test_a_palette_with_transparency_becomes_white() -> None:
    picture = PillowImage.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    image = decode_photo(encode(picture, "PNG", transparency=0))
    assert image[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["L", "LA", "CMYK", "1", "RGBA"])
def test_other_modes_become_bgr(mode: str) -> None:
    kind = "JPEG" if mode in ("L", "CMYK") else "PNG"
    assert decode_photo(encode(PillowImage.new(mode, (9, 7)), kind)).shape == (7, 9, 3)


def test_sixteen_bits_are_reduced() -> None:
    levels = np.array([[0, 32768, 65535]], np.uint16)
    ok, data = cv2.imencode(".png", levels)
    assert ok
    assert decode_photo(data.tobytes())[0, :, 0].tolist() == [0, 127, 255]


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_give_a_picture_or_an_input_error(data: bytes) -> None:
    with contextlib.suppress(InputError):
        assert decode_photo(data).ndim == 3


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_flipped_byte_gives_a_picture_or_an_input_error(position: int, value: int) -> None:
    data = bytearray(photo("PNG"))
    data[position % len(data)] = value
    with contextlib.suppress(InputError):
        assert decode_photo(bytes(data)).ndim == 3
