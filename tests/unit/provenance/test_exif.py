"""EXIF: text tags from both byte orders, and directories that lie."""

from __future__ import annotations

import struct

import pytest

from egide.errors import CorruptItem, TooManyBytes, TruncatedItem
from egide.provenance.carriers_gathering import Carried, Gathering, Limits
from egide.provenance.exif import read_exif
from tests.carriers import exif, iim, resources, user_comment, xmp


def carried(block: bytes, limits: Limits | None = None) -> Carried:
    found = Gathering(limits or Limits())
    read_exif(block, found)
    return found.finish("exif")


def texts(block: bytes) -> dict[str, str]:
    result = carried(block)
    assert result.faults == ()
    return {one.key: one.text for one in result.blocks}


def directory(*entries: tuple[int, int, int, int], after: int = 0, at: int = 8) -> bytes:
    """A little-endian block of one directory at `at`: tag, type, count, value or place."""
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    return b"II*\0" + struct.pack("<I", at) + bytes(at - 8) + body + struct.pack("<I", after)


@pytest.mark.parametrize("order", ["big", "little"])
def test_every_tag_of_interest_is_read(order: str) -> None:
    said = {
        "ImageDescription": "a lake",
        "Make": "prompt:{}",
        "Model": "m",
        "Software": "ünï",
        "DateTime": "2030:01:02 03:04:05",
        "Artist": "ai",
        "Copyright": "none",
        "XPTitle": "湖",
        "XPComment": "a comment",
        "XPAuthor": "nobody",
        "XPKeywords": "a;b",
        "XPSubject": "s",
        "DateTimeOriginal": "2030:01:02 03:04:05",
        "UserComment": "Steps: 20, été",
    }
    assert texts(exif(said, order)) == said
    assert texts(b"Exif\0\0" + exif(said, order)) == said


def test_a_block_is_named_after_its_tag() -> None:
    (block,) = carried(exif({"UserComment": "a lake"})).blocks
    assert (block.where, block.key) == ("exif:UserComment", "UserComment")


def test_a_comment_in_the_first_directory_is_read() -> None:
    comment = user_comment("a lake", "unicode-le")
    block = directory((0x9286, 7, len(comment), 26)) + comment
    assert texts(block) == {"UserComment": "a lake"}


def test_a_short_value_stands_in_its_entry() -> None:
    assert texts(exif({"Make": "ab"})) == {"Make": "ab"}


def test_xmp_in_a_tag_is_read() -> None:
    packet = xmp({"dc:source": "here"}).encode()
    block = directory((0x02BC, 1, len(packet), 26)) + packet
    assert texts(block) == {"dc:source": "here"}


@pytest.mark.parametrize("kind", [1, 4, 7])
def test_iptc_in_a_tag_is_read(kind: int) -> None:
    block = iim([(110, "a credit")])
    block += bytes(-len(block) % 4)
    count = len(block) // 4 if kind == 4 else len(block)
    assert texts(directory((0x83BB, kind, count, 26)) + block) == {"Credit": "a credit"}
    inside = resources(iim([(110, "a credit")]))
    assert texts(directory((0x8649, 1, len(inside), 26)) + inside) == {"Credit": "a credit"}


def test_a_value_outside_of_the_block_costs_that_value_only() -> None:
    block = directory((0x010F, 2, 50, 0xFFFFFFF0), (0x0131, 2, 3, 0x006261))
    result = carried(block)
    assert [one.text for one in result.blocks] == ["ab"]
    assert [type(fault) for fault in result.faults] == [TruncatedItem]
    assert "Make" in str(result.faults[0])


def test_a_value_of_4_gib_is_not_read() -> None:
    result = carried(directory((0x010F, 2, 0xFFFFFFFF, 8)))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [TooManyBytes]


def test_a_directory_that_points_to_itself_is_a_loop() -> None:
    result = carried(directory((0x0131, 2, 3, 0x006261), (0x8769, 4, 1, 8)))
    assert [one.text for one in result.blocks] == ["ab"]
    assert [type(fault) for fault in result.faults] == [CorruptItem]
    assert "loop" in str(result.faults[0])


def test_a_directory_elsewhere_is_a_fault() -> None:
    result = carried(directory((0x0131, 2, 3, 0x006261), (0x8769, 4, 1, 4_000_000_000)))
    assert [one.text for one in result.blocks] == ["ab"]
    assert [type(fault) for fault in result.faults] == [TruncatedItem]


def test_a_chain_of_directories_inside_of_directories_ends() -> None:
    count = 5000
    chain = b"".join(
        struct.pack("<HHHII", 1, 0x8769, 4, 1, 8 + 18 * (n + 1)) + bytes(4) for n in range(count)
    )
    result = carried(b"II*\0\x08\0\0\0" + chain)
    assert result.blocks == ()


def test_numbers_are_no_text() -> None:
    result = carried(directory((0x010F, 4, 1, 7), (0x0131, 2, 3, 0x006261)))
    assert [one.text for one in result.blocks] == ["ab"]
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_more_entries_than_are_read_are_a_fault() -> None:
    many = [(0x0131, 2, 3, 0x006261)] + [(0xFDE8, 3, 1, 0)] * 600
    result = carried(directory(*many))
    assert [one.text for one in result.blocks] == ["ab"]
    assert [type(fault) for fault in result.faults] == [TruncatedItem]


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"II", b"XX*\0\x08\0\0\0", bytes(64)])
def test_no_header_is_a_fault(block: bytes) -> None:
    result = carried(block)
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_every_cut_is_a_fault_or_a_shorter_reading() -> None:
    sound = exif({"Make": "a maker of lakes", "UserComment": "Steps: 20"}, "little")
    whole = texts(sound)
    for size in range(len(sound)):
        result = carried(sound[:size])
        assert {one.key: one.text for one in result.blocks}.items() <= whole.items()
        assert result.faults or len(result.blocks) == len(whole)


def test_bigtiff_is_read() -> None:
    entry = struct.pack("<HHQ", 0x0131, 2, 7) + b"a tool\0\0"
    block = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + entry + bytes(8)
    assert texts(block) == {"Software": "a tool"}
