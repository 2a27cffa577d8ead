"""Directories of TIFF and EXIF, walked within bounds, from bytes or from a file.

TIFF 6.0, section 2; BigTIFF; CIPA DC-008 (EXIF), 4.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

Read = Callable[[int, int], bytes]
"""`read(at, size)`: the bytes there, fewer where the block ends."""

MOST_ENTRIES: Final = 512
"""Entries looked at of one directory; cameras write about fifty."""

_ORDERS: Final[dict[bytes, tuple[Literal["little", "big"], bool]]] = {
    b"II*\0": ("little", False),
    b"MM\0*": ("big", False),
    b"II+\0": ("little", True),
    b"MM\0+": ("big", True),
}
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
                 16: 8, 17: 8, 18: 8}  # fmt: skip


class Entry(NamedTuple):
    """One entry of a directory.

    `kind` is the type's number (1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 7 UNDEFINED…), `at` where the
    value begins, `size` its length in bytes as declared: it may lie outside of the block.
    """

    tag: int
    kind: int
    at: int
    size: int


class Directory(NamedTuple):
    """The entries of a directory, in the file's order.

    `next` is where the following directory begins, 0 for none. `cut` tells that entries are
    missing: the block ends, or there are more than `MOST_ENTRIES`.
    """

    entries: tuple[Entry, ...]
    next: int
    cut: bool


class Tiff:
    """A block that begins with a TIFF header; `first` is where its first directory stands.

    Raises ValueError when `read` gives no TIFF header. Nothing else raises here.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        head = read(0, 16)
        if head[:4] not in _ORDERS:
            raise ValueError("no TIFF header")
        self.order, self._wide = _ORDERS[head[:4]]
        self._word = 8 if self._wide else 4
        self.first = int.from_bytes(head[self._word :][: self._word], self.order)

    def number(self, entry: Entry) -> int:
        """The entry's first value, taken as an unsigned number; 0 when it is not there."""
        size = min(_SIZES.get(entry.kind, 0), entry.size)
        return int.from_bytes(self._read(entry.at, size), self.order)

    def directory(self, at: int) -> Directory:
        """The directory at `at`; an empty one, cut, where there is none."""
        counter, word = (8, 8) if self._wide else (2, 4)
        step = 4 + 2 * word
        head = self._read(at, counter)
        count = int.from_bytes(head, self.order)
        known = min(count, MOST_ENTRIES)
        body = self._read(at + counter, known * step + word)
        there = min(known, len(body) // step)
        behind = body[known * step : known * step + word]
        entries = tuple(
            self._entry(body[n * step : (n + 1) * step], at + counter + n * step)
            for n in range(there)
        )
        cut = len(head) < counter or there < count
        return Directory(entries, 0 if cut else int.from_bytes(behind, self.order), cut)

    def _entry(self, field: bytes, at: int) -> Entry:
        word, order = self._word, self.order
        kind = int.from_bytes(field[2:4], order)
        size = int.from_bytes(field[4 : 4 + word], order) * _SIZES.get(kind, 0)
        place = at + 4 + word if size <= word else int.from_bytes(field[4 + word :], order)
        return Entry(int.from_bytes(field[:2], order), kind, place, size)
