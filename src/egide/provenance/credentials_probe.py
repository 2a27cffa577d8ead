"""Whether a file may hold Content Credentials: told from its parts, without reading its pixels.

Loading the C2PA library costs a tenth of a second, and most files hold no manifest. Where a
manifest stands in each container: C2PA Technical Specification 2.2, appendix A.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from egide.sniff import Format, sniff_picture

MAX_PARTS: Final = 1 << 17
"""Chunks, segments or boxes looked at; the rest of such a file is not."""

_HEAD: Final = 256
_XMP_BYTES: Final = 1 << 20
_REMOTE: Final = b"provenance"
"""The XMP property `dcterms:provenance` says where a manifest is kept that the file lacks."""


class _Part(NamedTuple):
    kind: bytes
    at: int
    size: int


class _Carrier(NamedTuple):
    """How a container is taken apart; which part is a manifest, and how it begins; which is XMP."""

    parts: Callable[[BinaryIO], Iterator[_Part]]
    manifest: bytes
    begins: bytes = b""
    xmp: bytes | None = None


def may_hold_manifest(stream: BinaryIO) -> bool:
    """Whether the C2PA library could find a manifest, or the address of one, in this file.

    False only where it would find none: formats that it does not read, and files whose parts up to
    the first broken one are none that hold a manifest. TIFF and PDF, which have no order of parts,
    are left to the library.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    format_ = sniff_picture(head)
    if format_ is Format.TIFF or head.startswith(b"%PDF-"):
        return True
    if format_ is Format.GIF:
        return holds(stream, b"C2PA_GIF", _REMOTE)
    carrier = _CARRIERS.get(format_) if format_ else None
    if carrier is None and head[4:8] in (b"ftyp", b"moov"):
        carrier = _BOXED
    if carrier is None and head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        carrier = _RIFF
    return carrier is not None and _found(stream, carrier)


def _found(stream: BinaryIO, carrier: _Carrier) -> bool:
    """Whether a part is a manifest (by its kind and how it begins), or XMP that names one."""
    for part in islice(carrier.parts(stream), MAX_PARTS):
        if part.kind == carrier.manifest:
            stream.seek(part.at)
            if stream.read(len(carrier.begins)) == carrier.begins:
                return True
        elif part.kind == carrier.xmp:
            stream.seek(part.at)
            if _REMOTE in stream.read(min(part.size, _XMP_BYTES)):
                return True
    return False


def holds(stream: BinaryIO, *needles: bytes) -> bool:
    """Whether any of the `needles`, of at most 16 bytes each, stands anywhere in the file."""
    kept = b""
    stream.seek(0)
    while piece := stream.read(1 << 20):
        window = kept + piece
        if any(needle in window for needle in needles):
            return True
        kept = window[-16:]
    return False


def _jpeg_parts(stream: BinaryIO) -> Iterator[_Part]:
    """The marker segments up to the first scan; a part's kind is the marker's second byte."""
    at = 2
    while True:
        stream.seek(at)
        header = stream.read(4)
        if len(header) < 4 or header[0] != 0xFF or header[1] in (0xD9, 0xDA):
            return
        if header[1] == 0xFF or header[1] == 0x01 or 0xD0 <= header[1] <= 0xD8:
            at += 1 if header[1] == 0xFF else 2  # a fill byte, or a marker without a length
            yield _Part(b"", at, 0)  # counted, or a file of fill bytes takes forever
            continue
        size = int.from_bytes(header[2:], "big")
        yield _Part(header[1:2], at + 4, size - 2)
        at += 2 + max(size, 2)


def _png_parts(stream: BinaryIO) -> Iterator[_Part]:
    at = 8
    while True:
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8 or header[4:] == b"IEND":
            return
        size = int.from_bytes(header[:4], "big")
        yield _Part(header[4:], at + 8, size)
        at += 12 + size


def _riff_parts(stream: BinaryIO) -> Iterator[_Part]:
    at = 12
    while True:
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8:
            return
        size = int.from_bytes(header[4:], "little")
        yield _Part(header[:4], at + 8, size)
        at += 8 + size + size % 2


def _boxes(stream: BinaryIO) -> Iterator[_Part]:
    """The boxes on the first level (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while True:
        stream.seek(at)
        header = stream.read(16)
        if len(header) < 8:
            return
        size, start = int.from_bytes(header[:4], "big"), 8
        if size == 1:
            size, start = int.from_bytes(header[8:16], "big"), 16
        yield _Part(header[4:8], at + start, max(size - start, 0))
        if size < start:  # to the end of the file, or wrong
            return
        at += size


_BOXED: Final = _Carrier(_boxes, b"uuid")
_RIFF: Final = _Carrier(_riff_parts, b"C2PA", xmp=b"XMP ")
_CARRIERS: Final = {
    Format.JPEG: _Carrier(_jpeg_parts, b"\xeb", b"JP", xmp=b"\xe1"),  # APP11, APP1
    Format.PNG: _Carrier(_png_parts, b"caBX", xmp=b"iTXt"),
    Format.WEBP: _RIFF,
    Format.AVIF: _BOXED,
    Format.HEIC: _BOXED,
}
