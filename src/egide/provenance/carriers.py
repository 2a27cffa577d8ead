"""Where files keep their metadata: one reader a container, told by the first bytes.

    item ─► reader of its container ─► EXIF, XMP, plain text ─► blocks

A reader seeks over pixels and sound. Whatever is damaged becomes a fault, and what stands before
and beside it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from egide.errors import ItemError
from egide.item import Item
from egide.provenance.carriers_gathering import Carried, Gathering, Limits, read_at
from egide.provenance.carriers_gif import read_gif
from egide.provenance.carriers_isobmff import read_film, read_picture
from egide.provenance.carriers_jpeg import read_jpeg
from egide.provenance.carriers_matroska import read_matroska
from egide.provenance.carriers_pdf import read_pdf
from egide.provenance.carriers_png import read_png
from egide.provenance.carriers_tiff import read_tiff
from egide.provenance.carriers_webp import read_webp
from egide.sniff import HEAD_BYTES, Format, sniff_picture

__all__ = ["READERS", "Carried", "Limits", "carrier_of", "read_blocks"]

Reader = Callable[[BinaryIO, int, Gathering], None]

READERS: Final[dict[str, Reader]] = {
    "jpeg": read_jpeg,
    "png": read_png,
    "webp": read_webp,
    "gif": read_gif,
    "tiff": read_tiff,
    "avif": read_picture,
    "heic": read_picture,
    "mp4": read_film,
    "matroska": read_matroska,
    "pdf": read_pdf,
}
"""Who reads which container; BMP has no place for metadata."""

_DEFAULT: Final = Limits()
_EBML: Final = b"\x1a\x45\xdf\xa3"
_FILMS: Final = frozenset({b"ftyp", b"moov"})
_PDF: Final = b"%PDF-"
_PDF_HEAD: Final = 1024


def read_blocks(item: Item, limits: Limits = _DEFAULT) -> Carried:
    """Everything that the file says of its making, in text, undecided.

    Reads EXIF, XMP, IPTC-IIM, text chunks, comments, tags, and text hidden in pixels; C2PA is
    read by `egide.provenance.credentials`. Never raises for what is in the item.
    """
    found = Gathering(limits)
    if item.problem is not None:
        return found.finish(None, item.problem)
    carrier = None
    try:
        with item.opened() as opened:
            # Readers jump from head to head: a buffer would read a thousand bytes for every eight.
            stream = getattr(opened, "raw", opened)
            carrier = carrier_of(read_at(stream, 0, HEAD_BYTES))
            if carrier:
                READERS[carrier](stream, item.size, found)
    except ItemError as error:
        return found.finish(carrier, error)
    return found.finish(carrier)


def carrier_of(head: bytes) -> str | None:
    """The name in `READERS` of the container that `head`, a file's first 4,096 bytes, begins."""
    format_ = sniff_picture(head)
    if format_ is not None:
        return None if format_ is Format.BMP else format_.value
    if head.startswith(_EBML):
        return "matroska"
    if head[4:8] in _FILMS:
        return "mp4"
    return "pdf" if _PDF in head[:_PDF_HEAD] else None
