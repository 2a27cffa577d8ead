"""IPTC-IIM, the metadata of press agencies, bare or in Photoshop's image resources.

IPTC Information Interchange Model 4.2, chapters 3 and 6; Adobe Photoshop File Formats, "Image
resource blocks".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from egide.errors import CorruptItem
from egide.provenance.carriers_gathering import Gathering
from egide.provenance.usercomment import decode_text

DATASETS: Final = {
    5: "ObjectName",
    25: "Keywords",
    40: "SpecialInstructions",
    55: "DateCreated",
    65: "OriginatingProgram",
    70: "ProgramVersion",
    80: "By-line",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    120: "Caption",
}
"""What is read of record 2, the application record."""

_RESOURCE: Final = b"8BIM"
_IIM: Final = 0x0404
_MARK: Final = 0x1C
_RECORD: Final = 2
_EXTENDED: Final = 0x8000


def read_resources(block: bytes, found: Gathering) -> None:
    """Add the datasets of the IIM among Photoshop's image resources as `iptc:Name`."""
    at = 0
    while block.startswith(_RESOURCE, at):
        found.step()
        name = 1 + (block[at + 6] if at + 6 < len(block) else 0)
        size_at = at + 6 + name + name % 2
        size = int.from_bytes(block[size_at : size_at + 4], "big")
        if size_at + 4 + size > len(block):
            found.fault(CorruptItem("IPTC: a resource is longer than what holds it"))
            return
        if int.from_bytes(block[at + 4 : at + 6], "big") == _IIM:
            read_iim(block[size_at + 4 : size_at + 4 + size], found)
        at = size_at + 4 + size + size % 2


def read_iim(block: bytes, found: Gathering) -> None:
    """The same of a bare IIM; the values of what may be repeated are joined with `, `."""
    said: dict[str, list[str]] = {}
    for number, value in _datasets(block, found):
        if name := DATASETS.get(number):
            said.setdefault(name, []).append(decode_text(value).strip())
    for name, texts in said.items():
        found.add("iptc", name, ", ".join(texts))


def _datasets(block: bytes, found: Gathering) -> Iterator[tuple[int, bytes]]:
    """Number and value of the datasets of the application record."""
    at = 0
    while at + 5 <= len(block) and block[at] == _MARK:
        found.step()
        size = int.from_bytes(block[at + 3 : at + 5], "big")
        if size >= _EXTENDED or at + 5 + size > len(block):
            found.fault(CorruptItem("IPTC: a dataset is longer than what holds it"))
            return
        if block[at + 1] == _RECORD:
            yield block[at + 2], block[at + 5 : at + 5 + size]
        at += 5 + size
