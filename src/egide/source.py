"""Where items come from: files, folders, and lists of paths. In order, streaming."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO, Final

from egide.errors import UnreadableItem
from egide.item import Item

SORTED_ENTRIES: Final = 1 << 16
MAX_PATH_LINE: Final = 1 << 16
_FOLDER: Final = True


def expand(paths: Iterable[str], stdin: BinaryIO | None = None) -> Iterator[Item]:
    """The items at `paths`: a file is one, a folder all files below it, `-` the paths on `stdin`.

    References are the paths as given; in a folder, the folder as given joined with what lies in
    it. Within a folder the order is that of the names, files before sub-folders. Symbolic links
    are followed when named, not when met inside a folder. Never raises for what it finds: a path
    that cannot be read is an item with a `problem`.
    """
    for path in paths:
        if path == "-" and stdin is not None:
            for listed in _listed(stdin):
                yield from _expand_one(listed)
        else:
            yield from _expand_one(path)


def count_files(paths: Iterable[str]) -> int | None:
    """How many items `expand` will yield, for a progress bar; None when only reading would tell."""
    total = 0
    for path in paths:
        if path == "-":
            return None
        total += sum(1 for _ in _walk(path)) if os.path.isdir(path) else 1  # noqa: PTH112
    return total


def _expand_one(path: str) -> Iterator[Item]:
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir() raises for a path that is too long
        for found, problem in _walk(path):
            if problem is not None:
                yield Item.unreadable(found, problem)
            else:
                yield Item.from_path(found, follow=False)
    else:
        yield Item.from_path(path)


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


def _listed(stdin: BinaryIO) -> Iterator[str]:
    """The paths on `stdin`, one a line, or ended by zero bytes as `find -print0` writes them.

    Each is given as soon as its end is read: the list may come from a program that is at work.
    """
    read = getattr(stdin, "read1", stdin.read)  # read() would wait for a full block
    rest: bytes = read(MAX_PATH_LINE)
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
