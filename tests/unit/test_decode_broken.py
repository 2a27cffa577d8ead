"""Broken files and bombs: the right error, soon, in bounded memory, and without a sound."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from egide.errors import (
    CorruptItem,
    ItemError,
    TooManyFrames,
    TooManyPixels,
    TooMuchTime,
    TruncatedItem,
)
from egide.media import Limits, decode
from egide.media.reasons import explain, reason
from tests import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

SMOOTH = pictures.smooth_noise()


def _problems(data: bytes, limits: Limits | None = None) -> list[type[ItemError]]:
    return [type(problem) for problem in decode(data, limits or Limits()).problems]


@pytest.mark.parametrize(
    ("encoder", "mode", "top"),
    [
        ("PNG", "RGB", 60),
        ("PNG", "P", 60),
        ("PNG", "LA", 60),
        ("WEBP", "RGB", 30),
        ("GIF", "P", 60),
        ("BMP", "RGB", 0),
        ("TIFF", "RGB", 60),
    ],
)
def test_the_readable_part_of_a_truncated_file_is_kept(encoder: str, mode: str, top: int) -> None:
    data = pictures.encode(SMOOTH, encoder, mode, **({"interlace": 0} if encoder == "GIF" else {}))
    picture = decode(data[: len(data) // 2])
    assert [type(problem) for problem in picture.problems] == [TruncatedItem]
    whole = decode(data).frames[0].luma
    assert np.array_equal(picture.frames[0].luma[:top], whole[:top])


@pytest.mark.parametrize("encoder", ["PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF"])
def test_a_file_cut_in_its_header_is_an_error(encoder: str) -> None:
    data = pictures.encode(SMOOTH, encoder)
    with pytest.raises((TruncatedItem, CorruptItem)):
        decode(data[:20])


@pytest.mark.parametrize("encoder", ["PNG", "GIF", "BMP"])
def test_a_missing_end_is_reported_though_all_pixels_are_there(encoder: str) -> None:
    assert _problems(pictures.encode(SMOOTH, encoder)[:-1]) == [TruncatedItem]


def test_an_animation_that_breaks_off_keeps_its_frames() -> None:
    data = pictures.animation("GIF", [pictures.smooth_noise(80, 60, seed) for seed in range(4)])
    picture = decode(data[: len(data) * 3 // 5])
    assert 1 <= len(picture.frames) <= 3
    assert [type(problem) for problem in picture.problems] == [TruncatedItem]


def test_a_wrong_checksum_beside_the_pixels_does_not_hide_them() -> None:
    data = pictures.encode(SMOOTH, "PNG")
    text = bytearray(pictures.png_chunk(b"tEXt", b"Comment\0smooth"))
    text[-1] ^= 1
    picture = decode(data[:33] + bytes(text) + data[33:])
    assert np.array_equal(picture.frames[0].pixels, SMOOTH)
    assert [type(problem) for problem in picture.problems] == [CorruptItem]


def test_a_transparency_that_does_not_fit_is_opaque() -> None:
    rows = zlib.compress((b"\0" + b"\x40\x80\xc0" * 8) * 8)
    data = pictures.png_of(
        8, 8, 8, 2,
        pictures.png_chunk(b"tRNS", b"\xff\xff\xff\xff\xff\xff"),
        pictures.png_chunk(b"IDAT", rows),
        pictures.png_chunk(b"IEND", b""),
    )  # fmt: skip
    assert decode(data).frames[0].pixels[0, 0].tolist() == [0x40, 0x80, 0xC0]


def test_frames_over_the_limit_are_left_out_and_said() -> None:
    data = pictures.animation("GIF", [pictures.smooth_noise(80, 60, seed) for seed in range(5)])
    picture = decode(data, Limits(frames=3))
    assert len(picture.frames) == 3
    assert [type(problem) for problem in picture.problems] == [TooManyFrames]
    assert "EGIDE_MAX_FRAMES" in str(picture.problems[0])
    assert _problems(data, Limits(frames=5)) == []


def test_all_frames_together_stay_within_the_limit_of_pixels() -> None:
    data = pictures.animation("GIF", [pictures.smooth_noise(200, 150, seed) for seed in range(5)])
    picture = decode(data, Limits(pixels=100_000))
    assert len(picture.frames) == 3
    assert [type(problem) for problem in picture.problems] == [TooManyFrames]


def test_time_that_is_up_keeps_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.animation("GIF", [pictures.smooth_noise(80, 60, seed) for seed in range(5)])
    began, ticks = time.monotonic(), iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: began + next(ticks))
    picture = decode(data, Limits(seconds=4))
    assert 1 <= len(picture.frames) < 5
    assert [type(problem) for problem in picture.problems] == [TooMuchTime]
    with pytest.raises(TooMuchTime, match="EGIDE_MAX_SECONDS"):
        decode(data, Limits(seconds=0.5))


def test_a_tile_far_larger_than_its_picture_is_refused() -> None:
    short, long = 3, 4
    at = 8 + 2 + 12 * 10 + 4
    tags = [
        (256, short, 1, 8), (257, short, 1, 8), (258, short, 1, 8), (259, short, 1, 32773),
        (262, short, 1, 1), (277, short, 1, 1), (322, long, 1, 60_000), (323, long, 1, 60_000),
        (324, long, 1, at), (325, long, 1, 16),
    ]  # fmt: skip
    with pytest.raises(TooManyPixels, match="60000×60000"):
        decode(pictures.tiff_of(tags, bytes(16)))


@pytest.mark.parametrize("count", [0xFFFF_FFFF, 0x1000_0000])
@pytest.mark.parametrize("tag", [258, 273, 279, 320, 700, 34665, 34675])
def test_tags_of_absurd_length_are_survived(tag: int, count: int) -> None:
    data = bytearray(pictures.tiff_loop())
    entry = data.find(struct.pack("<H", tag), 10)
    at = entry if entry >= 0 else 10 + 12 * 7
    data[at : at + 12] = struct.pack("<HHII", tag, 4, count, 60)
    with contextlib.suppress(ItemError):
        decode(bytes(data))


def test_directories_in_a_loop_end() -> None:
    picture = decode(pictures.tiff_loop())
    assert len(picture.frames) == 1


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "png": (pictures.png_bomb, "TooManyPixels"),
    "png-at-the-limit": (lambda: pictures.png_bomb(9000), "1 frames"),
    "png-text": (pictures.png_text_bomb, "1 frames CorruptItem"),
    "gif-frames": (pictures.gif_bomb, "1 frames TooManyFrames"),
    "gif-screen": (lambda: pictures.with_bytes("GIF", 6, b"\xff\xff\xff\xff"), "TooManyPixels"),
    "gif-frame": (pictures.gif_of_huge_frame, "1 frames TooManyPixels"),
    "jpeg-scans": (lambda: pictures.jpeg_of_scans(10_000), "TooManyScans"),
    "jpeg-size": (lambda: pictures.jpeg_of_size(65_500, 65_500), "TooManyPixels"),
    "jpeg-at-the-limit": (lambda: pictures.jpeg_of_size(14_000, 14_000), "1 frames CorruptItem"),
    "webp-size": (lambda: pictures.webp_of_canvas(16_384, 16_384), "TooManyPixels"),
    "webp-small-lie": (lambda: pictures.webp_of_canvas(9_000, 9_000), "an error"),
    "avif-size": (lambda: pictures.avif_of_size(60_000, 60_000), "an error"),
    "tiff-size": (lambda: pictures.tiff_of_size(50_000, 50_000), "TooManyPixels"),
    "tiff-loop": (pictures.tiff_loop, "1 frames"),
    "bmp-size": (lambda: pictures.with_bytes("BMP", 18, b"\0\0\1\0\0\0\1\0"), "TooManyPixels"),
}

_CONFINED = """
import resource, sys, time
from egide.errors import ItemError
from egide.media import decode
import PIL.Image, simplejpeg
data = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.monotonic()
try:
    picture = decode(data)
    print(len(picture.frames), "frames", *(type(p).__name__ for p in picture.problems))
