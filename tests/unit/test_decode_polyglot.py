"""A second file in a picture's bytes is reported; what phones write behind a picture is not."""

from __future__ import annotations

import io
import os
import struct
import zipfile

import pytest

from egide.errors import PolyglotItem
from egide.media import Picture, decode
from egide.media.polyglot import MOTION_PHOTO
from tests import pictures
from tests.growth import within

ENCODERS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP"]
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0\0\x20\0mdat" + bytes(range(1, 200)) * 40


def _archive(comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "neutral " * 50)
        archive.comment = comment
    return out.getvalue()


PE = b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + bytes(200)
SECONDS = {
    "a ZIP archive": _archive(),
    "a RAR archive": b"Rar!\x1a\x07\x01\0" + os.urandom(300),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4" + os.urandom(300),
    "an ELF program": b"\x7fELF\2\1\1" + bytes(9) + os.urandom(300),
    "a Windows program": PE,
    "a PDF document": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "an HTML page or script": b"<html><body>hello</body></html>",
}


def _polyglots(picture: Picture) -> list[str]:
    assert picture.frames
    assert all(isinstance(problem, PolyglotItem) for problem in picture.problems)
    return [str(problem) for problem in picture.problems]


@pytest.mark.parametrize("what", SECONDS)
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("padding", [b"", bytes(200), b"\r\n"])
def test_a_file_behind_the_picture_is_named_with_its_place(
    encoder: str, what: str, padding: bytes
) -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48), encoder)
    (problem,) = _polyglots(decode(data + padding + SECONDS[what]))
    assert f"{what} begins at byte {len(data) + len(padding)}" in problem


@pytest.mark.parametrize("second", [*ENCODERS, "TIFF"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_second_picture_is_named_with_its_place(encoder: str, second: str) -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48), encoder)
    other = pictures.encode(pictures.smooth_noise(32, 24, 1), second)
    (problem,) = _polyglots(decode(data + other))
    assert f"a second picture begins at byte {len(data)}" in problem


@pytest.mark.parametrize("encoder", [*ENCODERS, "TIFF"])
def test_a_zip_is_found_by_its_end_whatever_stands_between(encoder: str) -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48), encoder)
    for archive in (_archive(), _archive(b"a comment\xff\xd9")):
        (problem,) = _polyglots(decode(data + b"some text" * 20_000 + archive))
        assert "a ZIP archive" in problem


@pytest.mark.parametrize(
    ("script", "what"),
    [
        (b"<script>alert(1)</script>", "an HTML page or script"),
        (b"<?php echo 1; ?>", "a PHP script"),
        (b"%PDF-1.4\n", "a PDF document"),
    ],
)
@pytest.mark.parametrize("encoder", ["JPEG", "PNG"])
def test_a_script_in_a_comment_is_reported(encoder: str, script: bytes, what: str) -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48), encoder)
    if encoder == "JPEG":
        comment = b"\xff\xfe" + struct.pack(">H", len(script) + 2) + script
        data, at = data[:2] + comment + data[2:], 6
    else:
        data, at = data[:33] + pictures.png_chunk(b"tEXt", b"a\0" + script) + data[33:], 43
    (problem,) = _polyglots(decode(data))
    assert f"{what} begins at byte {at}" in problem


def test_a_gif_that_is_javascript_is_reported() -> None:
    data = bytearray(pictures.encode(pictures.smooth_noise(64, 48), "GIF"))
    data[6:8] = b"/*"
    (problem,) = _polyglots(decode(bytes(data)))
    assert "JavaScript" in problem


@pytest.mark.parametrize("encoder", [*ENCODERS, "TIFF"])
@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        bytes(5000),
        b"\r\n",
        b"plain data of a camera" * 100,
        bytes(range(32)) * 500 + b"PK\x05\x06 is no archive",
    ],
)
def test_plain_trailers_are_no_second_file(encoder: str, trailer: bytes) -> None:
    picture = decode(pictures.encode(pictures.smooth_noise(64, 48), encoder) + trailer)
    assert picture.problems == ()
    assert picture.notes == ()


def test_a_second_picture_that_the_index_announces_is_legitimate() -> None:
    data = pictures.jpeg_with_second()
    assert decode(data).problems == ()
    assert decode(data + bytes(100)).problems == ()
    third = pictures.encode(pictures.smooth_noise(16, 16, 2))
    (problem,) = _polyglots(decode(data + third))
    assert f"byte {len(data)};" in problem


def test_a_picture_between_announced_ones_is_reported() -> None:
    first = pictures.encode(pictures.smooth_noise(64, 48))
    hidden = pictures.encode(pictures.smooth_noise(24, 24, 2))
    second = pictures.encode(pictures.smooth_noise(32, 24, 1))
    size = len(first) + len(pictures.mpf_index([0, 0], [0, 0]))
    index = pictures.mpf_index([size, len(second)], [0, size + len(hidden) - 10])
    (problem,) = _polyglots(decode(first[:2] + index + first[2:] + hidden + second))
    assert f"byte {size};" in problem


@pytest.mark.parametrize("encoder", ["JPEG", "HEIF"])
def test_the_video_of_a_motion_photo_is_noted(encoder: str) -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48), encoder)
    if encoder == "HEIF":
        data += struct.pack(">I", len(VIDEO) + 8) + b"mpvd" + VIDEO
    else:
        data += VIDEO
    picture = decode(data)
    assert picture.problems == ()
    assert picture.notes == (MOTION_PHOTO,)


def test_the_video_behind_an_announced_gain_map_is_noted() -> None:
    picture = decode(pictures.jpeg_with_second() + VIDEO)
    assert picture.problems == ()
    assert picture.notes == (MOTION_PHOTO,)


def test_samsungs_trailer_is_left_in_peace() -> None:
    data = pictures.encode(pictures.smooth_noise(64, 48))
    preview = pictures.encode(pictures.smooth_noise(16, 16, 1))
    names = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1700000000000"
    plain = data + names + preview + b"SEFH" + bytes(24) + b"SEFT"
    assert decode(plain).problems == ()
    assert decode(plain).notes == ()
    moving = data + names + b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + VIDEO + b"SEFH" + b"SEFT"
    assert decode(moving).problems == ()
    assert decode(moving).notes == (MOTION_PHOTO,)


@pytest.mark.parametrize("size", [10, 1_000, 400_000])
def test_a_second_jpeg_is_found_behind_a_large_first_one(size: int) -> None:
    first = pictures.encode(pictures.noise(1500, 1200), quality=95)
    assert len(first) > 900_000
    side = max(16, int(size**0.5))
    second = pictures.encode(pictures.smooth_noise(side, side, 1))
    (problem,) = _polyglots(decode(first + second))
    assert f"byte {len(first)};" in problem


def test_looking_beyond_a_large_jpeg_costs_next_to_nothing() -> None:
    from egide.media.extent import Extent
    from egide.media.picture import Gathering, Limits
    from egide.media.polyglot import look_beyond
    from egide.sniff import Format

    data = pictures.encode(pictures.noise(1500, 1200), quality=95)
    scan = data.index(b"\xff\xda")
    data = data[:-2] + data[scan + 14 : -2] * 4 + b"\xff\xd9"
    found = Gathering(Limits())
    found.scan = scan
    for _ in range(4):
        look_beyond(data, Format.JPEG, Extent(), found)
    within(0.001, lambda: look_beyond(data, Format.JPEG, Extent(), found))  # 0.2 ms when idle
    assert found.problems == []
