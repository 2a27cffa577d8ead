"""Metadata in pictures: where each container keeps it, and what damage leaves of it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from egide.errors import (
    CorruptItem,
    EmptyItem,
    ItemError,
    LimitExceeded,
    TooManyBytes,
    TruncatedItem,
    UnreadableItem,
)
from egide.item import Item
from egide.provenance.carriers import READERS, Carried, Limits, carrier_of, read_blocks
from tests import carriers
from tests.carriers import exif, gif, jpeg, png, text_chunk, tiff, user_comment, webp, xmp
from tests.growth import within
from tests.pictures import encode, png_chunk, tiff_of

LAKE = "a lake at dawn\nSteps: 20, Seed: 1"
PACKET = xmp({"dc:description": "described", "TC260:AIGC": '{"Label":"1"}'})
FROM_PACKET = {"xmp:dc:description": "described", "xmp:TC260:AIGC": '{"Label":"1"}'}
IIM = carriers.iim(
    [(110, "Made with a tool"), (25, "lake"), (25, "été"), (120, "a lake"), (9, "x")]
)
FROM_IIM = {
    "iptc:Credit": "Made with a tool",
    "iptc:Keywords": "lake, été",
    "iptc:Caption": "a lake",
}
TAGS = exif({"Software": "a tool", "UserComment": LAKE})
FROM_TAGS = {"exif:Software": "a tool", "exif:UserComment": LAKE}


def carried(data: bytes, limits: Limits | None = None) -> Carried:
    return read_blocks(Item.from_bytes(data), limits or Limits())


def texts(data: bytes) -> dict[str, str]:
    result = carried(data)
    assert result.faults == ()
    return said(result)


def said(result: Carried) -> dict[str, str]:
    return {block.where: block.text for block in result.blocks}


def faults(result: Carried) -> list[type[ItemError]]:
    return [type(fault) for fault in result.faults]


# PNG


@pytest.mark.parametrize("text", [LAKE, "été", "湖の夜明け", "{}"])
@pytest.mark.parametrize("write", [text_chunk, carriers.itxt_chunk])
def test_png_text_is_read(write: Callable[..., bytes], text: str) -> None:
    assert texts(png(write("parameters", text))) == {"png:parameters": text}


def test_png_latin1_is_read_as_the_standard_says() -> None:
    assert texts(png(png_chunk(b"tEXt", b"Title\0un \xe9t\xe9"))) == {"png:Title": "un été"}


def test_png_compressed_text_is_read() -> None:
    whole = png(
        carriers.ztxt_chunk("parameters", LAKE),
        carriers.itxt_chunk("workflow", "湖", compressed=True, language="ja"),
    )
    assert texts(whole) == {"png:parameters": LAKE, "png:workflow": "湖"}


def test_png_exif_and_xmp_are_read() -> None:
    whole = png(carriers.exif_chunk(TAGS), carriers.xmp_chunk(PACKET))
    assert texts(whole) == FROM_TAGS | FROM_PACKET


@pytest.mark.parametrize("name", ["exif", "APP1"])
def test_png_raw_profiles_of_exif_are_read(name: str) -> None:
    assert texts(png(carriers.raw_profile_chunk(name, b"Exif\0\0" + TAGS))) == FROM_TAGS


@pytest.mark.parametrize("payload", [PACKET.encode(), carriers.XMP_APP1 + PACKET.encode()])
def test_png_raw_profiles_of_xmp_are_read(payload: bytes) -> None:
    assert texts(png(carriers.raw_profile_chunk("xmp", payload))) == FROM_PACKET


def test_png_raw_profiles_of_iptc_are_read() -> None:
    assert texts(png(carriers.raw_profile_chunk("iptc", carriers.resources(IIM)))) == FROM_IIM


@pytest.mark.parametrize("text", ["", "\nexif\n", "\nexif\n  12\nnot hexadecimal", "\nexif\nx\n00"])
def test_png_raw_profiles_that_are_none_are_a_fault(text: str) -> None:
    result = carried(png(text_chunk("Raw profile type exif", text), text_chunk("a", "b")))
    assert said(result) == {"png:a": "b"}
    assert faults(result) == [CorruptItem]


def test_png_text_behind_the_pixels_is_read() -> None:
    result = carried(png(after_pixels=[text_chunk("parameters", LAKE)]))
    assert said(result) == {"png:parameters": LAKE}
    assert result.faults == ()


def test_png_text_behind_the_end_is_read() -> None:
    result = carried(png(after_end=text_chunk("parameters", LAKE)))
    assert said(result) == {"png:parameters": LAKE}
    assert result.faults == ()


def test_png_text_in_front_of_its_header_is_read() -> None:
    whole = png()
    assert texts(whole[:8] + text_chunk("parameters", LAKE) + whole[8:]) == {"png:parameters": LAKE}


def test_png_of_other_bytes_behind_the_end_is_sound() -> None:
    result = carried(png(text_chunk("a", "b"), after_end=b"\0\0\0 and more, whatever it is" * 9))
    assert (said(result), result.faults) == ({"png:a": "b"}, ())


def test_png_chunks_of_one_name_are_all_read() -> None:
    result = carried(png(text_chunk("a", "1"), text_chunk("a", "2"), text_chunk("a", "1")))
    assert [block.text for block in result.blocks] == ["1", "2"]


def test_png_with_a_wrong_checksum_is_read_and_said() -> None:
    chunk = bytearray(text_chunk("parameters", LAKE))
    chunk[-6] ^= 1
    result = carried(png(bytes(chunk), text_chunk("a", "b")))
    assert said(result)["png:a"] == "b"
    assert said(result)["png:parameters"] != LAKE
    assert faults(result) == [CorruptItem]


def test_png_bombs_are_not_inflated() -> None:
    bomb = png_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(200_000_000)))
    data = png(bomb, carriers.itxt_chunk("a", "湖", compressed=True))
    result = within(1, lambda: carried(data))
    assert said(result) == {"png:a": "湖"}
    assert faults(result) == [TooManyBytes]


def test_png_bombs_without_number_end() -> None:
    one = zlib.compress(bytes(15_000_000))
    many = [png_chunk(b"zTXt", b"k%d\0\0" % n + one) for n in range(2000)]
    result = within(2, lambda: carried(png(*many)))
    assert set(faults(result)) == {TooManyBytes}
    assert len(result.blocks) < 5


def test_png_text_over_the_limit_is_not_read() -> None:
    result = carried(png(text_chunk("a", "x" * 2000), text_chunk("b", "y")), Limits(block=1000))
    assert said(result) == {"png:b": "y"}
    assert faults(result) == [TooManyBytes]


def test_png_text_is_limited_in_all() -> None:
    many = [text_chunk(f"k{n}", "x" * 400) for n in range(5)]
    result = carried(png(*many), Limits(block=1000, total=1000))
    assert list(said(result)) == ["png:k0", "png:k1"]
    assert set(faults(result)) == {TooManyBytes}


def test_png_blocks_are_limited() -> None:
    result = carried(png(*[text_chunk(f"k{n}", "x") for n in range(9)]), Limits(blocks=4))
    assert len(result.blocks) == 4
    assert faults(result) == [LimitExceeded]


def test_png_parts_are_limited() -> None:
    result = carried(png(text_chunk("a", "b"), *[png_chunk(b"juNK", b"")] * 50), Limits(parts=20))
    assert said(result) == {"png:a": "b"}
    assert faults(result) == [LimitExceeded]


@pytest.mark.parametrize(
    "body",
    [b"", b"\0text", b"no zero byte", b"\0"],
)
def test_png_text_without_a_keyword_is_a_fault(body: bytes) -> None:
    result = carried(png(png_chunk(b"tEXt", body), text_chunk("a", "b")))
    assert said(result) == {"png:a": "b"}
    assert faults(result) == [CorruptItem]


@pytest.mark.parametrize(
    ("chunk", "fault"),
    [
        (png_chunk(b"zTXt", b"k\0\0" + b"no stream"), CorruptItem),
        (png_chunk(b"zTXt", b"k\0\x07" + zlib.compress(b"x")), CorruptItem),
        (png_chunk(b"iTXt", b"k\0\x02\0\0\0text"), CorruptItem),
        (png_chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 999)[:-6]), TruncatedItem),
        (png_chunk(b"eXIf", b"neither order"), CorruptItem),
    ],
)
def test_png_chunks_that_break_the_rules_are_faults(chunk: bytes, fault: type[ItemError]) -> None:
    result = carried(png(chunk, text_chunk("a", "b")))
    assert said(result) == {"png:a": "b"}
    assert faults(result) == [fault]


def test_a_keyword_cannot_break_a_report() -> None:
    (block,) = carried(png(png_chunk(b"tEXt", b"a\x1b[31m\n" + b"k" * 500 + b"\0x"))).blocks
    assert block.where.isprintable()
    assert len(block.key) == 100


# JPEG


def test_jpeg_exif_xmp_and_comment_are_read() -> None:
    whole = jpeg(TAGS, PACKET, b"a comment")
    assert texts(whole) == FROM_TAGS | FROM_PACKET | {"jpeg:comment": "a comment"}


@pytest.mark.parametrize("encoding", ["unicode-le", "ascii", "bare", "unicode-utf8"])
def test_jpeg_comments_in_the_wild_are_read(encoding: str) -> None:
    whole = jpeg(exif({"UserComment": user_comment(LAKE, encoding)}, "little"))
    assert texts(whole) == {"exif:UserComment": LAKE}


def test_jpeg_exif_in_several_segments_is_joined() -> None:
    block = exif({"UserComment": "x" * 50_000 + LAKE})
    parts = [block[at : at + 60_000] for at in range(0, len(block), 60_000)]
    assert len(parts) == 2
    whole = jpeg(segments=[carriers.segment(0xE1, b"Exif\0\0" + part) for part in parts])
    assert texts(whole)["exif:UserComment"].endswith(LAKE)


def extended(whole: str, **properties: str) -> tuple[str, list[bytes]]:
    digest = carriers.extended_digest(whole)
    packet = xmp({"xmpNote:HasExtendedXMP": digest} | properties)
    return packet, carriers.extended_xmp(packet, whole, 30_000)


def test_jpeg_extended_xmp_is_read() -> None:
    packet, segments = extended(xmp({"dc:source": "x" * 100_000 + "the end"}))
    assert len(segments) == 4
    found = texts(jpeg(xmp=packet, segments=segments[::-1]))
    assert list(found) == ["xmp:dc:source"]
    assert found["xmp:dc:source"].endswith("the end")


def test_jpeg_extended_xmp_that_is_incomplete_or_another_is_left_out() -> None:
    packet, segments = extended(xmp({"dc:source": "x" * 100_000}))
    result = carried(jpeg(xmp=packet, segments=segments[:-1]))
    assert (result.blocks, faults(result)) == ((), [CorruptItem])
    result = carried(jpeg(xmp=packet))
    assert (result.blocks, faults(result)) == ((), [TruncatedItem])


def test_jpeg_iptc_is_read_also_over_several_segments() -> None:
    block = carriers.resources(IIM)
    parts = [b"Photoshop 3.0\0" + block[:40], b"Photoshop 3.0\0" + block[40:]]
    whole = jpeg(segments=[carriers.segment(0xED, part) for part in parts])
    assert texts(whole) == FROM_IIM


def test_jpeg_iptc_that_lies_about_its_length_keeps_what_stands_before() -> None:
    liar = IIM + b"\x1c\x02\x6e\x7f\xffshort"
    block = b"Photoshop 3.0\0" + carriers.resources(liar)
    result = carried(jpeg(segments=[carriers.segment(0xED, block)]))
    assert (said(result), faults(result)) == (FROM_IIM, [CorruptItem])
    result = carried(jpeg(segments=[carriers.segment(0xED, block[:-9])]))
    assert (result.blocks, faults(result)) == ((), [CorruptItem])


def test_jpeg_is_not_read_beyond_its_header() -> None:
    whole = jpeg(TAGS, pixels=carriers.picture(800, 600))
    cut = whole[: whole.index(b"\xff\xda") + 12]
    assert texts(cut) == FROM_TAGS


def test_jpeg_that_ends_in_a_segment_keeps_those_before() -> None:
    whole = jpeg(TAGS, PACKET)
    result = carried(whole[: whole.index(b"http://ns.adobe.com") + 100])
    assert said(result) == FROM_TAGS
    assert faults(result) == [TruncatedItem]


def test_jpeg_with_rubbish_between_segments_is_a_fault() -> None:
    whole = jpeg(comment=b"a")
    at = whole.index(b"\xff\xfe") + 5
    result = carried(whole[:at] + b"rubbish" + whole[at:])
    assert said(result) == {"jpeg:comment": "a"}
    assert faults(result) == [CorruptItem]


def test_jpeg_padding_before_a_marker_is_allowed() -> None:
    whole = jpeg(comment=b"a")
    at = whole.index(b"\xff\xfe")
    assert texts(whole[:at] + b"\xff" * 9 + whole[at:]) == {"jpeg:comment": "a"}


# WebP, GIF, TIFF, BMP


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("prefixed", [False, True])
def test_webp_exif_and_xmp_are_read(lossless: bool, prefixed: bool) -> None:
    whole = webp(TAGS, PACKET, lossless=lossless, prefixed=prefixed)
    assert texts(whole) == FROM_TAGS | FROM_PACKET


def test_webp_cut_in_a_chunk_keeps_those_before() -> None:
    result = carried(webp(TAGS, PACKET)[:-40])
    assert said(result) == FROM_TAGS
    assert set(faults(result)) == {TruncatedItem}


def test_gif_comments_and_xmp_are_read() -> None:
    comment = ("x" * 600 + LAKE).encode()
    assert texts(gif(comment, PACKET)) == {"gif:comment": comment.decode()} | FROM_PACKET


def test_gif_made_by_pillow_is_read() -> None:
    whole = encode(carriers.picture(), "GIF", comment=b"a lake")
    assert texts(whole) == {"gif:comment": "a lake"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [(lambda data: data[:-1], TruncatedItem), (lambda data: data[:-1] + b"??", CorruptItem)],
)
def test_gif_without_its_end_is_a_fault(
    change: Callable[[bytes], bytes], fault: type[ItemError]
) -> None:
    result = carried(change(gif(b"a lake")))
    assert said(result) == {"gif:comment": "a lake"}
    assert faults(result) == [fault]


def test_gif_of_many_blocks_takes_no_time() -> None:
    long = gif()[:-1] + b"!\xfe" + b"\x01x" * 1_500_000 + b"\0;"
    longer = gif(b"a lake")[:-1] + b"!\xfe" + b"\x01x" * 20_000_000 + b"\0;"
    short, result = within(4, lambda: (carried(long), carried(longer)))
    assert len(short.blocks) == 1
    assert (said(result), faults(result)) == ({"gif:comment": "a lake"}, [LimitExceeded])


def test_tiff_tags_and_xmp_are_read() -> None:
    whole = tiff({"Software": "a tool", "ImageDescription": LAKE}, PACKET)
    assert texts(whole) == {"exif:Software": "a tool", "exif:ImageDescription": LAKE} | FROM_PACKET


def test_tiff_pages_are_all_read() -> None:
    from PIL import Image, TiffImagePlugin

    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as file:
        for number in range(3):
            info = TiffImagePlugin.ImageFileDirectory_v2()
            info[270] = f"page {number}"
            Image.fromarray(carriers.picture(seed=number)).save(file, "TIFF", tiffinfo=info)
            file.newFrame()
    result = carried(out.getvalue())
    assert [block.text for block in result.blocks] == ["page 0", "page 1", "page 2"]
    assert result.faults == ()


def test_tiff_directories_in_a_loop_are_a_fault() -> None:
    result = carried(tiff_of([(305, 2, 3, 0x006261)], after=8))
    assert said(result) == {"exif:Software": "ab"}
    assert faults(result) == [CorruptItem]


def test_bmp_has_no_metadata() -> None:
    result = carried(encode(carriers.picture(), "BMP"))
    assert (result.carrier, result.blocks, result.faults) == (None, (), ())


# All


@pytest.mark.parametrize(
    ("data", "carrier"),
    [
        (png(), "png"),
        (jpeg(), "jpeg"),
        (webp(), "webp"),
        (gif(), "gif"),
        (tiff({}), "tiff"),
        (carriers.avif(), "avif"),
        (b"a text", None),
    ],
)
def test_a_file_without_metadata_has_none(data: bytes, carrier: str | None) -> None:
    result = carried(data)
    assert (result.carrier, result.blocks, result.faults) == (carrier, (), ())
    assert carrier is None or carrier in READERS
    assert carrier_of(data[:4096]) == carrier


def test_what_cannot_be_opened_is_a_fault(tmp_path: Path) -> None:
    result = read_blocks(Item.from_path(tmp_path / "absent.png"))
    assert (result.carrier, faults(result)) == (None, [UnreadableItem])
    assert faults(carried(b"")) == [EmptyItem]


def test_a_file_that_disappears_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(text_chunk("a", "b")))
    item = Item.from_path(path)
    path.unlink()
    assert faults(read_blocks(item)) == [UnreadableItem]


def test_a_file_on_disk_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(text_chunk("parameters", LAKE), carriers.exif_chunk(TAGS)))
    assert read_blocks(Item.from_path(path)) == carried(path.read_bytes())


@pytest.mark.parametrize(
    "whole",
    [
        png(text_chunk("a", "first"), carriers.exif_chunk(TAGS)),
        jpeg(TAGS, PACKET, b"first"),
        webp(TAGS, PACKET),
        gif(b"first", PACKET),
        tiff({"Software": "first"}),
    ],
    ids=["png", "jpeg", "webp", "gif", "tiff"],
)
def test_every_cut_leaves_a_part_of_the_whole(whole: bytes) -> None:
    sound = {(block.where, block.text) for block in carried(whole).blocks}
    for size in range(0, len(whole), 7):
        result = carried(whole[:size])
        assert {(block.where, block.text) for block in result.blocks} <= sound
        assert all(str(fault).isprintable() for fault in result.faults)


def test_a_picture_of_40_mb_is_hardly_read() -> None:
    chunk = struct.pack(">I4s", 65_536, b"IDAT") + bytes(65_536 + 4)
    whole = png(text_chunk("parameters", LAKE), after_pixels=[chunk] * 600)
    item = Item.from_bytes(whole)
    read_blocks(item)
    assert said(within(0.05, lambda: read_blocks(item))) == {"png:parameters": LAKE}
