"""Every format and pixel mode comes out as what a viewer shows."""

from __future__ import annotations

import io
import sys
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from egide.errors import (
    EmptyItem,
    ItemError,
    MissingCodec,
    TooManyBytes,
    TooManyPixels,
    UnknownContent,
    UsageError,
)
from egide.media import Format, Frame, Limits, decode, sniff_picture
from tests import pictures

SMOOTH = pictures.smooth_noise()
LUMA = pictures.luma(SMOOTH).astype(int)


def _off(frame: Frame, expected: Any = LUMA) -> float:
    assert frame.luma.shape == expected.shape
    return float(np.abs(frame.luma.astype(int) - expected).mean())


@pytest.mark.parametrize(
    ("encoder", "mode", "options", "most_off"),
    [
        ("JPEG", "RGB", {}, 1.0),
        ("JPEG", "L", {}, 1.0),
        ("JPEG", "RGB", {"progressive": True}, 1.0),
        ("JPEG", "RGB", {"keep_rgb": True}, 1.0),
        ("JPEG", "CMYK", {}, 1.0),
        ("PNG", "RGB", {}, 0),
        ("PNG", "RGBA", {}, 0),
        ("PNG", "L", {}, 0),
        ("PNG", "LA", {}, 0),
        ("WEBP", "RGB", {}, 2.0),
        ("WEBP", "RGBA", {"lossless": True}, 0),
        ("AVIF", "RGB", {}, 1.0),
        ("HEIF", "RGB", {}, 1.0),
        ("HEIF", "RGBA", {}, 1.0),
        ("HEIF", "L", {}, 1.0),
        ("BMP", "RGB", {}, 0),
        ("BMP", "L", {}, 0),
        ("BMP", "RGBA", {}, 0),
        ("TIFF", "RGB", {}, 0),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}, 0),
        ("TIFF", "RGB", {"compression": "jpeg"}, 1.0),
        ("TIFF", "RGBA", {}, 0),
        ("TIFF", "CMYK", {}, 1.0),
        ("TIFF", "YCbCr", {}, 1.5),
        ("TIFF", "L", {}, 0),
    ],
)
def test_each_format_and_mode_gives_the_pictures_luma(
    encoder: str, mode: str, options: dict[str, Any], most_off: float
) -> None:
    picture = decode(pictures.encode(SMOOTH, encoder, mode, **options))
    assert picture.problems == ()
    assert picture.notes == ()
    (frame,) = picture.frames
    assert (frame.width, frame.height, frame.index) == (400, 300, 0)
    assert _off(frame) <= most_off


@pytest.mark.parametrize("encoder", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["P", "1"])
def test_palette_and_one_bit_pictures_show_their_colours(encoder: str, mode: str) -> None:
    picture = Image.fromarray(SMOOTH).convert(mode)
    (frame,) = decode(pictures.encode(picture, encoder)).frames
    assert _off(frame, np.asarray(picture.convert("RGB").convert("L")).astype(int)) == 0


@pytest.mark.parametrize("encoder", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_high_byte(encoder: str) -> None:
    deep = (LUMA * 256 + 77).astype(np.uint16)
    (frame,) = decode(pictures.encode(deep, encoder)).frames
    assert _off(frame) == 0


def test_sixteen_bit_big_endian_tiff_is_read() -> None:
    deep = Image.frombytes("I;16B", (400, 300), (LUMA * 256).astype(">u2").tobytes())
    assert _off(decode(pictures.encode(deep, "TIFF")).frames[0]) == 0


def test_sixteen_bit_rgb_png_keeps_its_high_bytes() -> None:
    import zlib

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in SMOOTH.astype(int) * 257)
    data = pictures.png_of(
        400,
        300,
        16,
        2,
        pictures.png_chunk(b"IDAT", zlib.compress(rows)),
        pictures.png_chunk(b"IEND", b""),
    )
    assert np.array_equal(decode(data).frames[0].pixels, SMOOTH)


@pytest.mark.parametrize("scale", [1 / 255, 1.0, 10.0])
def test_float_tiff_is_scaled_to_its_range(scale: float) -> None:
    values = (LUMA * scale).astype(np.float32)
    values[0, :2] = 0, 255 * scale
    values[1, 1] = np.nan
    (frame,) = decode(pictures.encode(values, "TIFF")).frames
    assert _off(frame) < 0.1


