"""Fuzz targets for carriers of metadata: one file of each to damage, and what must hold."""

from __future__ import annotations

import time
from collections.abc import Callable

from egide.item import Item
from egide.provenance.carriers import Limits, read_blocks
from tests import carriers

SECONDS = 3
LIMITS = Limits(block=1 << 20, total=4 << 20, blocks=100, parts=20_000, pixels=1 << 20)

_TAGS = {"Software": "a tool", "XPComment": "a lake", "UserComment": "Steps: 20, Seed: 1, été"}
_PACKET = carriers.xmp(
    {"dc:description": "a lake", "dc:subject": "dawn", "TC260:AIGC": '{"Label":"1"}'}
)


def _png() -> bytes:
    return carriers.png(
        carriers.text_chunk("parameters", "a lake"),
        carriers.ztxt_chunk("prompt", "a lake" * 9),
        carriers.itxt_chunk("workflow", "湖", compressed=True),
        carriers.exif_chunk(carriers.exif(_TAGS)),
        carriers.xmp_chunk(_PACKET),
        carriers.raw_profile_chunk("exif", b"Exif\0\0" + carriers.exif(_TAGS, "little")),
    )


def _jpeg() -> bytes:
    whole = carriers.xmp({"dc:source": "here" * 9})
    packet = carriers.xmp({"xmpNote:HasExtendedXMP": carriers.extended_digest(whole)})
    segments = carriers.extended_xmp(packet, whole, 200)
    photoshop = b"Photoshop 3.0\0" + carriers.resources(carriers.iim([(110, "a"), (120, "b")]))
    segments.append(carriers.segment(0xED, photoshop))
    return carriers.jpeg(carriers.exif(_TAGS, "little"), packet, b"a lake", segments=segments)


CARRIERS: dict[str, Callable[[], bytes]] = {
    "carrier-png": _png,
    "carrier-jpeg": _jpeg,
    "carrier-webp": lambda: carriers.webp(carriers.exif(_TAGS), _PACKET, lossless=True),
    "carrier-gif": lambda: carriers.gif(b"a lake" * 60, _PACKET),
    "carrier-tiff": lambda: carriers.tiff({"Software": "a tool"}, _PACKET),
    "carrier-avif": lambda: carriers.avif(carriers.exif(_TAGS), _PACKET),
    "carrier-heic": lambda: carriers.heic(carriers.exif(_TAGS), _PACKET),
    "carrier-mp4": lambda: carriers.mp4({"comment": "{}", "title": "a lake"}, faststart=True),
    "carrier-mov": lambda: carriers.mov({"AIGC": "{}", "prompt": "a lake"}, keys=True),
    "carrier-webm": lambda: carriers.webm({"comment": "{}", "prompt": "a lake"}),
    "carrier-pdf": lambda: carriers.pdf({"Title": "été", "Producer": "a (tool)"}, _PACKET),
    "carrier-stealth": lambda: carriers.stealth_png("a lake", pixels=carriers.picture(64, 48)),
    "carrier-stealth-webp": lambda: carriers.stealth_webp(
        "a lake", "rgb", pixels=carriers.picture(64, 48)
    ),
}


def check_carrier(data: bytes) -> None:
    """Read hostile bytes; AssertionError when the promise of `read_blocks` is broken."""
    began = time.thread_time()
    result = read_blocks(Item.from_bytes(data), LIMITS)
    assert time.thread_time() - began < SECONDS
    assert len(result.blocks) <= LIMITS.blocks
    assert len(set(result.blocks)) == len(result.blocks)
    assert sum(len(block.text) for block in result.blocks) <= LIMITS.total
    for block in result.blocks:
        assert block.where.isprintable()
        assert block.where.endswith(f":{block.key}")
        assert block.text.strip()
        block.text.encode()
    for fault in result.faults:
        assert str(fault).isprintable()
        assert " at 0x" not in str(fault)
    for words in result.left_out:
        assert words.isprintable()
