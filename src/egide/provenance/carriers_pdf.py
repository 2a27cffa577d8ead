"""PDF: the Info dictionary and XMP packets (ISO 32000-2, 14.3), without a parser of the document.

Objects are looked for by their numbers, the last one of a number counts, as incremental updates
ask. Nothing is decrypted, and pictures inside are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from egide.errors import CorruptItem
from egide.provenance.carriers_gathering import Gathering, read_at
from egide.provenance.usercomment import decode_text
from egide.provenance.xmp import read_xmp

_WHOLE: Final = 64 * 1024 * 1024
"""Bytes up to which a file is read whole; of a longer one, the two ends, half of it each."""

_LONGEST_OBJECT: Final = 1024 * 1024
_LONGEST_HEAD: Final = 4096
_MOST_PACKETS: Final = 64
_MOST_ELSEWHERE: Final = 32
"""Values of the Info dictionary that may be objects of their own; each is looked for."""

_BEGIN, _END = b"<?xpacket begin", b"<?xpacket end"
_INFO: Final = re.compile(rb"/Info\s+(\d{1,10})\s+(\d{1,5})\s+R\b")
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s*(?:\d|<<)")
_METADATA: Final = re.compile(rb"/Type\s{0,9}/Metadata\b")
_COUNTS: Final = {key: re.compile(rb"/%b\s{0,9}(\d{1,9})" % key) for key in (b"N", b"First")}
_OBJECTS: Final = re.compile(rb"/ObjStm\b")
_TOKEN: Final = re.compile(rb"<<|>>|/[^\s/<>\[\](){}%]*|\(|<[0-9A-Fa-f\s]*>|[^\s/<>\[\](){}%]+")
_REFERENCE: Final = re.compile(rb"\s*(\d{1,10})\s+(\d{1,5})\s+R\b")
_IN_STRING: Final = re.compile(rb"[()\\]")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|\r\n|[\s\S])")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f",
                   b"\n": b"", b"\r": b"", b"\r\n": b""}  # fmt: skip


def read_pdf(stream: BinaryIO, size: int, found: Gathering) -> None:
    """Add the entries of the Info dictionary as `pdf:Key`, and the XMP properties."""
    data = read_at(stream, 0, _WHOLE if size <= _WHOLE else _WHOLE // 2)
    if size > _WHOLE:
        data += read_at(stream, size - _WHOLE // 2, _WHOLE // 2)
        found.leave_out(f"PDF: what lies between its first and last {_WHOLE >> 21} MiB")
    if b"/Image" in data:
        found.leave_out("PDF: the pictures inside")
    if _ENCRYPTED.search(data):
        found.leave_out("PDF: it is encrypted, its Info dictionary was not read")
    elif (info := _last(_INFO, data)) is not None:
        _read_info(data, int(info[1]), int(info[2]), found)
    if not _read_packets(data, found):
        _read_compressed_packets(data, found)


def _last(pattern: re.Pattern[bytes], data: bytes) -> re.Match[bytes] | None:
    match = None
    for match in pattern.finditer(data):  # noqa: B007  the last one is wanted
        pass
    return match


def _read_packets(data: bytes, found: Gathering) -> bool:
    """Read the packets that stand there in plain text; whether there were any."""
    at, any_ = data.find(_BEGIN), False
    for _ in range(_MOST_PACKETS):
        end = data.find(_END, at) if at >= 0 else -1
        if end < 0:
            break
        any_ = True
        if found.claim(end - at, "PDF: XMP"):
            read_xmp(data[at:end], found)
        at = data.find(_BEGIN, end)
    return any_


def _read_compressed_packets(data: bytes, found: Gathering) -> None:
    for head, packed in _streams(data, _METADATA, found):
        if b"/FlateDecode" in head:
            packet = found.inflate(packed, "PDF: XMP")
            if packet:
                read_xmp(packet, found)


def _streams(
    data: bytes, kind: re.Pattern[bytes], found: Gathering
) -> Iterator[tuple[bytes, bytes]]:
    """Dictionary and content of the streams that are of a kind; none inside of another."""
    at = 0
    while match := kind.search(data, at):
        found.step()
        at = match.end()
        word = data.find(b"stream", at, at + _LONGEST_HEAD)
        if word < 0:
            continue
        head = max(0, data.rfind(b"obj", max(0, at - _LONGEST_HEAD), at))
        begin = word + (8 if data[word + 6 : word + 8] == b"\r\n" else 7)
        end = data.find(b"endstream", begin)
        at = end if end >= 0 else len(data)
        yield data[head:word], data[begin:at]


def _read_info(data: bytes, number: int, generation: int, found: Gathering) -> None:
    body = _object(data, number, generation, found)
    if body is None:
        found.fault(CorruptItem("PDF: its Info dictionary is not where it should be"))
        return
    elsewhere = 0
    for key, value in _entries(body):
        if isinstance(value, bytes):
            _add(key, value, found)
            continue
        elsewhere += 1
        if elsewhere > _MOST_ELSEWHERE:
            continue
        if text := _object(data, *value, found):
            _add(key, next(_strings(text), b""), found)


def _add(key: str, value: bytes, found: Gathering) -> None:
    if found.claim(len(value), f"PDF: {key[:40]}"):
        found.add("pdf", key, decode_text(value))


def _object(data: bytes, number: int, generation: int, found: Gathering) -> bytes | None:
    """What the object of that number says, as far as 1 MiB; None when it is not there."""
    label = b"%d %d obj" % (number, generation)
    at = data.rfind(label)
    while at >= 0:
        found.step()
        if at == 0 or not data[at - 1 : at].isdigit():
            begin = at + len(label)
            return data[begin : begin + _LONGEST_OBJECT]
        at = data.rfind(label, 0, at)
    return _packed_object(data, number, found)


def _packed_object(data: bytes, number: int, found: Gathering) -> bytes | None:
    """The same out of the object streams (ISO 32000-2, 7.5.7)."""
    result = None
    for head, packed in _streams(data, _OBJECTS, found):
        counts = [count.search(head) for count in _COUNTS.values()]
        if not all(counts):
            continue
        body = found.inflate(packed, "PDF: an object stream")
        if body is None:
            continue
        many, first = (int(count[1]) for count in counts if count)
        places = body[:first].split()[: 2 * many]
        for label, place in zip(places[::2], places[1::2], strict=False):
            if label == b"%d" % number and place.isdigit() and len(place) < 10:
                result = body[first + int(place) :][:_LONGEST_OBJECT]
    return result


def _entries(body: bytes) -> Iterator[tuple[str, bytes | tuple[int, int]]]:
    """Keys and values of the dictionary that begins `body`: strings, and references to objects."""
    depth, key = 0, None
    for token, value, after in _tokens(body):
        if token == b"<<":
            depth += 1
        elif token == b">>":
            depth -= 1
            if depth <= 0:
                return
        elif depth != 1:
            continue
        elif token.startswith(b"/"):
            key = token[1:].decode("latin-1") if key is None else None
        elif key is not None:
            reference = _REFERENCE.match(body, after - len(token)) if value is None else None
            if value is not None:
                yield key, value
            elif reference:
                yield key, (int(reference[1]), int(reference[2]))
            key = None


def _strings(body: bytes) -> Iterator[bytes]:
    return (value for _, value, _ in _tokens(body) if value is not None)


def _tokens(body: bytes) -> Iterator[tuple[bytes, bytes | None, int]]:
    """Token, the bytes of the string that it is, and where it ends, one after another."""
    at = 0
    while match := _TOKEN.search(body, at):
        token, at = match[0], match.end()
        value = None
        if token == b"endobj":
            return
        if token == b"(":
            value, at = _literal(body, at)
        elif token[:1] == b"<" and token != b"<<":
            digits = b"".join(token[1:-1].split())
            value = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        yield token, value, at


def _literal(body: bytes, at: int) -> tuple[bytes, int]:
    """The literal string that begins behind the bracket before `at`, and where it ends."""
    begin, depth = at, 1
    while match := _IN_STRING.search(body, at):
        at = match.end()
        if match[0] == b"\\":
            at += 1
        else:
            depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return _ESCAPE.sub(_unescaped, body[begin : at - 1]), at
    return b"", len(body)


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    if said[:1] in b"01234567":
        return bytes([int(said, 8) & 255])
    return _ESCAPES.get(said, said)
