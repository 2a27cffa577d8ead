"""JPEG: EXIF, XMP, IPTC and comments before the picture, without reading it.

ITU-T T.81, B.1; CIPA DC-008, 4.7; XMP specification part 3, 1.1.3 (extended XMP).
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Final

from egide.errors import CorruptItem, TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.exif import read_exif
from egide.provenance.iptc import read_resources
from egide.provenance.usercomment import decode_text
from egide.provenance.xmp import read_xmp

_SOS, _EOI, _APP1, _APP13, _COMMENT = 0xDA, 0xD9, 0xE1, 0xED, 0xFE
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that nothing follows
_EXIF: Final = b"Exif\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_HEADERS: Final = (b"II*\0", b"MM\0*")
_DIGEST: Final = 32


class _Parts:
    """What a JPEG spreads over segments of at most 64 KiB."""

    def __init__(self) -> None:
        self.exif: list[list[bytes]] = []
        self.packets: list[bytes] = []
        self.resources: list[bytes] = []
        self.extended: dict[bytes, list[tuple[int, int, bytes]]] = {}
        """By digest: size of the whole, place of the part, part."""


def read_jpeg(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the EXIF tags, XMP properties, IPTC datasets and comments of a JPEG of `size` bytes."""
    parts = _Parts()
    at = 2
    while True:
        found.step()
        head = read_at(stream, at, 4)
        marker = head[1] if len(head) > 1 else _EOI
        if head[:1] != b"\xff" or len(head) < 4:
            _stray(head, found)
            break
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in {_SOS, _EOI}:
            break
        length = int.from_bytes(head[2:], "big")
        if length < 2 or at + 2 + length > size:
            found.fault(TruncatedItem("JPEG: it ends inside a segment; get the whole file"))
            break
        _take(marker, stream, length - 2, parts, found)
        at += 2 + length
    for exif in parts.exif:
        read_exif(b"".join(exif), found)
    _read_packets(parts, found)
    read_resources(b"".join(parts.resources), found)


def _stray(head: bytes, found: Gathering) -> None:
    if len(head) < 4:
        found.fault(TruncatedItem("JPEG: it ends before its picture; get the whole file"))
    else:
        found.fault(CorruptItem("JPEG: something else stands where a segment should begin"))


def _take(marker: int, stream: BinaryIO, length: int, parts: _Parts, found: Gathering) -> None:
    """Read a segment that may hold text."""
    if marker not in {_APP1, _APP13, _COMMENT} or not found.claim(length, "JPEG: a segment"):
        return
    body = stream.read(length)
    if marker == _COMMENT:
        found.add("jpeg", "comment", decode_text(body))
    elif marker == _APP13:
        if body.startswith(_PHOTOSHOP):
            parts.resources.append(body[len(_PHOTOSHOP) :])
    elif body.startswith(_EXIF):
        _take_exif(body[6:], parts)
    elif body.startswith(_XMP):
        parts.packets.append(body[len(_XMP) :])
    elif body.startswith(_EXTENSION):
        head, place = body[len(_EXTENSION) :][: _DIGEST + 8], len(_EXTENSION) + _DIGEST + 8
        whole, start = (int.from_bytes(head[_DIGEST + n :][:4], "big") for n in (0, 4))
        known = parts.extended.setdefault(head[:_DIGEST], [])
        known.append((whole, start, body[place:]))


def _take_exif(body: bytes, parts: _Parts) -> None:
    """A segment without a TIFF header goes on where the one before it was full."""
    if parts.exif and not body.startswith(_HEADERS):
        parts.exif[-1].append(body)
    else:
        parts.exif.append([body])


def _read_packets(parts: _Parts, found: Gathering) -> None:
    for packet in parts.packets:
        digest = read_xmp(packet, found)
        if digest is None:
            continue
        extended = parts.extended.pop(digest.encode("ascii", "replace"), None)
        if extended is None:
            found.fault(TruncatedItem("XMP: its extended part is missing"))
        elif (whole := _joined(digest, extended, found)) is not None:
            read_xmp(whole, found)


def _joined(digest: str, extended: list[tuple[int, int, bytes]], found: Gathering) -> bytes | None:
    """The extended packet; None, with a fault, unless its parts make up what was announced."""
    whole = b"".join(part for _, _, part in sorted(extended, key=lambda part: part[1]))
    if hashlib.md5(whole, usedforsecurity=False).hexdigest().upper() == digest.upper():
        return whole
    found.fault(CorruptItem("XMP: its extended part is incomplete or was changed; it was left out"))
    return None
