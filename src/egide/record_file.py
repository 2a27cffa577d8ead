"""A stream of records taken apart: JSON and JSON Lines, in order, streaming.

What comes out are the bytes of one record after the other. A page of the Civitai API
(`{"items": […]}`) and a JSON list give their elements. Memory is that of the longest record.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, Final, NamedTuple

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.record import ANSWER_LISTS, MAX_RECORD_BYTES, SAYING, Shape, parse, shape_of

CHUNK: Final = 1 << 18
PAGE_HEAD: Final = 4096
"""Within its first so many bytes a page has the name of its list."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_STRUCTURE: Final = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+(["{}\[\]])?', re.DOTALL)
_SCALAR: Final = re.compile(rb'(?:[^"{}\[\],:]++|"(?:[^"\\]++|\\.)*+")*+(["{}\[\],:])?', re.DOTALL)
_IN_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_ITEMS: Final = b'"items"'
_ANSWERS: Final = frozenset(f'"{name}"'.encode() for name in ANSWER_LISTS)
_SAYING: Final = frozenset(f'"{name}"'.encode() for name in SAYING)
BOM: Final = b"\xef\xbb\xbf"
_QUOTE: Final = b'"'


class Raw(NamedTuple):
    """One record's bytes, and the number of its line or its place in the list, from 1.

    `problem` says why there are none, or why those before it were the last.
    """

    data: bytes
    number: int
    problem: ItemError | None = None


class Record(NamedTuple):
    """One record, parsed: `shape` is None when it is nothing we know or has a `problem`."""

    data: bytes
    number: int
    value: Any
    shape: Shape | None
    problem: ItemError | None = None


def raw_records(stream: BinaryIO) -> Iterator[Raw]:
    """The records of a stream of JSON, not parsed: lines where a line is a whole value, else
    the elements of its lists and pages.
    """
    number, first = _first_line(stream)
    if len(first) <= MAX_RECORD_BYTES:
        if _is_value(first) and not first.startswith(b"["):
            return _lines(stream, number, first)
        if first.startswith(b"{"):  # a damaged line may come first
            second = stream.readline(MAX_RECORD_BYTES + 1)
            if second.startswith(b"{"):
                return _lines(stream, number, first, second)
            first += second
    return iter(_Document(stream, first))


def parsed(raw: Raw) -> Iterator[Record]:
    """What `raw` holds: one record, or the records of the page that it is.

    A page that was cut gives what stands before the cut, and then the problem.
    """
    if raw.problem is not None:
        yield Record(raw.data, raw.number, None, None, raw.problem)
        return
    try:
        value = parse(raw.data).value
    except ItemError as error:
        yield from _salvaged(raw, error)
        return
    shape = shape_of(value)
    if shape is not Shape.PAGE:
        yield Record(raw.data, raw.number, value, shape)
        return
    for element in _Document(io.BytesIO(raw.data)):
        yield _alone(element, raw.number)


def _alone(raw: Raw, number: int) -> Record:
    """`raw`, of line `number`, as one record, whatever it holds."""
    if raw.problem is not None:
        return Record(raw.data, number, None, None, raw.problem)
    try:
        value = parse(raw.data).value
    except ItemError as error:
        return Record(raw.data, number, None, None, error)
    shape = shape_of(value)
    return Record(raw.data, number, value, None if shape is Shape.PAGE else shape)


def _salvaged(raw: Raw, error: ItemError) -> Iterator[Record]:
    """The whole records of a page that cannot be parsed; then, or instead, the reason."""
    head = raw.data[:PAGE_HEAD]
    if not (head.startswith(b"[") or any(name in head for name in (_ITEMS, *_ANSWERS))):
        yield Record(raw.data, raw.number, None, None, error)
        return
    found = [_alone(element, raw.number) for element in _Document(io.BytesIO(raw.data))]
    known = [record for record in found if record.shape is not None]
    yield from known
    last = found[-1].problem if found else None
    yield Record(raw.data, raw.number, None, None, last or error)


# ── lines ───────────────────────────────────────────────────────────────────────────────────────


def _first_line(stream: BinaryIO) -> tuple[int, bytes]:
    """The first line that is not blank, and its number; without a byte order mark."""
    number, line = 1, stream.readline(MAX_RECORD_BYTES + 1).removeprefix(BOM)
    while line and line.isspace():
        number += line.endswith(b"\n")
        line = stream.readline(MAX_RECORD_BYTES + 1)
    return number, line


def _is_value(line: bytes) -> bool:
    try:
        return isinstance(parse(line).value, (dict, list))
    except ItemError:
        return False


def _lines(stream: BinaryIO, begin: int, *first: bytes) -> Iterator[Raw]:
    """The lines of `stream`, those read already, from number `begin` on, before them.

    Blank ones are left out.
    """
    read = iter(lambda: stream.readline(MAX_RECORD_BYTES + 1), b"")
    for number, line in enumerate(chain(first, read), begin):
        if len(line) > MAX_RECORD_BYTES and not line.endswith(b"\n"):
            skip_line(stream)
            yield Raw(b"", number, _too_long())
        elif not line.isspace():
            yield Raw(line.rstrip(b"\r\n"), number)


def skip_line(stream: BinaryIO) -> None:
    """Reads to the end of a line without keeping it."""
    while (part := stream.readline(CHUNK)) and not part.endswith(b"\n"):
        pass


def _too_long() -> TooManyBytes:
    return TooManyBytes(f"a record of more than {MAX_RECORD_BYTES >> 20} MiB; split it")


