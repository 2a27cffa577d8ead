"""The watermark dwtDct: found where programs put it, and nowhere else."""

from __future__ import annotations

import io
import math
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from egide.errors import ItemError, TooManyBytes
from egide.item import Item
from egide.media.picture import Limits
from egide.provenance.statements import Watermark
from egide.provenance.watermark import CHANCE, MESSAGES, Message, watermark_of
from tests.pictures import (
    animation,
    encode,
    gradient,
    luma,
    mutations,
    noise,
    png_chunk,
    shapes,
    smooth_noise,
)
from tests.watermarks import marked

SDXL = MESSAGES[0]
NAMES = [message.name for message in MESSAGES]


def find(pixels: NDArray[np.uint8], format_: str = "PNG", **options: Any) -> Watermark | None:
    return watermark_of(Item.from_bytes(encode(pixels, format_, **options), "a"))


@pytest.mark.parametrize("floating", [True, False])
@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_every_default_message_is_found(message: Message, floating: bool) -> None:
    found = find(marked(noise(512, 512), message.bits, floating=floating))
    assert found is not None
    assert (found.name, found.bits) == (message.name, len(message.bits))
    assert message.least <= found.matching <= found.bits


@pytest.mark.parametrize("floating", [True, False])
@pytest.mark.parametrize("draw", [smooth_noise, noise, gradient])
def test_it_is_found_whatever_the_picture(draw: Any, floating: bool) -> None:
    pixels = draw(512, 512)
    found = find(marked(pixels, SDXL.bits, floating=floating))
    assert found is not None
    assert found.name == "Stable Diffusion XL"


def test_it_is_found_when_the_program_took_the_colours_in_the_other_order() -> None:
    swapped = marked(noise(512, 512)[..., ::-1], SDXL.bits, floating=True)[..., ::-1]
    assert find(swapped) == Watermark("Stable Diffusion XL", 48, 48)


@pytest.mark.parametrize(
    ("width", "height"), [(256, 256), (520, 264), (336, 501), (768, 384), (2048, 512)]
)
def test_it_is_found_at_any_size(width: int, height: int) -> None:
    assert find(marked(noise(width, height), SDXL.bits, floating=True)) is not None


@pytest.mark.parametrize("width", [320, 384, 512, 544, 768])
@pytest.mark.parametrize("draw", [smooth_noise, noise, shapes, gradient])
def test_it_is_not_found_where_nobody_put_it(draw: Any, width: int) -> None:
    """Of some widths every bit is a column of its own, which pictures fill alike."""
    assert find(draw(width, 384)) is None


def test_a_plain_picture_says_nothing() -> None:
    for value in (0, 128, 255):
        assert find(np.full((512, 512, 3), value, np.uint8)) is None


def test_another_message_is_none_of_ours() -> None:
    bits = np.random.default_rng(7).integers(0, 2, 48).astype(bool)
    assert find(marked(noise(512, 512), bits, floating=True)) is None


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("PNG", {}),
        ("TIFF", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG", {"quality": 90, "subsampling": 0}),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    ],
)
def test_it_outlives_being_written_well(format_: str, options: dict[str, Any]) -> None:
    pixels = marked(smooth_noise(512, 512), SDXL.bits, floating=True)
    assert find(pixels, format_, **options) is not None


def test_it_does_not_outlive_scaling() -> None:
    pixels = marked(smooth_noise(512, 512), SDXL.bits, floating=True)
    half = np.asarray(Image.fromarray(pixels).resize((384, 384)))
    assert find(half) is None


@pytest.mark.parametrize(
    ("width", "height"), [(255, 512), (512, 255), (516, 512), (2400, 2400), (40_000, 256)]
)
def test_sizes_that_no_program_makes_are_not_decoded(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(np.zeros((height, width, 3), np.uint8), "PNG")
    monkeypatch.setattr("PIL.Image.Image.load", None)
    assert watermark_of(Item.from_bytes(data, "a")) is None


@pytest.mark.parametrize(
    ("quality", "subsampling", "is_decoded"),
    [(95, "4:2:0", True), (85, "4:2:0", False), (50, "4:2:2", False), (50, "4:4:4", True)],
)
def test_a_jpeg_with_coarse_chroma_is_not_decoded(
    quality: int, subsampling: str, is_decoded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(noise(256, 256), "JPEG", quality=quality, subsampling=subsampling)
    asked: list[Any] = []
    monkeypatch.setattr("egide.provenance.watermark.halved", asked.append)
    monkeypatch.setattr("egide.provenance.watermark.find_watermark", lambda _: None)
    watermark_of(Item.from_bytes(data, "a"))
    assert bool(asked) is is_decoded


def test_grey_and_moving_pictures_cannot_be_marked() -> None:
    assert find(luma(noise(320, 320))) is None
    frames = [noise(320, 320), noise(320, 320, 1)]
    assert watermark_of(Item.from_bytes(animation("PNG", frames), "a")) is None
    assert find(noise(320, 320), "GIF") is None


def test_of_a_png_only_the_first_rows_are_decoded() -> None:
    data = bytearray(encode(marked(noise(1024, 1024), SDXL.bits, floating=True), "PNG"))
    at = len(data) // 2
    data[at : at + 1000] = bytes(1000)
    with pytest.raises((OSError, SyntaxError)):
        Image.open(io.BytesIO(data)).load()
    assert watermark_of(Item.from_bytes(bytes(data), "a")) is not None


def test_an_interlaced_png_is_decoded_whole() -> None:
    # 1024 pixels square in seven passes, black.
    rows = zlib.compress(bytes(1024 * 1024 * 4))
    header = struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 1)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    data += png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    assert watermark_of(Item.from_bytes(data, "a")) is None


def test_transparency_does_not_hide_it() -> None:
    pixels = marked(noise(512, 512), SDXL.bits, floating=True)
    clear = np.dstack([pixels, np.zeros((512, 512), np.uint8)])
    assert find(clear) is not None


@pytest.mark.parametrize("message", MESSAGES, ids=NAMES)
def test_chance_matches_as_well_once_in_a_thousand_million_at_most(message: Message) -> None:
    size = len(message.bits)
    tail = sum(math.comb(size, right) for right in range(message.least, size + 1))
    assert tail / 2**size <= CHANCE


def test_eleven_of_twelve_bits_are_asked_for() -> None:
    assert [message.least for message in MESSAGES] == [44, 43, 125, 206, 32]


def test_a_file_over_the_limit_is_not_read() -> None:
    item = Item.from_bytes(encode(noise(512, 512), "PNG"), "a")
    with pytest.raises(TooManyBytes, match="EGIDE_MAX_BYTES"):
        watermark_of(item, Limits(bytes=1000))


@pytest.mark.parametrize("format_", ["PNG", "TIFF", "BMP"])
def test_damaged_pictures_are_errors_of_the_item_or_read(format_: str) -> None:
    sound = encode(marked(noise(256, 256), SDXL.bits), format_)
    for broken in mutations(sound, 40):
        with suppress(ItemError):
            watermark_of(Item.from_bytes(broken, "a"))
