"""Metadata of PDF: the Info dictionary and XMP, however they are packed."""

from __future__ import annotations

import zlib

import pytest

from egide.errors import CorruptItem, TooManyBytes
from egide.item import Item
from egide.provenance.carriers import Carried, Limits, read_blocks
from tests.carriers import pdf, xmp
from tests.growth import within

PACKET = xmp({"dc:description": "described", "xmp:CreatorTool": "a tool"})
FROM_PACKET = {"xmp:dc:description": "described", "xmp:xmp:CreatorTool": "a tool"}


def carried(data: bytes, limits: Limits | None = None) -> Carried:
    return read_blocks(Item.from_bytes(data), limits or Limits())


def texts(data: bytes) -> dict[str, str]:
    result = carried(data)
    assert result.faults == ()
    return {block.where: block.text for block in result.blocks}


def of_objects(*bodies: bytes, trailer: bytes = b"/Info 1 0 R") -> bytes:
    """A PDF of these objects, numbered from 1, without a table of their places."""
    objects = (b"%d 0 obj\n%b\nendobj\n" % (n, body) for n, body in enumerate(bodies, 1))
    return b"%PDF-1.7\n" + b"".join(objects) + b"trailer\n<< " + trailer + b" >>\n%%EOF\n"


def stream(head: bytes, body: bytes) -> bytes:
    packed = zlib.compress(body)
    return b"<< %b /Filter /FlateDecode /Length %d >>\nstream\r\n%b\nendstream" % (
        head,
        len(packed),
        packed,
    )


def test_info_and_xmp_are_read() -> None:
    said = {"Producer": "a (nested) \\ tool", "Title": "été 湖", "AIGC": '{"Label":"1"}'}
    assert texts(pdf(said, PACKET)) == {f"pdf:{k}": v for k, v in said.items()} | FROM_PACKET


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (rb"(a\040lake\n\(at\) dawn)", "a lake\n(at) dawn"),
        (b"(a \\\nlake)", "a lake"),
        (b"(a (very (nested)) lake)", "a (very (nested)) lake"),
        (b"<61 20 6C 61 6B 65>", "a lake"),
        (b"<616>", "a`"),
        (b"(\xfe\xff\0a\0 \x6e\x56)", "a 湖"),
        (b"(\xef\xbb\xbfa \xe6\xb9\x96)", "a 湖"),
        (b"2 0 R", "elsewhere"),
    ],
)
def test_strings_of_every_kind_are_read(value: bytes, text: str) -> None:
    whole = of_objects(b"<< /Title " + value + b" /Producer (p) >>", b"(elsewhere)")
    assert texts(whole) == {"pdf:Title": text, "pdf:Producer": "p"}


def test_values_that_are_no_strings_are_passed_by() -> None:
    info = b"<< /Trapped /True /N 12 /Deep << /Title (inner) >> /List [(x) (y)] /Title (t) >>"
    assert texts(of_objects(info))["pdf:Title"] == "t"
    assert "pdf:Trapped" not in texts(of_objects(info))


def test_the_last_version_of_an_object_counts() -> None:
    first = of_objects(b"<< /Title (first) >>")
    second = b"1 0 obj\n<< /Title (second) >>\nendobj\ntrailer\n<< /Info 1 0 R >>\n%%EOF\n"
    assert texts(first + second) == {"pdf:Title": "second"}


def test_an_object_of_a_longer_number_is_another() -> None:
    whole = of_objects(b"<< /Title (first) >>") + b"11 0 obj\n<< /Title (eleventh) >>\nendobj\n"
    assert texts(whole) == {"pdf:Title": "first"}


def test_info_in_an_object_stream_is_read() -> None:
    body = b"7 0 9 14 << /Other 1 >> << /Title (packed) >>"
    first = body.index(b"<<")
    packed = stream(b"/Type /ObjStm /N 2 /First %d" % first, body)
    assert texts(of_objects(packed, trailer=b"/Info 9 0 R")) == {"pdf:Title": "packed"}


def test_compressed_xmp_is_read() -> None:
    packed = stream(b"/Type /Metadata /Subtype /XML", PACKET.encode())
    assert texts(of_objects(packed, trailer=b"")) == FROM_PACKET


def test_an_encrypted_document_is_not_decrypted() -> None:
    result = carried(pdf({"Title": "locked"}, PACKET, encrypted=True))
    assert {block.where for block in result.blocks} == FROM_PACKET.keys()
    assert any("encrypted" in words for words in result.left_out)


def test_an_info_that_is_not_there_is_a_fault() -> None:
    result = carried(of_objects(b"<< >>", trailer=b"/Info 5 0 R"))
    assert [type(fault) for fault in result.faults] == [CorruptItem]


def test_a_bomb_is_not_inflated() -> None:
    packed = stream(b"/Type /Metadata", bytes(100_000_000))
    result = carried(of_objects(packed, trailer=b""))
    assert result.blocks == ()
    assert [type(fault) for fault in result.faults] == [TooManyBytes]


@pytest.mark.parametrize(
    "body",
    [
        b"<< " * 300_000,
        b"<< /Title " + b"(" * 500_000,
        b"/Info " * 200_000,
        b"1 0 obj " * 90_000,
        b"/Type /ObjStm " * 90_000,
        b"<?xpacket begin" * 90_000,
        b"<< /A" + b" " * 900_000 + b"(x)",
        b"<" + b"0 " * 400_000,
        b"<0" * 400_000,
    ],
)
def test_what_is_made_to_be_slow_is_not(body: bytes) -> None:
    within(5, lambda: carried(of_objects(body)))


def test_every_cut_leaves_a_part_of_the_whole() -> None:
    whole = pdf({"Title": "a title", "Producer": "p"}, PACKET)
    sound = set(carried(whole).blocks)
    for size in range(0, len(whole), 3):
        assert set(carried(whole[:size]).blocks) <= sound
