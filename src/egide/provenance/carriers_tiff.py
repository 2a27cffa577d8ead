"""TIFF and BigTIFF: text tags and XMP of every page, read by seeking."""

from __future__ import annotations

from typing import BinaryIO

from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.exif import read_tiff_block


def read_tiff(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the text tags, as `exif:Tag`, and the XMP properties of a TIFF of `size` bytes."""

    def read(at: int, count: int) -> bytes:
        return read_at(stream, at, count) if at < size else b""

    read_tiff_block(read, found, "TIFF", pages=True)
