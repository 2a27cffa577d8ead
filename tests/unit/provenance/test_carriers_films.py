"""Metadata in AVIF, HEIC, MP4, MOV and WebM: found by seeking, and boxes that lie."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from egide.errors import CorruptItem, ItemError, LimitExceeded, TooManyBytes, TruncatedItem
from egide.item import Item
from egide.provenance.carriers import Carried, Limits, read_blocks
from tests.carriers import avif, box, exif, heic, mov, mp4, webm, xmp, xmp_box
from tests.growth import within

LAKE = '{"prompt": "a lake at dawn, 湖"}'
PACKET = xmp({"dc:description": "described", "TC260:AIGC": '{"Label":"1"}'})
FROM_PACKET = {"xmp:dc:description": "described", "xmp:TC260:AIGC": '{"Label":"1"}'}
TAGS = exif({"Software": "a tool", "UserComment": LAKE})
FROM_TAGS = {"exif:Software": "a tool", "exif:UserComment": LAKE}
BRAND = box(b"ftyp", b"isom\0\0\0\0isommp42")


def carried(data: bytes, limits: Limits | None = None) -> Carried:
    return read_blocks(Item.from_bytes(data), limits or Limits())


def said(result: Carried) -> dict[str, str]:
    written = ("encoder", "software")  # FFmpeg's own name
    return {one.where: one.text for one in result.blocks if one.key not in written}


def texts(data: bytes) -> dict[str, str]:
    result = carried(data)
    assert result.faults == ()
    return said(result)


def faults(result: Carried) -> list[type[ItemError]]:
    return [type(fault) for fault in result.faults]


# AVIF, HEIC


@pytest.mark.parametrize(("write", "carrier"), [(avif, "avif"), (heic, "heic")])
def test_items_of_pictures_are_read(write: Callable[..., bytes], carrier: str) -> None:
    assert texts(write(TAGS)) == FROM_TAGS
    assert texts(write(None, PACKET)) == FROM_PACKET
    result = carried(write(TAGS, PACKET))
    assert {one.where for one in result.blocks} >= FROM_PACKET.keys()
    assert result.carrier == carrier


def item_picture(places: bytes, *more: bytes) -> bytes:
    """A HEIC of one EXIF item, which `places` says where to find, and nothing to look at."""
    entry = box(b"infe", bytes([2, 0, 0, 0]) + struct.pack(">HH", 1, 0) + b"Exif\0")
    infos = box(b"iinf", bytes(4) + struct.pack(">H", 1) + entry)
    handler = box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    meta = box(b"meta", bytes(4) + handler + infos + box(b"iloc", places) + b"".join(more))
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta


def places(method: int, *extents: tuple[int, int], number: int = 1) -> bytes:
    """An `iloc` of version 1 for one item."""
    head = bytes([1, 0, 0, 0, 0x44, 0x00]) + struct.pack(">HHHH", 1, number, method, 0)
    return (
        head + struct.pack(">H", len(extents)) + b"".join(struct.pack(">II", *e) for e in extents)
    )


def test_an_item_inside_of_its_index_is_read_in_all_its_parts() -> None:
    block = bytes(4) + TAGS
    inside = box(b"idat", b"xx" + block)
    assert texts(item_picture(places(1, (2, 30), (32, len(block) - 30)), inside)) == FROM_TAGS


def test_an_item_outside_of_the_file_is_a_fault() -> None:
    result = carried(item_picture(places(0, (4_000_000_000, 50))))
    assert (result.blocks, faults(result)) == ((), [TruncatedItem])


def test_an_item_of_4_gib_is_not_read() -> None:
    result = carried(item_picture(places(0, (0, 0xFFFFFFFF))))
    assert (result.blocks, faults(result)) == ((), [TooManyBytes])


def test_an_item_without_a_place_is_a_fault() -> None:
    result = carried(item_picture(places(0, (0, 8), number=7)))
    assert (result.blocks, faults(result)) == ((), [TruncatedItem])


def test_an_item_made_of_others_is_left_out() -> None:
    result = carried(item_picture(places(2, (0, 8))))
    assert (result.blocks, result.faults) == ((), ())
    assert result.left_out == ("EXIF made of other items",)


def test_counts_that_lie_end_where_the_box_does() -> None:
    liar = bytes([1, 0, 0, 0, 0x00, 0x00]) + struct.pack(">H", 0xFFFF)
    result = within(0.5, lambda: carried(item_picture(liar)))
    assert faults(result) == [TruncatedItem]


# MP4, MOV


@pytest.mark.parametrize("faststart", [False, True])
def test_mp4_tags_are_read(faststart: bool) -> None:
    whole = mp4({"comment": LAKE, "title": "a title"}, faststart=faststart)
    assert texts(whole) == {"mp4:comment": LAKE, "mp4:title": "a title"}


def test_mp4_tags_with_names_of_their_own_are_read() -> None:
    tags = {"prompt": LAKE, "workflow": "{}", "AIGC": '{"Label":"1"}'}
    assert texts(mp4(tags, keys=True)) == {f"mp4:{key}": text for key, text in tags.items()}


def test_mov_tags_are_read() -> None:
    assert texts(mov({"comment": LAKE}))["mov:comment"] == LAKE
    assert texts(mov({"AIGC": "{}"}, keys=True)) == {"mov:AIGC": "{}"}


def test_apples_long_names_are_shortened() -> None:
    assert texts(mov({"com.apple.quicktime.comment": LAKE}, keys=True)) == {"mov:comment": LAKE}


def test_free_form_tags_are_read() -> None:
    value = box(b"data", struct.pack(">II", 1, 0) + LAKE.encode())
    free = box(b"----", box(b"mean", bytes(4) + b"org.example"), box(b"name", bytes(4) + b"AIGC"))
    free = box(b"----", free[8:], value)
    handler = box(b"hdlr", bytes(8) + b"mdir" + bytes(13))
    meta = box(b"meta", bytes(4), handler, box(b"ilst", free))
    whole = BRAND + box(b"moov", box(b"udta", meta))
    assert texts(whole) == {"mp4:AIGC": LAKE}


def test_pictures_among_the_tags_are_not_text() -> None:
    cover = box(b"covr", box(b"data", struct.pack(">II", 13, 0) + b"\xff\xd8\xff"))
    title = box(b"\xa9nam", box(b"data", struct.pack(">II", 13, 0) + b"\xff\xd8\xff"))
    handler = box(b"hdlr", bytes(8) + b"mdir" + bytes(13))
    meta = box(b"meta", bytes(4), handler, box(b"ilst", cover, title))
    assert texts(BRAND + box(b"moov", box(b"udta", meta))) == {}


def test_xmp_is_read_wherever_it_may_stand() -> None:
    assert texts(mp4({}) + xmp_box(PACKET)) == FROM_PACKET
    assert texts(BRAND + box(b"moov", xmp_box(PACKET))) == FROM_PACKET
    assert texts(BRAND + box(b"moov", box(b"udta", box(b"XMP_", PACKET.encode())))) == FROM_PACKET


def test_other_private_boxes_are_passed_by() -> None:
    assert texts(BRAND + box(b"uuid", bytes(16), PACKET.encode())) == {}


def test_the_label_of_china_in_a_box_of_its_own_is_read() -> None:
    whole = BRAND + box(b"moov", box(b"udta", box(b"AIGC", b'{"Label":"1"}')))
    assert texts(whole) == {"mp4:AIGC": '{"Label":"1"}'}


def test_64_bit_sizes_are_read_and_pictures_are_not() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 5_000_000) + bytes(5_000_000)
    assert texts(BRAND + large + xmp_box(PACKET)) == FROM_PACKET


@pytest.mark.parametrize(
    "liar",
    [
        struct.pack(">I4s", 0x7FFFFFFF, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 2**63),
        struct.pack(">I4s", 4, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 3),
    ],
)
def test_a_box_that_lies_about_its_length_ends_the_reading(liar: bytes) -> None:
    result = carried(BRAND + xmp_box(PACKET) + liar + b"more")
    assert said(result) == FROM_PACKET
    assert faults(result) == [TruncatedItem]


def test_a_box_larger_than_what_holds_it_ends_that_only() -> None:
    inner = struct.pack(">I4s", 5000, b"udta")
    result = carried(BRAND + box(b"moov", inner) + xmp_box(PACKET))
    assert said(result) == FROM_PACKET
    assert faults(result) == [TruncatedItem]


def test_boxes_without_number_end() -> None:
    data = BRAND + xmp_box(PACKET) + box(b"free") * 500_000
    result = within(3, lambda: carried(data))
    assert said(result) == FROM_PACKET
    assert faults(result) == [LimitExceeded]


def test_a_list_longer_than_the_limit_is_not_read() -> None:
    result = carried(mp4({"comment": "x" * 5000, "title": "t"}), Limits(block=1000))
    assert said(result) == {"mp4:title": "t"}
    assert faults(result) == [TooManyBytes]


# WebM


def test_webm_tags_are_read() -> None:
    assert texts(webm({"comment": LAKE, "prompt": "a lake", "title": "t"})) == {
        "webm:comment": LAKE,
        "webm:prompt": "a lake",
        "webm:title": "t",
    }


def element(number: bytes, body: bytes, *, unknown: bool = False) -> bytes:
    return (
        number
        + (b"\x01" + b"\xff" * 7 if unknown else struct.pack(">Q", len(body) | 1 << 56))
        + body
    )


def tag(name: bytes, text: bytes, target: bytes = b"") -> bytes:
    simple = element(b"\x67\xc8", element(b"\x45\xa3", name) + element(b"\x44\x87", text))
    return element(b"\x73\x73", element(b"\x63\xc0", target) + simple)


HEAD = element(b"\x1a\x45\xdf\xa3", b"")
SEGMENT, CLUSTER, TAGS_ = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75", b"\x12\x54\xc3\x67"


def test_webm_of_unknown_length_is_read() -> None:
    block = element(b"\xa3", bytes(100))
    live = element(CLUSTER, element(b"\xe7", b"\0") + block, unknown=True)
    inner = live + element(TAGS_, tag(b"COMMENT", b"a lake"))
    assert texts(HEAD + element(SEGMENT, inner, unknown=True)) == {"webm:comment": "a lake"}


def test_webm_tags_of_a_track_are_not_those_of_the_file() -> None:
    of_track = tag(b"COMMENT", b"a track", element(b"\x63\xc5", b"\x01"))
    of_all = tag(b"COMMENT", b"all", element(b"\x63\xc5", b"\0"))
    assert texts(HEAD + element(SEGMENT, element(TAGS_, of_track + of_all))) == {
        "webm:comment": "all"
    }


@pytest.mark.parametrize(
    ("tail", "fault"),
    [(b"\x12\x54\xc3\x67\x01\0\0\0\0\0\xff\xff", TruncatedItem), (b"\0\0\0\0", CorruptItem)],
)
def test_webm_damage_ends_the_reading(tail: bytes, fault: type[ItemError]) -> None:
    inner = element(TAGS_, tag(b"COMMENT", b"a lake")) + tail
    result = carried(HEAD + element(SEGMENT, inner))
    assert said(result) == {"webm:comment": "a lake"}
    assert faults(result) == [fault]


def test_webm_tags_that_are_damaged_are_read_as_far_as_they_go() -> None:
    inner = tag(b"COMMENT", b"a lake") + b"\x73\x73\x8f"
    result = carried(HEAD + element(SEGMENT, element(TAGS_, inner)))
    assert said(result) == {"webm:comment": "a lake"}
    assert faults(result) == [CorruptItem]


def test_webm_elements_without_number_end() -> None:
    data = HEAD + element(SEGMENT, b"\xec\x80" * 1_000_000)
    result = within(3, lambda: carried(data))
    assert faults(result) == [LimitExceeded]


@pytest.mark.parametrize(
    "whole",
    [
        mp4({"comment": LAKE}, faststart=True),
        mov({"comment": LAKE}),
        webm({"comment": LAKE}),
        avif(TAGS, PACKET),
        heic(TAGS, PACKET),
    ],
    ids=["mp4", "mov", "webm", "avif", "heic"],
)
def test_every_cut_leaves_a_part_of_the_whole(whole: bytes) -> None:
    sound = set(carried(whole).blocks)
    for size in range(0, len(whole), 5):
        result = carried(whole[:size])
        assert set(result.blocks) <= sound
        assert all(str(fault).isprintable() for fault in result.faults)
