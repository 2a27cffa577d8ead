"""The kind comes from the content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.sniff import HEAD_BYTES, Format, Kind, sniff_kind, sniff_picture
from tests import pictures

PICTURE = pictures.smooth_noise(64, 48)


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
def test_pictures_are_known_by_their_first_bytes(encoder: str, format_: Format) -> None:
    data = pictures.encode(PICTURE, encoder)
    assert sniff_picture(data[:HEAD_BYTES]) is format_
    assert sniff_kind(data[:HEAD_BYTES]) is Kind.IMAGE


def test_a_bitmap_whose_reserved_bytes_are_set_is_a_picture_still() -> None:
    # Viewers ignore these four bytes: they must not hide a picture from us.
    data = bytearray(pictures.encode(PICTURE, "BMP"))
    data[6:10] = b"hide"
    assert sniff_kind(bytes(data)) is Kind.IMAGE


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"\x1a\x45\xdf\xa3\x01\0\0\0",
        b"RIFF\x24\0\0\0AVI LIST",
        b"\0\0\x01\xba\x44\0",
        b"FLV\x01\x05\0\0\0\x09",
        b"\0\0\x01\xb3\x14\0\xf0\x13",
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\0" * 14,
        b"OggS\0\x02" + b"\0" * 22 + b"\x80theora\x03\x02\x01",
        (b"\x47\x40\0\x10\0" + b"\xff" * 183) * 3,
        (b"\0\0\0\x01\x47\x40\0\x10" + b"\xff" * 184) * 3,
    ],
)
def test_videos_are_known_by_their_first_bytes(head: bytes) -> None:
    assert sniff_kind(head) is Kind.VIDEO


@pytest.mark.parametrize(
    "text",
    ["plain\n", "tab\there\r\n", "naïve – 日本語 🎨", "\ufeffwith a mark", '{"json": 1}', "<svg/>"],
)
def test_text_is_text(text: str) -> None:
    assert sniff_kind(text.encode()) is Kind.TEXT


@pytest.mark.parametrize("filler", ["é", "日", "🎨", "日x", "x🎨"])
@pytest.mark.parametrize("shift", range(4))
def test_text_whose_head_ends_within_a_character_is_text(filler: str, shift: int) -> None:
    data = b"x" * shift + filler.encode() * HEAD_BYTES
    assert sniff_kind(data[:HEAD_BYTES]) is Kind.TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"caf\xe9",
        b"escape \x1b[31m",
        "naïve".encode("utf-16"),
        b"PK\x03\x04\x14\0\0\0",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        b"OggS\0\x02" + b"\0" * 22 + b"\x01vorbis\0\0\0",
        b"short, cut within a character \xf0\x9f",
    ],
)
def test_what_is_neither_is_other(data: bytes) -> None:
    assert sniff_kind(data) is Kind.OTHER


def test_a_word_that_begins_like_a_bitmap_is_text() -> None:
    assert sniff_kind(b"BMW and other makers of cars") is Kind.TEXT


def test_text_with_a_letter_where_transport_packets_begin_is_text() -> None:
    assert sniff_kind((b"G" + b" " * 187) * 4) is Kind.TEXT


@given(st.integers(0, 80), st.lists(st.sampled_from([b"heic", b"mif1", b"\0\0\0\0", b"mp42"])))
def test_a_brand_names_the_codec_wherever_it_stands(size: int, brands: list[bytes]) -> None:
    head = b"".join([size.to_bytes(4, "big"), b"ftypmif1\0\0\0\0avif", *brands])
    assert sniff_picture(head) is (Format.AVIF if size >= 20 else Format.HEIC)


@given(st.binary(max_size=HEAD_BYTES))
def test_sniffing_never_fails(head: bytes) -> None:
    assert sniff_kind(head) in Kind
