"""Where items come from: files, folders, lists of paths, files of records. In order, streaming."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, Final, cast

from egide.errors import UnknownRecord, UnreadableItem
from egide.inflate import Inflated, is_compressed
from egide.item import Item
from egide.record import id_of
from egide.record_csv import csv_records
from egide.record_file import Raw, Record, parsed, raw_records
from egide.sniff import Kind

SORTED_ENTRIES: Final = 1 << 16
MAX_PATH_LINE: Final = 1 << 16
LOOKED_AT: Final = 1024
"""Records of a file that are looked at to tell whether it is one of records."""

LOOKED_AT_BYTES: Final = 1 << 24
BUFFER: Final = 1 << 18
HEAD: Final = 256
_FOLDER: Final = True
_CSV: Final = re.compile(r"\.[ct]sv(\.gz|\.zst|\.zstd)?$", re.IGNORECASE)
_OBJECT: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*+(?:\[\s*+)?\{\s*+(?:["}]|\Z)')
_JSON: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*+[\[{]")


def expand(paths: Iterable[str], stdin: BinaryIO | None = None) -> Iterator[Item]:
    """The items at `paths`: a file is one, a folder all files below it, `-` the paths on `stdin`.

    A file of records is one item a record, `file#id`, or `file#line` where a record has no id:
    listings and texts as JSON, JSON Lines or CSV, also compressed by gzip or Zstandard. JSON of
    any other shape is a text like others. What begins with `{` on `stdin`, or is compressed, is
    records and no paths.

    References are the paths as given; in a folder, the folder as given joined with what lies in
    it. Within a folder the order is that of the names, files before sub-folders. Symbolic links
    are followed when named, not when met inside a folder. Never raises for what it finds: a path
    that cannot be read is an item with a `problem`.
    """
    for path in paths:
        if path == "-" and stdin is not None:
            yield from _on_stdin(stdin)
        else:
            yield from _expand_one(path)


def count_files(paths: Iterable[str]) -> int | None:
    """How many items `expand` will yield, for a progress bar; None when only reading would tell.

    A file of records that lies in a folder counts as one.
    """
    total = 0
    for path in paths:
        if path == "-" or _is_of_records(path):
            return None
        total += sum(1 for _ in _walk(path)) if os.path.isdir(path) else 1  # noqa: PTH112
    return total


def _is_of_records(path: str) -> bool:
    if os.path.isdir(path):  # noqa: PTH112
        return False
    item = Item.from_path(path)
    return item.problem is None and may_hold_records(item)


def _on_stdin(stdin: BinaryIO) -> Iterator[Item]:
    head = _first_bytes(stdin)
    if _OBJECT.match(head) or is_compressed(head):
        for raw in _read(io.BufferedReader(_Joined(head, stdin), BUFFER), raw_records):
            yield from items_of("-", raw)
        return
    for listed in _listed(stdin, head):
        yield from _expand_one(listed)


class _Joined(io.RawIOBase):
    """A stream, and before it what was read of it already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head[: len(buffer)] or self._read(len(buffer))
        self._head = self._head[len(block) :]
        buffer[: len(block)] = block
        return len(block)


def _first_bytes(stdin: BinaryIO) -> bytes:
    """What has come on `stdin` so far, as much as tells records from paths."""
    read = getattr(stdin, "read1", stdin.read)  # read() would wait for a full block
    head: bytes = read(MAX_PATH_LINE)
    while len(head) < 4 and not (b"\n" in head or b"\0" in head) and (more := read(MAX_PATH_LINE)):
        head += more
    return head


def _expand_one(path: str) -> Iterator[Item]:
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir() raises for a path that is too long
        for item in files_in(path):
            yield from _opened(item)
    else:
        yield from _opened(Item.from_path(path))


def files_in(folder: str) -> Iterator[Item]:
    """Every file below `folder` as one item, and every folder that could not be read."""
    for found, problem in _walk(folder):
        if problem is not None:
            yield Item.unreadable(found, problem)
        else:
            yield Item.from_path(found, follow=False)


# ── records ─────────────────────────────────────────────────────────────────────────────────────


def _opened(item: Item) -> Iterator[Item]:
    """`item`, or the items that its records are."""
    if item.problem is not None or not may_hold_records(item):
        yield item
        return
    try:
        with records_in(item) as records:
            first, size = [], 0
            for raw in records:
                first.append(raw)
                size += len(raw.data)
                if len(first) == LOOKED_AT or size > LOOKED_AT_BYTES:
                    break
            if not any(record.shape for raw in first for record in parsed(raw)):
                yield item
                return
            for raw in chain(first, records):
                yield from items_of(item.ref, raw)
    except UnreadableItem as error:
        yield Item.unreadable(item.ref, error)


