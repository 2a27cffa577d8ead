"""The text in EXIF blocks and TIFF files.

CIPA DC-008 (EXIF 3.0), 4.6; the `XP…` tags are Microsoft's, in UTF-16.
"""

from __future__ import annotations

from typing import Final

from egide.errors import CorruptItem, TruncatedItem
from egide.media.ifd import Entry, Read, Tiff
from egide.provenance.carriers_gathering import Gathering
from egide.provenance.iptc import read_iim, read_resources
from egide.provenance.usercomment import decode_comment, decode_text
from egide.provenance.xmp import read_xmp

TAGS: Final = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
}
"""The tags that are read, in whichever directory a writer has put them."""

_EXIF_DIRECTORY: Final = 0x8769
_BLOCKS: Final = {
    0x02BC: ("XMP", read_xmp),
    0x83BB: ("IPTC", read_iim),
    0x8649: ("image resources", read_resources),
}
"""Tags that hold a block of another kind."""

_LONG, _IPTC = 4, 0x83BB
_TEXTS: Final = frozenset({1, 2, 6, 7, 129})  # bytes of one kind or another; 129 is UTF-8
_PREFIX: Final = b"Exif\0\0"
_MOST_DIRECTORIES: Final = 32


def read_exif(block: bytes, found: Gathering) -> None:
    """Add the text tags of an EXIF block, with or without `Exif\\0\\0` in front, as `exif:Tag`."""
    body = block.removeprefix(_PREFIX)
    read_tiff_block(lambda at, size: body[at : at + size], found, "EXIF", pages=False)


def read_tiff_block(read: Read, found: Gathering, what: str, *, pages: bool) -> None:
    """The same of whatever `read` reads from; with `pages`, of all directories in the chain."""
    try:
        tiff = Tiff(read)
    except ValueError:
        found.fault(CorruptItem(f"{what}: it begins with no TIFF header; get an intact copy"))
        return
    _Walk(tiff, read, found, what).pages(_MOST_DIRECTORIES if pages else 1)


class _Walk:
    """One walk over the directories of a block."""

    def __init__(self, tiff: Tiff, read: Read, found: Gathering, what: str) -> None:
        self._tiff, self._read, self._found, self._what = tiff, read, found, what
        self._seen: set[int] = set()
        self._inner: list[int] = []  # EXIF directories still to be read

    def pages(self, most: int) -> None:
        """Reads up to `most` directories in a chain, then the EXIF directory of each."""
        at = self._tiff.first
        for _ in range(most):
            at = self._directory(at)
            if not at:
                break
        for inner in self._inner[:most]:
            self._directory(inner)

    def _directory(self, at: int) -> int:
        """Reads one directory; gives where the next begins, 0 for none."""
        if at in self._seen:
            self._corrupt("its directories form a loop")
            return 0
        self._seen.add(at)
        directory = self._tiff.directory(at)
        for entry in directory.entries:
            self._found.step()
            self._entry(entry)
        if directory.cut:
            self._cut("a directory")
        return directory.next

    def _entry(self, entry: Entry) -> None:
        if entry.tag == _EXIF_DIRECTORY:
            self._inner.append(self._tiff.number(entry))
        elif block := _BLOCKS.get(entry.tag):
            what, read = block
            value = self._value(entry, what)
            if value:
                read(value, self._found)
        elif name := TAGS.get(entry.tag):
            self._text(entry, name)

    def _text(self, entry: Entry, name: str) -> None:
        value = self._value(entry, name)
        if not value:
            return
        order = self._tiff.order
        if name == "UserComment":
            text = decode_comment(value, order)
        elif name.startswith("XP"):
            text = _microsoft(value)
        else:
            text = decode_text(value, order)
        self._found.add("exif", name, text)

    def _value(self, entry: Entry, name: str) -> bytes | None:
        """The bytes of a text; None, with a fault, when they are none or not there."""
        # Adobe once declared IPTC as numbers of four bytes, and others follow it to this day.
        if entry.kind not in _TEXTS and (entry.tag, entry.kind) != (_IPTC, _LONG):
            self._corrupt(f"{name} is of a type that holds no text")
            return None
        if not self._found.claim(entry.size, f"{self._what}: {name}"):
            return None
        value = self._read(entry.at, entry.size)
        if len(value) < entry.size:
            self._cut(name)
            return None
        return value

    def _corrupt(self, said: str) -> None:
        self._found.fault(CorruptItem(f"{self._what}: {said}; the rest was read"))

    def _cut(self, name: str) -> None:
        self._found.fault(
            TruncatedItem(f"{self._what}: {name} lies outside of it; the rest was read")
        )


def _microsoft(value: bytes) -> str:
    """UTF-16 as Windows writes it, lowest byte first; what has no zero byte may be anything."""
    if 0 in value:
        return value[: len(value) // 2 * 2].decode("utf-16-le", "replace").rstrip("\0")
    return decode_text(value, "little", wide=True)
