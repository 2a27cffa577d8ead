"""XMP packets to plain text by property: no entities, no document type, no references.

ISO 16684-1 (XMP, part 1). Namespaces decide, prefixes never: a property is called by the prefix
that its standard gives it, whatever the file used.
"""

from __future__ import annotations

import re
from typing import Any, Final
from xml.parsers import expat

from egide.errors import CorruptItem, LimitExceeded, UnsafeItem
from egide.provenance.carriers_gathering import Gathering

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MOST_ELEMENTS: Final = 300_000
"""Photoshop has been seen to list a hundred thousand ancestors of a document."""
_MOST_ATTRIBUTES: Final = 20_000
"""Of one element, of which the parser takes all before it tells of the first."""
_ENCODING: Final = re.compile(rb"""<\?xml[^<>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})""")
_ENCODINGS: Final = frozenset(
    {b"utf-8", b"utf-16", b"utf-16be", b"utf-16le", b"us-ascii", b"iso-8859-1"}
)
"""Those that the parser knows itself; for others it would ask Python's many codecs."""

PROPERTIES: Final = {
    "http://purl.org/dc/elements/1.1": ("dc", {"creator", "description", "source", "subject",
                                               "title"}),
    "http://ns.adobe.com/xap/1.0": ("xmp", {"CreateDate", "CreatorTool", "Label"}),
    "http://ns.adobe.com/exif/1.0": ("exif", {"DateTimeOriginal", "UserComment"}),
    "http://ns.adobe.com/tiff/1.0": ("tiff", {"Artist", "ImageDescription", "Make", "Model",
                                              "Software"}),
    "http://ns.adobe.com/photoshop/1.0": ("photoshop", {"Credit", "DateCreated", "Headline",
                                                        "Instructions", "Source"}),
    "http://ns.adobe.com/pdf/1.3": ("pdf", {"Keywords", "Producer"}),
    "http://ns.adobe.com/xmp/note": ("xmpNote", {"HasExtendedXMP"}),
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29": (
        "Iptc4xmpExt", {"AIPromptInformation", "AIPromptWriterName", "AISystemUsed",
                        "AISystemVersionUsed", "DigitalImageGUID", "DigitalSourceType"}),
    "http://www.tc260.org.cn/ns/AIGC/1.0": ("TC260", {"AIGC"}),
}  # fmt: skip
"""What is read of a packet: prefix and names by namespace, the latter without a last `/`."""

EXTENDED: Final = "xmpNote:HasExtendedXMP"


def read_xmp(packet: bytes, found: Gathering) -> str | None:
    """Add every property of interest as a block `xmp:prefix:Name`; a fault when it is damaged.

    Of language alternatives the default is taken, the items of a list are joined with `, `. Gives
    the digest of the extended packet that this one announces, if any.
    """
    if not _is_parsed(packet, found):
        return None
    reading = _Reading()
    begin, end = packet.find(b"<"), packet.rfind(b">")
    if begin < 0:
        begin, end = 0, len(packet) - 1
    wide = packet[begin + 1 : begin + 2] == b"\0"  # UTF-16, whose last character has a byte more
    body = packet if wide or packet[:1] == b"\0" else packet[begin : end + 1]
    try:
        reading.parser.Parse(body.strip(b"\0") if body is not packet else body, True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code) or "not well formed"
        found.fault(CorruptItem(f"XMP: {said} in line {error.lineno}; what stands before was read"))
    except (LookupError, ValueError):
        found.fault(CorruptItem("XMP: its encoding is not known; write it in UTF-8"))
    except UnsafeItem as error:
        found.fault(error)
        return None
    except LimitExceeded as error:
        found.fault(error)
    extended = None
    for name, text in reading.properties:
        if name == EXTENDED:
            extended = text.strip()
        elif found.claim(len(text), f"XMP: {name}"):
            found.add("xmp", name, text)
    return extended


def _is_parsed(packet: bytes, found: Gathering) -> bool:
    """Whether the parser may be asked; a fault when not."""
    declared = _ENCODING.search(packet[:500])
    if declared and declared[1].lower() not in _ENCODINGS:
        found.fault(CorruptItem("XMP: its encoding is not known; write it in UTF-8"))
        return False
    # No value holds a "<": between two of them is one tag at most.
    if max(piece.count(b"=") for piece in packet.split(b"<")) > _MOST_ATTRIBUTES:
        said = f"XMP: more than {_MOST_ATTRIBUTES:,} attributes in one element; it was not read"
        found.fault(LimitExceeded(said))
        return False
    return True


def _name_of(qualified: str) -> str | None:
    """`prefix:Name` of the property that expat calls `namespace name`; None for other names."""
    space, _, local = qualified.rpartition(" ")
    known = PROPERTIES.get(space.replace("https://", "http://", 1).rstrip("/#"))
    return f"{known[0]}:{local}" if known and local in known[1] else None


class _Reading:
    """One packet being read: properties are the children of what stands in `rdf:RDF`."""

    def __init__(self) -> None:
        self.properties: list[tuple[str, str]] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._depth = self._elements = 0
        self._rdf = 0  # at which depth rdf:RDF stands; 0 while it does not
        self._inside: str | None = None
        self._items: list[tuple[str, str]] = []  # language and text
        self._parts: list[str] = []
        self._alternatives = False
        self._language = ""

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise LimitExceeded(f"XMP: more than {_MOST_ELEMENTS:,} elements; those were read")
        if tag == f"{_RDF} RDF" and not self._rdf:
            self._rdf = self._depth
        elif self._rdf and self._depth == self._rdf + 1:
            self._read_attributes(attributes)
        elif self._rdf and self._depth == self._rdf + 2:
            self._open(_name_of(tag), attributes)
        elif self._inside:
            self._alternatives = self._alternatives or tag == f"{_RDF} Alt"
            if tag == f"{_RDF} li":
                self._parts = [attributes.get(f"{_RDF} resource", "")]
                self._language = attributes.get("http://www.w3.org/XML/1998/namespace lang", "")

    def _read_attributes(self, attributes: dict[str, str]) -> None:
        for qualified, value in attributes.items():
            if name := _name_of(qualified):
                self.properties.append((name, value))

    def _open(self, name: str | None, attributes: dict[str, str]) -> None:
        self._inside, self._items, self._alternatives = name, [], False
        self._parts = [attributes.get(f"{_RDF} resource", "")] if name else []

    def _text(self, text: str) -> None:
        if self._inside:
            self._parts.append(text)

    def _end(self, tag: str) -> None:
        if self._inside and tag == f"{_RDF} li":
            self._items.append((self._language, "".join(self._parts)))
            self._parts = []
        elif self._rdf and self._depth == self._rdf + 2:
            self._close()
        elif self._depth == self._rdf:
            self._rdf = 0
        self._depth -= 1

    def _close(self) -> None:
        if self._inside:
            self.properties.append((self._inside, self._value()))
        self._inside = None

    def _value(self) -> str:
        if not self._items:
            return "".join(self._parts)
        if self._alternatives:
            default = [text for language, text in self._items if language == "x-default"]
            return (default or [self._items[0][1]])[0]
        return ", ".join(text for _, text in self._items)


def _refuse(*_: Any) -> None:
    raise UnsafeItem("XMP: it declares a document type or entities, which XMP has none of")
