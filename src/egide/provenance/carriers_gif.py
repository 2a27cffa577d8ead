"""GIF: comments and XMP (GIF89a, sections 15, 24 and 26; XMP specification part 3, 1.1.2)."""

from __future__ import annotations

from typing import BinaryIO, Final

from egide.errors import CorruptItem, LimitExceeded, TooManyBytes, TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.usercomment import decode_text
from egide.provenance.xmp import read_xmp

_MOST_BYTES: Final = 128 * 1024 * 1024
"""GIF can only be walked byte by byte: what is longer is read up to here."""

_MOST_BLOCKS: Final = 2_000_000

_XMP: Final = b"\x0bXMP DataXMP"
_XMP_TAIL: Final = b"\x01" + bytes(range(255, 246, -1))
_COMMENT, _APPLICATION, _EXTENSION, _IMAGE, _END = 0xFE, 0xFF, 0x21, 0x2C, 0x3B


def read_gif(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the comments and XMP properties of a GIF."""
    data = read_at(stream, 0, _MOST_BYTES)
    at = 13 + _table(data[10]) if len(data) > 10 else len(data)
    while at < len(data):
        found.step()
        kind = data[at]
        if kind == _END:
            return
        if kind == _EXTENSION:
            at = _read_extension(data, at, found)
        elif kind == _IMAGE and at + 10 < len(data):
            at = _skip(data, at + 11 + _table(data[at + 9]))
        elif kind == 0:
            at += 1  # a stray end of a block
        else:
            found.fault(CorruptItem(f"GIF: there is no block at byte {at}; what follows is lost"))
            return
    if size > len(data):
        found.fault(TooManyBytes(f"GIF: {size:,} bytes; the first {len(data):,} were read"))
    else:
        found.fault(TruncatedItem("GIF: its end is missing; get the whole file"))


def _table(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(data: bytes, at: int) -> int:
    """Where the sub-blocks that begin at `at` end. Raises LimitExceeded when there are too many."""
    for _ in range(_MOST_BLOCKS):
        if at >= len(data) or not data[at]:
            return at + 1
        at += 1 + data[at]
    raise LimitExceeded(f"GIF: more than {_MOST_BLOCKS:,} blocks in a row; reading ended there")


def _read_extension(data: bytes, at: int, found: Gathering) -> int:
    """Reads the extension at `at`; gives where the next block begins."""
    label = data[at + 1] if at + 1 < len(data) else 0
    end = _skip(data, at + 2)
    if end > len(data) or label not in {_COMMENT, _APPLICATION}:
        return end
    if label == _COMMENT and found.claim(end - at, "GIF: comment"):
        found.add("gif", "comment", decode_text(_joined(data, at + 2)))
    elif data.startswith(_XMP, at + 2) and found.claim(end - at, "GIF: XMP"):
        start = at + 2 + len(_XMP)
        tail = data.find(_XMP_TAIL, start, end)
        # The packet stands there as it is; a tail makes it pass for blocks. Some write blocks.
        read_xmp(data[start:tail] if tail >= 0 else _joined(data, start), found)
    return end


def _joined(data: bytes, at: int) -> bytes:
    """The content of the sub-blocks that begin at `at`."""
    parts = []
    while at < len(data) and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts)