# ── lists and pages ─────────────────────────────────────────────────────────────────────────────


class _Document:
    """The records of JSON that is not one value a line: objects, and elements of lists and pages.

    Only brackets and strings are looked at, so that no part of a list is parsed to find its end.
    After a problem that hides where the next record begins, nothing more comes.
    """

    def __init__(self, stream: BinaryIO, head: bytes = b"") -> None:
        self._stream = stream
        self._data = head.removeprefix(BOM)
        self._at = 0
        self._number = 0
        self._kept: list[bytes] | None = None
        self._size = 0

    def __iter__(self) -> Iterator[Raw]:
        try:
            while first := self._peek():
                if first == b"[":
                    yield from self._list()
                elif first == b"{":
                    yield from self._object()
                else:
                    raise CorruptItem("it is no JSON (no object or list); export it again")
        except ItemError as error:
            yield Raw(b"", self._number + 1, error)

    def _list(self) -> Iterator[Raw]:
        self._pass(1)
        while (first := self._required()) != b"]":
            if first == b",":
                self._pass(1)
                continue
            if first in b"}:":
                raise CorruptItem("it is no JSON (a bracket is missing); export it again")
            self._keep()
            self._value() if first in (b"{", b"[") else self._scalar()
            yield self._raw()
        self._pass(1)

    def _object(self) -> Iterator[Raw]:
        """The records under `items`, `results` or `data`, or the object itself."""
        page = says = False
        self._keep()
        self._pass(1)
        while (first := self._required()) != b"}":
            if first in b",:":
                self._pass(1)
            elif first == _QUOTE:
                name = self._name()
                says = says or name in _SAYING
                listed = name == _ITEMS or (name in _ANSWERS and not says)
                if listed and self._required() == b"[":
                    page = True
                    self._kept = None
                    yield from self._list()
            elif first in b"{[":
                self._value()
            elif first == b"]":
                raise CorruptItem("it is no JSON (a bracket too many); export it again")
            else:
                self._scalar()
        self._pass(1)
        if not page:
            yield self._raw()

    def _name(self) -> bytes:
        """Passes a string; its text when it names what comes next."""
        start, data = self._at, self._data
        self._scalar()
        # It may have gone over into the next block.
        name = (
            data[start : self._at] if data is self._data else data[start:] + self._data[: self._at]
        )
        if self._required() != b":":
            return b""
        self._pass(1)
        return name.rstrip()

    def _value(self) -> None:
        """Passes an object or list with all that is in it."""
        depth = 0
        while True:
            found = _STRUCTURE.match(self._data, self._at)
            assert found is not None  # noqa: S101  it matches the empty text
            mark = found[1]
            if mark is None:
                self._advance(len(self._data))
                self._read_on()
                continue
            self._advance(found.end())
            if mark == _QUOTE:
                self._rest_of_string()
            elif mark in b"{[":
                depth += 1
            else:
                depth -= 1
                if depth == 0:
                    return

    def _scalar(self) -> None:
        """Passes a text, number or word, up to what ends it."""
        while True:
            found = _SCALAR.match(self._data, self._at)
            assert found is not None  # noqa: S101
            mark = found[1]
            if mark is None:
                self._advance(len(self._data))
                self._read_on()
            elif mark == _QUOTE:
                self._advance(found.end())
                self._rest_of_string()
            elif mark in b"{[":
                raise CorruptItem("it is no JSON (a comma is missing); export it again")
            else:
                self._advance(found.end() - 1)
                return

    def _rest_of_string(self) -> None:
        """Passes the rest of a text that goes on after what has been read."""
        while True:
            found = _IN_STRING.match(self._data, self._at)
            assert found is not None  # noqa: S101
            end = found.end()
            if end < len(self._data) and self._data[end : end + 1] == _QUOTE:
                self._advance(end + 1)
                return
            escape = end < len(self._data)  # what is escaped comes with the next block
            self._advance(len(self._data))
            self._read_on()
            if escape:
                self._advance(1)

    def _peek(self) -> bytes:
        """The next byte that is no space, not passed; nothing at the end."""
        while True:
            found = _SPACE.match(self._data, self._at)
            assert found is not None  # noqa: S101
            self._advance(found.end())
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._read():
                return b""

    def _required(self) -> bytes:
        first = self._peek()
        if not first:
            raise _cut()
        return first

    def _pass(self, count: int) -> None:
        self._advance(self._at + count)

    def _advance(self, to: int) -> None:
        """Moves on, keeping what is passed when it belongs to a record."""
        if self._kept is not None:
            self._size += to - self._at
            if self._size <= MAX_RECORD_BYTES:
                self._kept.append(self._data[self._at : to])
            else:
                self._kept.clear()
        self._at = to

    def _keep(self) -> None:
        """From here on a record begins."""
        self._kept, self._size = [], 0

    def _raw(self) -> Raw:
        """The record that ends here."""
        self._number += 1
        kept, self._kept = self._kept, None
        if kept is None or self._size > MAX_RECORD_BYTES:
            return Raw(b"", self._number, _too_long())
        return Raw(b"".join(kept), self._number)

    def _read(self) -> bool:
        """Reads a block in the place of the one that has been passed."""
        self._data, self._at = self._stream.read(CHUNK), 0
        return bool(self._data)

    def _read_on(self) -> None:
        if not self._read():
            raise _cut()


def _cut() -> TruncatedItem:
    return TruncatedItem("the JSON ends in the middle of a record; export it again")
