"""Text in the least significant bits of pixels: found, and not looked for where none can be."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from egide.errors import CorruptItem, TooManyBytes, TooManyPixels
from egide.item import Item
from egide.provenance.carriers import Carried, Limits, read_blocks
from egide.provenance.statements import Trust
from tests.carriers import exif, picture, png, stealth_pixels, stealth_png, stealth_webp, webp
from tests.pictures import encode, noise

TEXT = '{"Comment": "a lake at dawn, 湖", "Software": "invented"}'


def carried(data: bytes, limits: Limits | None = None) -> Carried:
    return read_blocks(Item.from_bytes(data), limits or Limits())


def texts(data: bytes) -> dict[str, str]:
    result = carried(data)
    assert result.faults == ()
    return {block.where: block.text for block in result.blocks}


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The formats that were decoded whole."""
    from egide.provenance import stealth

    seen: list[str] = []
    whole = stealth._decoded

    def watched(stream: Any, format_: str) -> NDArray[np.uint8]:
        seen.append(format_)
        return whole(stream, format_)

    monkeypatch.setattr(stealth, "_decoded", watched)
    return seen


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("mode", ["alpha", "rgb"])
@pytest.mark.parametrize("write", [stealth_png, stealth_webp])
def test_hidden_text_is_found(write: Any, mode: str, compressed: bool) -> None:
    assert texts(write(TEXT, mode, compressed=compressed)) == {f"stealth:{mode}": TEXT}


@pytest.mark.parametrize("filter_", range(5))
def test_every_filter_of_png_is_undone(filter_: int) -> None:
    pixels = stealth_pixels(TEXT, pixels=noise(300, 260))
    assert texts(filtered(pixels, filter_)) == {"stealth:alpha": TEXT}


def filtered(pixels: NDArray[np.uint8], filter_: int) -> bytes:
    """An RGBA picture as PNG, all of its rows with one filter."""
    rows = pixels.reshape(len(pixels), -1).astype(np.int16)
    left = np.pad(rows, ((0, 0), (4, 0)))[:, :-4]
    up = np.pad(rows, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(up, ((0, 0), (4, 0)))[:, :-4]
    near = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
    paeth = np.where(
        (near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], up, corner)
    )
    guess = [0 * rows, left, up, (left + up) // 2, paeth][filter_]
    body = np.pad((rows - guess).astype(np.uint8), ((0, 0), (1, 0)), constant_values=filter_)
    height, width = pixels.shape[:2]
    whole = encode(pixels, "PNG")
    begin, end = whole.index(b"IDAT") - 4, len(whole) - 12
    packed = zlib.compress(body.tobytes())
    parts = [packed[at : at + 700] for at in range(0, len(packed), 700)]
    chunks = b"".join(
        struct.pack(">I4s", len(part), b"IDAT")
        + part
        + struct.pack(">I", zlib.crc32(part, zlib.crc32(b"IDAT")))
        for part in parts
    )
    data = whole[:begin] + chunks + whole[end:]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert (width, height) == (pixels.shape[1], pixels.shape[0])
    return data


@pytest.mark.parametrize("size", [(300, 20), (2000, 1), (7, 400), (40, 121), (120, 120)])
@pytest.mark.parametrize("mode", ["alpha", "rgb"])
def test_small_pictures_hide_text_in_several_columns(size: tuple[int, int], mode: str) -> None:
    assert texts(stealth_png("a lake", mode, pixels=picture(*size))) == {
        f"stealth:{mode}": "a lake"
    }


def test_both_modes_in_one_picture_are_both_read() -> None:
    colours = stealth_pixels("in the colours", "rgb", pixels=picture(256, 256))
    both = stealth_pixels("in the alpha", "alpha", pixels=colours)
    assert texts(encode(both, "PNG")) == {
        "stealth:alpha": "in the alpha",
        "stealth:rgb": "in the colours",
    }


def test_what_is_hidden_in_pixels_is_believed_as_such() -> None:
    (block,) = carried(stealth_png(TEXT)).blocks
    assert (block.key, block.trust) == ("alpha", Trust.PIXELS)


def test_interlaced_pictures_are_searched_too() -> None:
    from tests.pictures import png_chunk

    pixels = stealth_pixels(TEXT, pixels=picture(256, 200))
    height, width = pixels.shape[:2]
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1))  # fmt: skip
    rows = b"".join(
        b"\0" + row.tobytes() for y, x, dy, dx in passes for row in pixels[y::dy, x::dx]
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 1)
    whole = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    whole += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(whole))), pixels)
    assert texts(whole) == {"stealth:alpha": TEXT}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_ordinary_pictures_are_not_decoded(mode: str, decoded: list[str]) -> None:
    assert texts(encode(noise(400, 300), "PNG", mode)) == {}
    assert decoded == []


