"""WebM and Matroska: the tags of the file, found by seeking from element to element (RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from egide.errors import CorruptItem, TruncatedItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.usercomment import decode_text

_SEGMENT, _CLUSTER, _INFO, _TAGS = 0x18538067, 0x1F43B675, 0x1549A966, 0x1254C367
_TAG, _TARGETS, _TRACK, _SIMPLE, _NAME, _STRING = 0x7373, 0x63C0, 0x63C5, 0x67C8, 0x45A3, 0x4487
_TITLE, _WRITER = 0x7BA9, 0x5741
_INFO_KEYS: Final = {_TITLE: "title", _WRITER: "software"}


def read_matroska(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the tags of the whole file as `webm:name`, in lower case; those of a track are not."""
    at = 0
    while at < size:
        found.step()
        head = read_at(stream, at, 12)
        number, length, used = _header(head)
        if number is None:
            found.fault(CorruptItem("Matroska: something else stands where an element should"))
            return
        at += used
        if number == _SEGMENT or length is None:
            continue  # step into it: what has no length holds elements
        if at + length > size:
            found.fault(TruncatedItem("Matroska: it ends inside an element; get the whole file"))
            return
        if number in {_TAGS, _INFO} and found.claim(length, "Matroska: tags"):
            body = read_at(stream, at, length)
            (_read_tags if number == _TAGS else _read_info)(body, found)
        at += length


def _header(head: bytes) -> tuple[int | None, int | None, int]:
    """Number and length of an element, and the bytes these take.

    The number is None where there is none, the length where it is unknown.
    """
    first = head[0] if head else 0
    width = 9 - first.bit_length()
    number = int.from_bytes(head[:width], "big")
    if width > 4 or len(head) <= width:
        return None, None, 0
    second = head[width]
    size = 9 - second.bit_length()
    if size > 8 or len(head) < width + size:
        return None, None, 0
    unknown = (1 << 7 * size) - 1
    length = int.from_bytes(head[width : width + size], "big") & unknown
    return number, None if length == unknown else length, width + size


def _elements(body: bytes, found: Gathering) -> Iterator[tuple[int, bytes]]:
    """The elements that make up `body`; damage is a fault, and the end."""
    at = 0
    while at < len(body):
        found.step()
        number, length, used = _header(body[at : at + 12])
        if number is None or length is None or at + used + length > len(body):
            found.fault(CorruptItem("Matroska: a tag is damaged; what stands before it was read"))
            return
        yield number, body[at + used : at + used + length]
        at += used + length


def _read_info(body: bytes, found: Gathering) -> None:
    for number, value in _elements(body, found):
        if key := _INFO_KEYS.get(number):
            found.add("webm", key, decode_text(value))


def _read_tags(body: bytes, found: Gathering) -> None:
    for number, tag in _elements(body, found):
        if number != _TAG:
            continue
        parts = list(_elements(tag, found))
        if not any(_of_track(value, found) for kind, value in parts if kind == _TARGETS):
            for kind, value in parts:
                if kind == _SIMPLE:
                    _read_simple(value, found)


def _of_track(targets: bytes, found: Gathering) -> bool:
    """Whether a tag speaks of one track; track 0 is all of them."""
    return any(number == _TRACK and any(value) for number, value in _elements(targets, found))


def _read_simple(body: bytes, found: Gathering) -> None:
    """A name and its text. Tags inside of tags say more of the outer one, and are passed by."""
    parts = dict(_elements(body, found))
    if _NAME in parts and _STRING in parts:
        name = parts[_NAME].decode("utf-8", "replace").strip("\0").lower()
        found.add("webm", name, decode_text(parts[_STRING]))