@pytest.mark.parametrize("factor", [1, 256, 1 << 23])
def test_thirty_two_bit_tiff_is_scaled_to_its_range(factor: int) -> None:
    values = LUMA.astype(np.int32) * factor
    values[0, 0] = 255 * factor
    (frame,) = decode(pictures.encode(values, "TIFF")).frames
    assert _off(frame) < 0.1


def test_lab_tiff_is_converted() -> None:
    from PIL import ImageCms

    lab = ImageCms.profileToProfile(
        Image.fromarray(SMOOTH),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    assert _off(decode(pictures.encode(lab, "TIFF")).frames[0]) < 1.5


@pytest.mark.parametrize(
    ("encoder", "mode"),
    [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA"), ("AVIF", "RGBA")],
)
def test_transparency_is_shown_over_white(encoder: str, mode: str) -> None:
    picture = Image.fromarray(SMOOTH).convert(mode)
    alpha = Image.fromarray(pictures.gradient()).convert("L")
    picture.putalpha(alpha)
    options: dict[str, Any] = {"lossless": True, "exact": True} if encoder == "WEBP" else {}
    (frame,) = decode(pictures.encode(picture, encoder, **options)).frames
    opacity = np.asarray(alpha) / 255
    assert _off(frame, LUMA * opacity + 255 * (1 - opacity)) < 1.5


@pytest.mark.parametrize("encoder", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(encoder: str) -> None:
    picture = Image.new("P", (60, 40), 0)
    picture.putpalette([0, 0, 0, 90, 90, 90])
    picture.paste(1, (0, 0, 30, 40))
    (frame,) = decode(pictures.encode(picture, encoder, transparency=0)).frames
    assert set(frame.luma[:, :30].flat) == {90}
    assert set(frame.luma[:, 30:].flat) == {255}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_orientation_is_applied_exactly_once(encoder: str, orientation: int) -> None:
    stored = Image.fromarray(pictures.corners())
    data = pictures.encode(stored, encoder, exif=pictures.exif(orientation))
    stored.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(stored).convert("L")).astype(int)
    (frame,) = decode(data).frames
    assert (frame.height, frame.width) == shown.shape
    assert frame.pixels.flags.c_contiguous
    assert _off(frame, shown) < 0.1


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"II*\0"])
def test_broken_exif_is_no_orientation(encoder: str, block: bytes) -> None:
    data = pictures.encode(pictures.corners(), encoder, exif=block)
    assert decode(data).frames[0].pixels.shape[:2] == (240, 320)


@pytest.mark.parametrize("encoder", ["GIF", "PNG", "WEBP", "TIFF"])
def test_frames_with_the_same_pixels_are_given_once(encoder: str) -> None:
    shown = [pictures.smooth_noise(80, 60, seed) for seed in (0, 1, 1, 0, 2)]
    options = {"lossless": True} if encoder == "WEBP" else {}
    frames = decode(pictures.animation(encoder, shown, **options)).frames
    assert len(frames) == 3
    assert [frame.index for frame in frames] == sorted(frame.index for frame in frames)
    for frame, seed in zip(frames, (0, 1, 2), strict=True):
        expected = pictures.luma(pictures.smooth_noise(80, 60, seed)).astype(int)
        assert _off(frame, expected) < (12 if encoder == "GIF" else 0.01)


def test_animated_avif_gives_its_frames() -> None:
    shown = [pictures.smooth_noise(80, 60, seed) for seed in range(3)]
    assert len(decode(pictures.animation("AVIF", shown)).frames) == 3


def test_pages_of_a_tiff_keep_their_own_sizes() -> None:
    pages = [pictures.smooth_noise(80, 60), pictures.smooth_noise(50, 70, 1)]
    frames = decode(pictures.animation("TIFF", pages)).frames
    assert [(frame.width, frame.height) for frame in frames] == [(80, 60), (50, 70)]


def test_a_heic_of_several_pictures_gives_all() -> None:
    import pillow_heif

    file: Any = pillow_heif.from_bytes("RGB", (128, 96), SMOOTH[:96, :128].tobytes())
    for seed in (1, 1):
        pixels = pictures.smooth_noise(128, 96, seed)
        file.add_frombytes("RGB", (128, 96), pixels.tobytes())
    out = io.BytesIO()
    file.save(out, quality=-1)
    assert len(decode(out.getvalue()).frames) == 2


def test_large_colour_pictures_and_long_animations_are_kept_as_luma() -> None:
    large = decode(pictures.encode(pictures.smooth_noise(2100, 2000), "PNG")).frames[0]
    assert large.pixels.shape == (2000, 2100)
    reference = pictures.luma(pictures.smooth_noise(2100, 2000)).astype(int)
    assert _off(large, reference) == 0


