"""The items of an AVIF or HEIC file that hold EXIF or XMP (ISO/IEC 14496-12, 8.11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from egide.errors import TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.exif import read_exif
from egide.provenance.xmp import read_xmp

_XMP_TYPE: Final = b"application/rdf+xml"
_EXIF, _XMP = "EXIF", "XMP"
_FILE, _INSIDE = 0, 1  # where an item's extents count from
_MOST_EXTENTS: Final = 64


@dataclass(slots=True)
class _Numbers:
    """Big-endian numbers read one after another; 0 behind the end."""

    body: bytes
    at: int = 0

    def take(self, size: int) -> int:
        value = int.from_bytes(self.body[self.at : self.at + size], "big")
        self.at += size
        return value

    @property
    def done(self) -> bool:
        return self.at >= len(self.body)


def read_items(
    stream: BinaryIO, infos: bytes, places: bytes, inside: int, found: Gathering
) -> None:
    """Add what the items of type EXIF and XMP hold.

    `infos` is the content of `iinf`, `places` that of `iloc`, `inside` where `idat` begins.
    """
    wanted = dict(_wanted(infos, found))
    if not wanted:
        return
    for number, method, extents in _located(places, found):
        what = wanted.pop(number, None)
        if what is None:
            continue
        if method not in {_FILE, _INSIDE} or len(extents) > _MOST_EXTENTS:
            found.leave_out(f"{what} made of other items")
            continue
        base = inside if method == _INSIDE else 0
        _read_item(stream, what, [(base + at, size) for at, size in extents], found)
    for what in wanted.values():
        found.fault(TruncatedItem(f"{what}: the file does not say where it stands"))


def _wanted(infos: bytes, found: Gathering) -> Iterator[tuple[int, str]]:
    """Number and content of the items that hold EXIF or XMP."""
    numbers = _Numbers(infos)
    version = numbers.take(4) >> 24
    for _ in range(numbers.take(2 if version == 0 else 4)):
        if numbers.done:
            return
        found.step()
        start = numbers.at
        size = numbers.take(4)
        numbers.take(4)
        version = numbers.take(4) >> 24
        number = numbers.take(2 if version == 2 else 4)
        numbers.take(2)
        kind = infos[numbers.at : numbers.at + 4]
        rest = infos[numbers.at + 4 : start + size]
        if kind == b"Exif":
            yield number, _EXIF
        elif kind == b"mime" and _XMP_TYPE in rest.split(b"\0")[:2]:
            yield number, _XMP
        numbers.at = start + max(size, 8)


def _located(places: bytes, found: Gathering) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Number, method of construction, and extents (place, size) of each item."""
    numbers = _Numbers(places)
    version = numbers.take(4) >> 24
    sizes = numbers.take(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(numbers.take(4 if version == 2 else 2)):
        if numbers.done:
            return
        found.step()
        number = numbers.take(4 if version == 2 else 2)
        method = numbers.take(2) & 15 if version else _FILE
        numbers.take(2)
        begin = numbers.take(base)
        extents = []
        for _ in range(numbers.take(2)):
            if numbers.done:
                break
            found.step()
            numbers.take(index if version else 0)
            place = begin + numbers.take(offset)
            extents.append((place, numbers.take(length)))
        yield number, method, extents


def _read_item(
    stream: BinaryIO, what: str, extents: list[tuple[int, int]], found: Gathering
) -> None:
    size = sum(size for _, size in extents)
    if not found.claim(size, what):
        return
    try:
        body = b"".join(read_at(stream, at, size) for at, size in extents)
    except OverflowError:  # a place beyond what any file has
        body = b""
    if len(body) < size:
        found.fault(TruncatedItem(f"{what}: it lies outside of the file; the rest was read"))
    elif what == _XMP:
        read_xmp(body, found)
    else:
        # The block's first four bytes say how far behind them the TIFF header stands.
        read_exif(body[4 + int.from_bytes(body[:4], "big") :], found)