except ItemError as error:
    print(type(error).__name__)
print(time.monotonic() - began)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_cheap(name: str) -> None:
    make, expected = BOMBS[name]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _CONFINED],
        input=make(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    outcome, seconds, megabytes = done.stdout.decode().splitlines()
    if expected == "an error":
        assert outcome.split()[-1] in {"CorruptItem", "TruncatedItem", "TooManyPixels"}
    else:
        assert outcome == expected
    assert float(seconds) < 5
    assert int(megabytes) < 700


def test_a_damaged_tiff_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(pictures.encode(SMOOTH, "TIFF", compression="tiff_lzw"))
    data[300:400] = b"\xff" * 100
    with contextlib.suppress(ItemError):
        decode(bytes(data))
    assert capfd.readouterr() == ("", "")


def test_reasons_are_one_line_without_addresses() -> None:
    error = OSError("cannot read <_io.BytesIO object at 0x7f1234>\n\x1b[31m at 0xdeadbeef")
    assert reason(error) == "cannot read data [31m"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 5000))) <= 120
    assert isinstance(explain(MemoryError(), "PNG", kept=False), TooManyPixels)
    assert isinstance(explain(EOFError(), "PNG", kept=False), TruncatedItem)
    assert isinstance(explain(ZeroDivisionError(), "PNG", kept=False), CorruptItem)


def _crowded_gif(blocks: int) -> bytes:
    data = pictures.encode(SMOOTH, "GIF")
    at = data.index(b"\x2c\0\0\0\0")
    return data[:at] + b"!\xfe" + b"\1x" * blocks + b"\0" + data[at:]


def _crowded_tiff(fields: int, values: int, kind: int = 4) -> bytes:
    tags = [((40_000 + n) % 65_536, kind, values, 8) for n in range(fields)]
    return pictures.tiff_of(tags, bytes(4 * values))


CROWDS: dict[str, Callable[[], bytes]] = {
    "png-chunks": lambda: pictures.png_of(1, 1, 1, 0, pictures.png_chunk(b"tEXt", b"") * 3_000_000),
    "gif-blocks": lambda: _crowded_gif(20_000_000),
    "tiff-fields": lambda: _crowded_tiff(60_000, 100),
    "tiff-values": lambda: _crowded_tiff(1, 8_000_000),
    "tiff-one-list-in-many-fields": lambda: _crowded_tiff(4000, 1_000_000, 7),
}


@pytest.mark.parametrize("name", CROWDS)
def test_files_made_of_tiny_parts_are_refused_soon(name: str) -> None:
    data = CROWDS[name]()
    began = time.monotonic()
    with pytest.raises(CorruptItem, match="far more parts"):
        decode(data)
    assert time.monotonic() - began < 2


def test_a_long_comment_is_no_crowd() -> None:
    data = pictures.encode(SMOOTH, "GIF")
    at = data.index(b"\x2c\0\0\0\0")
    comment = b"!\xfe" + (b"\xff" + b"x" * 255) * 2000 + b"\0"
    assert decode(data[:at] + comment + data[at:]).problems == ()