def test_heic_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.encode(SMOOTH, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingCodec, match=r"pip install 'egide\[heic\]'"):
        decode(data)


@pytest.mark.parametrize(
    ("encoder", "format_"),
    [
        ("JPEG", Format.JPEG),
        ("PNG", Format.PNG),
        ("WEBP", Format.WEBP),
        ("AVIF", Format.AVIF),
        ("HEIF", Format.HEIC),
        ("GIF", Format.GIF),
        ("BMP", Format.BMP),
        ("TIFF", Format.TIFF),
    ],
)
def test_the_format_is_told_by_the_first_64_bytes(encoder: str, format_: Format) -> None:
    data = pictures.encode(SMOOTH, encoder)
    assert sniff_picture(data[:64]) is format_
    assert decode(data).format is format_


@pytest.mark.parametrize("head", [b"", b"\xff", b"BM", b"RIFF1234WAVE", b"%PDF-1.7", b"PK\x03\x04"])
def test_other_content_is_no_picture(head: bytes) -> None:
    assert sniff_picture(head) is None


def test_nothing_and_the_unknown_have_their_own_errors() -> None:
    with pytest.raises(EmptyItem):
        decode(b"")
    with pytest.raises(UnknownContent):
        decode(b"only text")
    with pytest.raises(TooManyBytes, match="EGIDE_MAX_BYTES"):
        decode(pictures.encode(SMOOTH), Limits(bytes=100))


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF"])
def test_the_limit_of_pixels_holds_for_every_format(encoder: str) -> None:
    data = pictures.encode(SMOOTH, encoder)
    assert decode(data, Limits(pixels=120_000)).problems == ()
    with pytest.raises(TooManyPixels, match="400×300"):
        decode(data, Limits(pixels=119_999))


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("EGIDE_MAX_BYTES", "1000", "bytes", 1000),
        ("EGIDE_MAX_PIXELS", "5", "pixels", 5),
        ("EGIDE_MAX_FRAMES", " 7 ", "frames", 7),
        ("EGIDE_MAX_SECONDS", "0.5", "seconds", 0.5),
        ("EGIDE_MAX_SCANS", "9", "scans", 9),
        ("EGIDE_MAX_FRAMES", "", "frames", Limits().frames),
    ],
)
def test_limits_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: float
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(Limits.from_environment(), field) == expected


@pytest.mark.parametrize("value", ["0", "-1", "many", "inf", "nan", "1.5.2"])
@pytest.mark.parametrize("variable", ["EGIDE_MAX_BYTES", "EGIDE_MAX_SECONDS"])
def test_a_wrong_limit_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=variable):
        Limits.from_environment()


def test_luma_of_colour_is_what_pillow_gives() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frame = Frame(colours, 64, 64)
    assert np.array_equal(frame.luma, pictures.luma(colours))
    assert frame.luma is frame.luma


def test_threads_decode_at_once_and_alike() -> None:
    files = [
        pictures.encode(pictures.smooth_noise(200, 150, seed), encoder)
        for seed, encoder in enumerate(["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"])
    ]
    expected = [decode(data).frames[0].luma for data in files]
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            for data, luma in zip(files, expected, strict=True):
                if not np.array_equal(decode(data).frames[0].luma, luma):
                    wrong.append(sniff_picture(data[:64]) or "?")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_warnings_of_the_host_program_are_left_alone() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        decode(pictures.encode(SMOOTH, "PNG"))
        warnings.warn("ours", stacklevel=1)
    assert [str(warning.message) for warning in seen] == ["ours"]


def test_libraries_are_loaded_only_when_a_file_needs_them() -> None:
    import subprocess

    code = (
        "import sys; from egide.media import decode; early = set(sys.modules);"
        "decode(sys.stdin.buffer.read());"
        "print(*({'PIL', 'simplejpeg', 'pillow_heif'} & early), '|',"
        "*({'PIL', 'simplejpeg', 'pillow_heif'} & set(sys.modules)))"
    )
    data = pictures.encode(SMOOTH)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.split() == [b"|", b"simplejpeg"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0+", b""]),
    st.binary(max_size=300),
)
def test_any_bytes_give_a_picture_or_an_item_error(head: bytes, rest: bytes) -> None:
    try:
        picture = decode(head + rest, Limits(pixels=1_000_000))
    except ItemError:
        return
    assert picture.frames
