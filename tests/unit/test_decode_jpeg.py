"""JPEG: straight to small luma, and every odd kind of it."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import simplejpeg  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import (
    CorruptItem,
    ItemError,
    TooManyPixels,
    TooManyScans,
    TruncatedItem,
    UnknownContent,
)
from egide.media import Least, Limits, decode
from egide.media.exif import orientation_of
from egide.media.extent import jpeg_end
from egide.media.jpeg import read_header, scale_for
from egide.media.mpf import announced_pictures
from tests import pictures

# 48×32 grey, smooth_noise(48, 32), written by `cjpeg -arithmetic -grayscale` of libjpeg-turbo.
ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIs"
    "IxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/yQALCAAgADABAREA/8wABgAQEAX/2gAIAQEAAD8A0LJdoQB+3EuWHRGv"
    "LwmhrFw27Ro4fDqZ0rrgILHdrD6YIOuD9fqSrfZwru0vb/pvH2DzPLNiLe4K2Ih9lLfpriLA6YRKGDckJN34/EeD"
    "Ts+0w79V3VoFz92Or/2olpo0e3ev1+UmEP1/bNO1F4sa1m9onJT5SmUAnwYAniJ242cNRCLImR8tYDtR18QZU6NB"
    "OJPyEg66ivw+wUvivzNQ90mMXH93c13tURV6Se/+cWX72BQojk4kdkW77Tow3YiLzfO2vonCa1Y0sjEU8Rua6+K1"
    "Bwos3uqws3IgGVpFXkciTZYUuN5TBvsXKsDahhlo6vXo0NNClSKs1jDwwmyx/k4P47MJGhy2o0fVu7kb8oT27kXc"
    "f1uikURAxVXhjtMOjuptLP/Z"
)


def _changed(data: bytes, marker: int, offset: int, value: int) -> bytes:
    """The file with one byte of its first segment of this kind changed."""
    at = data.index(bytes([0xFF, marker])) + 4 + offset
    return data[:at] + bytes([value]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("width", "height", "min_side", "scale"),
    [
        (4000, 3000, 256, 8),
        (2048, 2049, 256, 8),
        (2041, 3000, 256, 8),
        (2040, 3000, 256, 4),
        (1600, 1200, 256, 4),
        (512, 512, 256, 2),
        (500, 500, 256, 1),
        (300, 5000, 256, 1),
        (1600, 1200, 64, 8),
        (1600, 1200, 601, 1),
        (9, 9, 1, 8),
        (1, 1, 1, 8),
    ],
)
def test_the_scale_is_the_strongest_power_of_two_that_keeps_the_smaller_side(
    width: int, height: int, min_side: int, scale: int
) -> None:
    assert scale_for(width, height, Least(min_side)) == scale
    data = pictures.encode(pictures.smooth_noise(width, height))
    (frame,) = decode(data, least=Least(min_side)).frames
    assert frame.pixels.shape == (-(-height // scale), -(-width // scale))
    assert (frame.width, frame.height) == (width, height)
    assert frame.pixels.flags.c_contiguous


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_reduced_luma_is_the_mean_of_the_full_luma(mode: str, subsampling: int, scale: int) -> None:
    pixels = pictures.smooth_noise(800, 640)
    options = {} if mode == "L" else {"subsampling": subsampling}
    data = pictures.encode(pixels, "JPEG", mode, quality=92, **options)
    small = decode(data, least=Least(640 // scale)).frames[0].pixels
    blocks = pictures.luma(pixels).reshape(640 // scale, scale, 800 // scale, scale)
    assert small.shape == blocks.shape[::2]
    assert np.abs(small - blocks.mean(axis=(1, 3))).mean() < 3


@pytest.mark.parametrize("sampling", ["444", "422", "420", "440", "411"])
def test_every_usual_sampling_is_read(sampling: str) -> None:
    pixels = pictures.smooth_noise()
    data = simplejpeg.encode_jpeg(pixels, quality=95, colorsubsampling=sampling)
    luma = decode(data).frames[0].luma
    assert np.abs(luma.astype(int) - pictures.luma(pixels)).mean() < 1


def test_unusual_sampling_goes_through_pillow() -> None:
    data = pictures.encode(pictures.smooth_noise(512, 512), "JPEG", subsampling=0)
    odd = _changed(data, 0xC0, 13, 0x33)  # three blocks of blue difference for one of luma
    try:
        problems: tuple[ItemError, ...] = decode(odd).problems
    except ItemError as error:
        problems = (error,)
    assert problems


def test_arithmetic_coding_is_read() -> None:
    picture = decode(ARITHMETIC)
    expected = pictures.luma(pictures.smooth_noise(48, 32)).astype(int)
    assert picture.problems == ()
    assert np.abs(picture.frames[0].pixels - expected).mean() < 3


def test_inverted_adobe_cmyk_is_not_a_negative() -> None:
    data = pictures.encode(pictures.gradient(), "JPEG", "CMYK")
    assert b"Adobe" in data[:200]
    luma = decode(data).frames[0].luma
    assert luma[:, 0].max() < 10
    assert luma[:, -1].min() > 245


def test_twelve_bit_and_hierarchical_jpeg_are_named() -> None:
    data = pictures.encode(pictures.smooth_noise())
    with pytest.raises(UnknownContent, match="12-bit JPEG"):
        decode(_changed(data, 0xC0, 0, 12))
    with pytest.raises(UnknownContent, match="hierarchical"):
        decode(data.replace(b"\xff\xc0", b"\xff\xc5", 1))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_readable_part_of_a_truncated_file_is_kept(mode: str, progressive: bool) -> None:
    pixels = pictures.smooth_noise(800, 600)
    data = pictures.encode(pixels, "JPEG", mode, progressive=progressive)
    picture = decode(data[: len(data) * 2 // 3], least=Least(150))
    assert [type(problem) for problem in picture.problems] == [TruncatedItem]
    if not progressive:
        top = picture.frames[0].pixels[:50]
        whole = decode(data, least=Least(150)).frames[0].pixels[:50]
        assert np.array_equal(top, whole)


def test_damage_in_the_middle_is_reported_and_the_rest_kept() -> None:
    data = pictures.encode(pictures.smooth_noise(800, 600))
    half = len(data) // 2
    picture = decode(data[:half] + bytes(40) + data[half + 40 :])
    assert [type(problem) for problem in picture.problems] == [CorruptItem]
    assert len(picture.frames) == 1


@pytest.mark.parametrize("cut", [3, 30, 200, 640])
def test_a_file_cut_before_its_pixels_is_an_error(cut: int) -> None:
    data = pictures.encode(pictures.smooth_noise())
    cut = min(cut, data.index(b"\xff\xda") + 16)
    with pytest.raises(TruncatedItem):
        decode(data[:cut])


def test_harmless_parameters_of_a_scan_are_no_problem() -> None:
    data = pictures.encode(pictures.smooth_noise())
    picture = decode(_changed(data, 0xDA, 8, 0))  # end of the spectrum: 0, as some cameras write
    assert picture.problems == ()


def test_too_many_scans_are_refused_before_decoding() -> None:
    with pytest.raises(TooManyScans):
        decode(pictures.jpeg_of_scans(200))
    assert decode(pictures.jpeg_of_scans(80)).frames
    with pytest.raises(TooManyScans):
        decode(pictures.jpeg_of_scans(1), Limits(scans=3))


def test_scan_markers_outside_of_the_picture_are_not_counted() -> None:
    data = pictures.encode(pictures.smooth_noise(), "JPEG", progressive=True)
    comment = b"\xff\xfe" + (602).to_bytes(2, "big") + b"\xff\xda" * 300
    assert decode(data[:2] + comment + data[2:]).problems == ()
    assert decode(data + b"\xff\xda\0\4" * 300).frames


def test_pixels_times_scans_is_bounded() -> None:
    data = pictures.encode(pictures.smooth_noise(64, 64), "JPEG", progressive=True)
    huge = _changed(_changed(data, 0xC2, 1, 0x30), 0xC2, 3, 0x30)  # 12352 × 12352
    with pytest.raises((TooManyScans, TooManyPixels)):
        decode(huge)


@given(st.binary(max_size=200), st.sampled_from([b"", b"Exif\0\0"]))
def test_any_exif_gives_an_orientation(block: bytes, prefix: bytes) -> None:
    for order in (b"", b"II*\0", b"MM\0*"):
        assert 1 <= orientation_of(prefix + order + block) <= 8


@given(st.binary(max_size=400))
def test_any_index_of_pictures_is_survived(index: bytes) -> None:
    data = b"\xff\xd8MPF\0II*\0\x08\0\0\0" + index
    assert all(start + size <= len(data) for start, size in announced_pictures(data, len(data)))


@given(st.binary(max_size=400))
def test_any_header_is_read_or_refused(rest: bytes) -> None:
    try:
        header = read_header(b"\xff\xd8\xff" + rest)
    except (CorruptItem, TruncatedItem):
        return
    assert header.width > 0
    assert header.samples > 0


@pytest.mark.parametrize("size", [10, 131_071, 131_072, 131_073, 700_000, 900_000])
@pytest.mark.parametrize("thorough", [True, False])
def test_the_end_of_a_jpeg_is_found_wherever_it_lies(size: int, thorough: bool) -> None:
    body = b"\0" * size + b"\xff\xd9"
    assert jpeg_end(body, 0, thorough=thorough) == size + 2
    assert jpeg_end(body + b"\0" * 50, 0, thorough=thorough) == size + 2
    assert jpeg_end(b"\0" * size, 0, thorough=thorough) is None
