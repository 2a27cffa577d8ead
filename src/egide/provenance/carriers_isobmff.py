"""AVIF, HEIC, MP4 and MOV: items, tags and XMP, found by seeking from box to box.

ISO/IEC 14496-12 (boxes, 8.11 `meta`), ISO/IEC 23008-12 (annex A, EXIF items), Apple's QuickTime
File Format (`udta`, `keys`, `ilst`), XMP specification part 3, 1.2.7 (`uuid`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from egide.errors import TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.carriers_isobmff_items import read_items
from egide.provenance.usercomment import decode_text
from egide.provenance.xmp import read_xmp

_XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_NAMES: Final = {
    b"\xa9ART": "artist",
    b"\xa9aut": "author",
    b"\xa9cmt": "comment",
    b"\xa9cpy": "copyright",
    b"\xa9day": "date",
    b"\xa9des": "description",
    b"\xa9inf": "comment",
    b"\xa9mak": "make",
    b"\xa9mod": "model",
    b"\xa9nam": "title",
    b"\xa9swr": "software",
    b"\xa9too": "encoder",
    b"AIGC": "AIGC",
    b"cprt": "copyright",
    b"desc": "description",
    b"ldes": "synopsis",
}
"""Keys by the type of the box, for those that have no name of their own; FFmpeg's names."""

_APPLE: Final = "com.apple.quicktime."
_UTF16: Final = 2
_TEXT_KINDS: Final = frozenset({0, 1, 2, 4, 5})


class Box(NamedTuple):
    """A box: its type, where its content begins, and where it ends."""

    kind: bytes
    at: int
    end: int


def read_picture(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the EXIF tags and XMP properties of an AVIF or a HEIC of `size` bytes."""
    _read(stream, size, found, "heif")


def read_film(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the tags of an MP4 (`mp4:key`) or a QuickTime file (`mov:key`), and its XMP."""
    head = read_at(stream, 0, 12)
    carrier = "mov" if head[4:8] != b"ftyp" or head[8:12] == b"qt  " else "mp4"
    _read(stream, size, found, carrier)


def _read(stream: BinaryIO, size: int, found: Gathering, carrier: str) -> None:
    for box in _boxes(stream, 0, size, found, top=True):
        if box.kind == b"moov":
            _read_movie(stream, box, found, carrier)
        elif box.kind == b"meta":
            _read_meta(stream, box, found, carrier)
        elif box.kind == b"uuid":
            _read_uuid(stream, box, found)


def _boxes(
    stream: BinaryIO, at: int, end: int, found: Gathering, *, top: bool = False
) -> Iterator[Box]:
    """The boxes between `at` and `end`; one that reaches beyond is a fault, and the last."""
    while at + 8 <= end:
        found.step()
        head = read_at(stream, at, 16)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            if not top:
                return  # QuickTime ends `udta` with four zero bytes
            length = end - at
        if length < body - at or at + length > end:
            found.fault(
                TruncatedItem(
                    f"box {_shown(kind)}: it says it is longer than there is room for; "
                    "it was not read"
                )
            )
            return
        yield Box(kind, body, at + length)
        at += length


def _shown(kind: bytes) -> str:
    text = kind.decode("latin-1")
    return repr(text) if text.isprintable() else kind.hex()


def _body(stream: BinaryIO, box: Box, found: Gathering) -> bytes:
    """The content of a box; none, with a fault, when it is too long."""
    if not found.claim(box.end - box.at, f"box {_shown(box.kind)}"):
        return b""
    return read_at(stream, box.at, box.end - box.at)


def _read_uuid(stream: BinaryIO, box: Box, found: Gathering) -> None:
    if read_at(stream, box.at, 16) == _XMP_UUID:
        packet = _body(stream, box, found)[16:]
        if packet:
            read_xmp(packet, found)


def _read_movie(stream: BinaryIO, movie: Box, found: Gathering, carrier: str) -> None:
    for box in _boxes(stream, movie.at, movie.end, found):
        if box.kind == b"meta":
            _read_meta(stream, box, found, carrier)
        elif box.kind == b"udta":
            _read_user_data(stream, box, found, carrier)
        elif box.kind == b"uuid":
            _read_uuid(stream, box, found)


def _read_user_data(stream: BinaryIO, data: Box, found: Gathering, carrier: str) -> None:
    for box in _boxes(stream, data.at, data.end, found):
        if box.kind == b"meta":
            _read_meta(stream, box, found, carrier)
        elif box.kind == b"XMP_":
            read_xmp(_body(stream, box, found), found)
        elif name := _NAMES.get(box.kind):
            found.add(carrier, name, _user_text(_body(stream, box, found)))


def _user_text(body: bytes) -> str:
    """QuickTime's text: its length and language in two bytes each; else the bytes themselves."""
    length = int.from_bytes(body[:2], "big")
    return decode_text(body[4 : 4 + length] if 0 < length <= len(body) - 4 else body)


def _read_meta(stream: BinaryIO, meta: Box, found: Gathering, carrier: str) -> None:
    """Tags (`keys`, `ilst`) or items (`iinf`, `iloc`); QuickTime leaves version and flags out."""
    at = meta.at if read_at(stream, meta.at, 8)[4:] in {b"hdlr", b"keys"} else meta.at + 4
    parts: dict[bytes, Box] = {}
    for box in _boxes(stream, at, meta.end, found):
        parts.setdefault(box.kind, box)
    if b"ilst" in parts:
        keys = _keys(_body(stream, parts[b"keys"], found), found) if b"keys" in parts else []
        _read_list(stream, parts[b"ilst"], keys, found, carrier)
    if b"iinf" in parts and b"iloc" in parts:
        inside = parts.get(b"idat")
        infos, places = (_body(stream, parts[kind], found) for kind in (b"iinf", b"iloc"))
        read_items(stream, infos, places, inside.at if inside else 0, found)


def _keys(body: bytes, found: Gathering) -> list[str]:
    """The names that a `keys` box lists."""
    names, at = [], 8
    while at + 8 <= len(body):
        found.step()
        length = int.from_bytes(body[at : at + 4], "big")
        if length < 8:
            break
        name = body[at + 8 : at + length].decode("utf-8", "replace")
        names.append(name.removeprefix(_APPLE))
        at += length
    return names


def _read_list(
    stream: BinaryIO, listed: Box, keys: list[str], found: Gathering, carrier: str
) -> None:
    for box in _boxes(stream, listed.at, listed.end, found):
        number = int.from_bytes(box.kind, "big")
        name = keys[number - 1] if 0 < number <= len(keys) else _NAMES.get(box.kind)
        if name is None and box.kind != b"----":
            continue
        for inner in _boxes(stream, box.at, box.end, found):
            if inner.kind == b"name":
                name = _body(stream, inner, found)[4:].decode("utf-8", "replace")
            elif inner.kind == b"data" and name:
                _add_value(_body(stream, inner, found), name, found, carrier)


def _add_value(body: bytes, name: str, found: Gathering, carrier: str) -> None:
    """A `data` box: a type of four bytes, a locale of four, the value."""
    kind = int.from_bytes(body[:4], "big")
    if kind in _TEXT_KINDS:
        found.add(carrier, name, decode_text(body[8:], wide=kind in {_UTF16, 5}))