def test_ordinary_webp_is_decoded_only_where_text_may_hide(decoded: list[str]) -> None:
    assert texts(webp(pixels=noise(64, 48))) == {}
    assert decoded == []
    assert texts(webp(exif({"Software": "a"}), pixels=noise(64, 48), lossless=True))
    assert decoded == []
    assert texts(webp(pixels=noise(64, 48), lossless=True)) == {}
    assert decoded == ["WEBP"]


def test_alpha_survives_in_a_webp_with_lossy_colours() -> None:
    data = encode(stealth_pixels(TEXT, pixels=picture(256, 256)), "WEBP", quality=80)
    assert b"ALPH" in data
    assert texts(data) == {"stealth:alpha": TEXT}


def test_little_is_read_of_a_large_picture_that_hides_nothing() -> None:
    data = png(pixels=noise(1200, 900))
    read = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal read
            part = super().read(size)
            read += len(part)
            return part

    from egide.provenance.carriers_gathering import Gathering
    from egide.provenance.carriers_png import read_png

    read_png(Counting(data), len(data), Gathering(Limits()))
    assert len(data) > 500_000
    assert read < 50_000


def broken(word: bytes, bits: int, body: bytes) -> bytes:
    """A picture whose alpha hides `body` behind that word and length."""
    message = np.unpackbits(np.frombuffer(word + struct.pack(">I", bits) + body, np.uint8))
    column = np.full(256 * 256, 254, np.uint8)
    column[: len(message)] |= message
    alpha = column.reshape(256, 256).swapaxes(0, 1)
    return encode(np.dstack([picture(256, 256), alpha]), "PNG")


@pytest.mark.parametrize("bits", [256 * 256, 0xFFFFFFFF, 13])
def test_a_length_that_lies_is_a_fault(bits: int) -> None:
    result = carried(broken(b"stealth_pnginfo", bits, b"a lake"))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_damaged_compression_is_a_fault() -> None:
    result = carried(broken(b"stealth_pngcomp", 160, b"this is no gzip stream"))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_an_unknown_word_hides_nothing() -> None:
    result = carried(broken(b"stealth_pngxxxx", 48, b"a lake"))
    assert (result.blocks, result.faults) == ((), ())


def test_a_bomb_is_not_inflated() -> None:
    import gzip

    body = gzip.compress(bytes(5_000_000))
    result = carried(broken(b"stealth_pngcomp", 8 * len(body), body), Limits(block=1_000_000))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [TooManyBytes]


def test_pictures_over_the_limit_are_not_decoded(decoded: list[str]) -> None:
    result = carried(stealth_png(TEXT), Limits(pixels=1000))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [TooManyPixels]
    assert decoded == []


def sizes() -> Iterator[int]:
    return iter(range(0, 20_000, 997))


def test_a_cut_picture_gives_faults_and_no_wrong_text() -> None:
    sound = stealth_png(TEXT, pixels=noise(128, 128))
    for size in sizes():
        for block in carried(sound[:size]).blocks:
            assert block.text == TEXT
