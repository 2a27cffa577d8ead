"""Where a picture's own bytes end, told by its container without decoding anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from egide.sniff import Format

_PNG_END = b"IEND"
_STRIDE = 1 << 17
_MOST_BOXES = 64

# Pillow walks over chunks, blocks and fields in Python: a file of 100 MB that is made of nothing
# else would keep it busy for minutes. Real files have one part for every 100 bytes at the most.
_FREE_PARTS, _FREE_BLOCKS, _BYTES_A_PART = 100_000, 1_000_000, 64
_MOST_FIELDS, _MOST_VALUES = 4096, 2_000_000
_KINDS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_BYTE_KINDS = frozenset({1, 2, 6, 7})


@dataclass(frozen=True)
class Extent:
    """The place where a picture ends.

    Attributes:
        end: byte after its last one, as its container declares it; None where that is unknown.
        cut: the file ends before it.
        crowded: it has so many parts, and so little in them, that it must not be decoded.
    """

    end: int | None = None
    cut: bool = False
    crowded: bool = False


def extent_of(data: bytes, format_: Format) -> Extent:
    """Find where the picture that begins `data` ends; never raises.

    JPEG is left out: its end is found by `jpeg_end`, and its decoder tells when it is missing.
    TIFF has no end: its parts may lie anywhere.
    """
    walk = _WALKS.get(format_)
    return walk(data) if walk else Extent()


def _until(data: bytes, end: int) -> Extent:
    return Extent(end, end > len(data))


def _png(data: bytes) -> Extent:
    at, chunks = 8, 0
    while at + 12 <= len(data):
        chunks += 1
        if chunks > _FREE_PARTS:
            return Extent(crowded=True)
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == _PNG_END:
            return _until(data, at + 12 + size)
        at += 12 + size
    return Extent(max(at, len(data) + 1), cut=True)


def _gif(data: bytes) -> Extent:
    """Walk the blocks of GIF89a (section 12 and on): a byte of kind, then sub-blocks."""
    size = len(data)

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    at = 13 + table(data[10]) if size > 10 else size
    left = _FREE_BLOCKS + size // _BYTES_A_PART
    while at < size:
        kind = data[at]
        left -= 1
        if kind == 0x3B:
            return Extent(at + 1)
        if kind == 0x21:
            at += 2
        elif kind == 0x2C and at + 9 < size:
            at += 11 + table(data[at + 9])
        elif kind == 0:
            at += 1  # a stray end of a block
            if left < 0:
                return Extent(crowded=True)
            continue
        else:
            return Extent()
        while at < size and data[at] and left >= 0:
            at += 1 + data[at]
            left -= 1
        at += 1
        if left < 0:
            return Extent(crowded=True)
    return Extent(size + 1, cut=True) if at >= size else Extent()


def _webp(data: bytes) -> Extent:
    size = int.from_bytes(data[4:8], "little")
    return _until(data, 8 + size + size % 2)


def _bmp(data: bytes) -> Extent:
    """The size field of BMP is often wrong: trust the picture's own size where it is known."""
    if int.from_bytes(data[14:18], "little") < 40:
        return Extent()
    offset = int.from_bytes(data[10:14], "little")
    width, height = (int.from_bytes(data[a : a + 4], "little", signed=True) for a in (18, 22))
    bits, compression = (int.from_bytes(data[a : a + n], "little") for a, n in ((28, 2), (30, 4)))
    if compression not in {0, 3}:
        return _until(data, offset + int.from_bytes(data[34:38], "little"))
    stride = (abs(width) * bits + 31) // 32 * 4
    return _until(data, offset + stride * abs(height))


def _boxes(data: bytes) -> Extent:
    """Walk the top-level boxes of ISO/IEC 14496-12, section 4.2, as long as they look like some."""
    at = 0
    seen: set[bytes] = set()
    while at + 8 <= len(data) and len(seen) < _MOST_BOXES:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        elif size == 0:
            size = len(data) - at  # to the end of the file
        whole = b"meta" in seen and bool(seen & {b"mdat", b"moov", b"idat"})
        strange = size < 8 or not kind.isalnum() or (kind == b"ftyp" and at > 0)
        if strange or (whole and at + size > len(data)):
            return Extent(at, cut=b"meta" not in seen)
        if at + size > len(data):
            return Extent(at + size, cut=True)
        seen.add(kind)
        at += size
    return Extent(at)


def _tiff(data: bytes) -> Extent:
    """Walk the directories of TIFF 6.0 (section 2) or BigTIFF."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    wide = 43 in data[2:4]
    word, entry, counter = (8, 20, 8) if wide else (4, 12, 2)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at = first = number(8, 8) if wide else number(4, 4)
    seen: set[int] = set()
    room = 4 * len(data) + _FREE_PARTS
    while at and at < len(data) and at not in seen:
        seen.add(at)
        count = number(at, counter)
        for field in range(at + counter, at + counter + entry * min(count, _MOST_FIELDS), entry):
            kind, values = number(field + 2, 2), number(field + 4, word)
            # Numbers become Python objects; one list may be named by many fields.
            numeric = kind not in _BYTE_KINDS
            if values * _KINDS.get(kind, 0) <= len(data):
                room -= 64 if values < 64 else values * _KINDS.get(kind, 0)
            if room < 0 or (numeric and _MOST_VALUES < values <= len(data)):
                return Extent(crowded=True)
        if count > _MOST_FIELDS:
            return Extent(crowded=True)
        at = number(at + counter + entry * count, word)
    return Extent(None, cut=first >= len(data))


_WALKS = {
    Format.PNG: _png,
    Format.GIF: _gif,
    Format.WEBP: _webp,
    Format.BMP: _bmp,
    Format.AVIF: _boxes,
    Format.HEIC: _boxes,
    Format.TIFF: _tiff,
}


def jpeg_end(data: bytes, scan: int, *, thorough: bool) -> int | None:
    """Find the byte after the end-of-image marker of the JPEG whose first scan begins at `scan`.

    Inside entropy-coded data the marker cannot stand (ITU-T T.81, B.1.1.5), so the first one is
    the end. Unless `thorough`, only the first 128 KiB and the last 512 KiB are looked at: a sound
    file has it as its very last bytes, and reading all of a large one would cost more than a
    twentieth of decoding it. Returns None when there is none.
    """
    if thorough or len(data) - scan <= 5 * _STRIDE:
        return _find_end(data, scan, len(data))
    return _find_end(data, scan, scan + _STRIDE) or _find_end(
        data, len(data) - 4 * _STRIDE, len(data)
    )


def _find_end(data: bytes, start: int, stop: int) -> int | None:
    """Find FF D9, three times as fast as bytes.find does where FF is common."""
    octets = np.frombuffer(data, np.uint8)
    while start < stop:
        part = octets[start : min(start + _STRIDE, stop)]
        hits = part[:-1] == 0xFF
        hits &= part[1:] == 0xD9
        if hits.any():
            return start + int(hits.argmax()) + 2
        start += _STRIDE - 1
    return None
