"""Reads a dump line by line: plain, gzip or bzip2, streaming, and again from where it was left.

Wikidata's JSON dumps are one array with one entity a line (https://www.wikidata.org/wiki/
Wikidata:Database_download). No more than a piece of the file and one line are held.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from egide.errors import GazetteerError

PIECE: Final = 1 << 20
MOST_OUT: Final = 1 << 22
"""Decompressed at once: a bomb costs no more memory than any other file."""
MOST_LINE: Final = 1 << 26
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"


class Position(NamedTuple):
    """A place between two lines: `skip` bytes behind the start of the compressed stream that
    begins at `offset` of the file. A plain file is one stream that may be entered anywhere."""

    offset: int = 0
    skip: int = 0


class DumpLines:
    """The lines of the dump at `path`, from `position` on; GazetteerError when it cannot be opened.

    `position` is where the next line begins, `read` how many bytes of the file were read. A file
    that ends in the middle of a stream, or is damaged there, ends with `damage` set to the reason.
    """

    def __init__(self, path: Path, position: Position | None = None) -> None:
        self.path = path
        self.position = position or Position()
        self.read = self.position.offset
        self.damage: str | None = None
        self._packed = False
        self._streams: list[tuple[int, int]] = []
        """Where streams begin: in bytes decompressed since the first, and in the file."""

    def __iter__(self) -> Iterator[bytes | None]:
        """Each line less its end and the comma of the array; None for one over MOST_LINE."""
        try:
            with self.path.open("rb") as file:
                yield from self._lines(file)
        except OSError as error:
            raise GazetteerError(f"{self.path}: {error.strerror}; give a readable dump") from error

    def _lines(self, file: BinaryIO) -> Iterator[bytes | None]:
        place = skip = self.position.skip
        rest: list[bytes] = []
        held = 0
        for piece in self._pieces(file):
            passed = min(skip, len(piece))
            skip -= passed
            *whole, last = piece[passed:].split(b"\n")
            for line in whole:
                place += held + len(line) + 1
                text = None if held + len(line) > MOST_LINE else b"".join([*rest, line])
                rest, held = [], 0
                self._reach(place)
                yield text if text is None else _stripped(text)
            held += len(last)
            rest = [*rest, last] if held <= MOST_LINE else []
        if held and self.damage is None:
            self._reach(place + held)
            yield None if held > MOST_LINE else _stripped(b"".join(rest))

    def _reach(self, place: int) -> None:
        """Notes that the next line begins `place` bytes behind the start of the first stream."""
        while len(self._streams) > 1 and self._streams[1][0] <= place:
            self._streams.pop(0)
        begin, offset = self._streams[0]
        is_plain = not self._packed
        self.position = Position(offset + place, 0) if is_plain else Position(offset, place - begin)

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """What the file holds, decompressed, from the first stream on."""
        head = file.read(3)
        self._packed = head.startswith((_GZIP, _BZIP2))
        self._streams = [(0, self.position.offset)]
        file.seek(self.position.offset)
        if self._packed:
            yield from self._inflated(file, is_gzip=head.startswith(_GZIP))
            return
        while piece := file.read(PIECE):
            self.read += len(piece)
            yield piece

    def _inflated(self, file: BinaryIO, *, is_gzip: bool) -> Iterator[bytes]:
        """The streams of the file, one behind the other; notes where each begins."""
        out = 0
        stream, data = _new_stream(is_gzip=is_gzip), b""
        try:
            while True:
                if not data and stream.wants_more:
                    data = file.read(PIECE)
                    self.read += len(data)
                    if not data:
                        if stream.begun:
                            self.damage = "it ends in the middle"
                        return
                piece, data = stream.feed(data)
                out += len(piece)
                if piece:
                    yield piece
                if stream.ended:
                    data = data.lstrip(b"\0")  # padding
                    self._streams.append((out, self.read - len(data)))
                    stream = _new_stream(is_gzip=is_gzip)
        except (OSError, EOFError, zlib.error) as error:
            self.damage = f"it is damaged at byte {self.read - len(data):,} or before: {error}"


class _Gzip:
    """One gzip stream, decompressed in bounded steps."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.begun = False

    wants_more = True

    @property
    def ended(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Some of what `data` holds, and the rest of `data`."""
        self.begun |= bool(data)
        piece = self._inflate.decompress(data, MOST_OUT)
        rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return piece, rest


class _Bzip2:
    """One bzip2 stream, decompressed in bounded steps."""

    def __init__(self) -> None:
        self._inflate = bz2.BZ2Decompressor()
        self.begun = False

    @property
    def wants_more(self) -> bool:
        return self._inflate.needs_input

    @property
    def ended(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Some of what `data` holds, and the rest of `data`."""
        self.begun |= bool(data)
        piece = self._inflate.decompress(data, MOST_OUT)
        return piece, self._inflate.unused_data if self._inflate.eof else b""


def _new_stream(*, is_gzip: bool) -> _Gzip | _Bzip2:
    return _Gzip() if is_gzip else _Bzip2()


def _stripped(line: bytes) -> bytes:
    return line.strip().removesuffix(b",")
