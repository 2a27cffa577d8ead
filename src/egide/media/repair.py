"""Makes a damaged file one that its decoder accepts, without touching the pixels that are there."""

from __future__ import annotations

import zlib

_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})


def bare_png(data: bytes) -> bytes:
    """Copy a PNG with only the chunks that make its pixels, checksums made anew, and an end.

    This gets past text and profile chunks that are compressed bombs or have a wrong checksum.
    """
    parts = [data[:8]]
    at = 8
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind in _KEPT:
            check = zlib.crc32(body, zlib.crc32(kind))
            parts += [len(body).to_bytes(4, "big"), kind, body, check.to_bytes(4, "big")]
        if kind == b"IEND":
            break
    else:
        parts.append(b"\0\0\0\0IEND\xaeB`\x82")
    return b"".join(parts)


def padded(data: bytes, end: int, most: int) -> bytes:
    """Fill a file that breaks off with zeros up to its declared `end`, or to `most` bytes.

    WebP's decoder refuses a short file outright, but shows the rows before the zeros.
    """
    return data + bytes(max(0, min(end, most) - len(data)))