@contextmanager
def records_in(item: Item) -> Iterator[Iterator[Raw]]:
    """The records of the file that `item` is, whatever they turn out to be.

    UnreadableItem when the file cannot be read.
    """
    with item.opened() as file:
        yield _read(
            cast("io.BufferedReader", file), csv_records if _CSV.search(item.ref) else raw_records
        )


def _read(
    file: io.BufferedReader, take_apart: Callable[[BinaryIO], Iterator[Raw]]
) -> Iterator[Raw]:
    """The records of `file`, and why there are no more when it is compressed and damaged."""
    inflated = Inflated(file) if is_compressed(file.peek(4)) else None
    stream = file if inflated is None else io.BufferedReader(inflated, BUFFER)
    number = 0
    for raw in take_apart(stream):
        number = raw.number
        yield raw
    if inflated is not None and inflated.problem is not None:
        yield Raw(b"", number + 1, inflated.problem)


def items_of(source: str, raw: Raw) -> Iterator[Item]:
    """The items that a record of the file named `source` is: one, or those of a page."""
    for record in parsed(raw):
        yield item_of(source, record)


def item_of(source: str, record: Record) -> Item:
    """The listing or text that `record` is; one that cannot be read carries its `problem`."""
    name = id_of(record.value)
    ref = f"{source}#{record.number if name is None else name}"
    problem = record.problem
    if problem is None:
        try:
            return Item.from_record(record.data, ref, record.value)
        except UnknownRecord as error:
            problem = error
    return Item(ref, Kind.OTHER, record.data, len(record.data), problem=problem)


def may_hold_records(item: Item) -> bool:
    """Whether the first bytes may be those of records; most files are told by what they are."""
    if item.kind not in (Kind.TEXT, Kind.OTHER) or isinstance(item.content, bytes):
        return False
    try:
        with item.opened() as file:
            head = cast("io.BufferedReader", file).peek(HEAD)
            if is_compressed(head):
                head = Inflated(file).read(HEAD) or b""
    except UnreadableItem:
        return False
    return bool(_JSON.match(head) or _CSV.search(item.ref)) and b"\0" not in head


def _walk(folder: str) -> Iterator[tuple[str, UnreadableItem | None]]:
    """Every file below `folder`, and every folder that could not be read with the reason."""
    pending = [_listing(folder)]
    while pending:
        found = next(pending[-1], None)
        if found is None:
            pending.pop()
        elif found[0] is _FOLDER:
            pending.append(_listing(found[1]))
        else:
            yield found[1], found[2]


def _listing(folder: str) -> Iterator[tuple[bool, str, UnreadableItem | None]]:
    """What lies in `folder`: (is it a folder, path, problem).

    Sorted by name, files first, so that reports can be compared; a folder of more than
    `SORTED_ENTRIES` comes in the file system's order, so that memory stays bounded.
    """
    try:
        with os.scandir(folder) as entries:
            first = list(islice(entries, SORTED_ENTRIES + 1))
            if len(first) <= SORTED_ENTRIES:
                first.sort(key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name))
            for entry in chain(first, entries):
                # os.path.join, since Path would rewrite "./a" to "a".
                path = os.path.join(folder, entry.name)  # noqa: PTH118
                yield entry.is_dir(follow_symlinks=False), path, None
    except OSError as error:
        yield not _FOLDER, folder, UnreadableItem(error.strerror or type(error).__name__)


def _listed(stdin: BinaryIO, rest: bytes) -> Iterator[str]:
    """The paths that `rest` and then `stdin` hold, one a line.

    Or ended by zero bytes, as `find -print0` writes them. Each is given as soon as its end is
    read: the list may come from a program that is at work.
    """
    read = getattr(stdin, "read1", stdin.read)  # read() would wait for a full block
    while not (b"\0" in rest or b"\n" in rest) and (more := read(MAX_PATH_LINE)):
        rest += more
        if len(rest) > MAX_PATH_LINE:
            break
    # Names may have line breaks in them, but no zero bytes: one of these tells what ends a name.
    end, padding = (b"\0", b"") if b"\0" in rest else (b"\n", b"\r")
    while True:
        *whole, rest = rest.split(end)
        if len(rest) > MAX_PATH_LINE:  # no path is that long: an item that cannot be opened
            whole, rest = [*whole, rest], b""
        yield from (os.fsdecode(path) for raw in whole if (path := raw.rstrip(padding)))
        block = read(MAX_PATH_LINE)
        if not block:
            break
        rest += block
    if path := rest.rstrip(b"\r\n"):
        yield os.fsdecode(path)
