"""Compressed streams read as they come: gzip and Zstandard, told by their first bytes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem

GZIP: Final = b"\x1f\x8b\x08"
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
FREE_BYTES: Final = 1 << 30
MAX_INFLATION: Final = 200
"""Past `FREE_BYTES`, a stream that is this many times its compressed size is not read on."""

_BLOCK: Final = 1024
"""Compressed bytes handed over at once: Zstandard makes at most 32 MiB of them."""


class Inflated(io.RawIOBase):
    """What a compressed stream holds. It ends where it is damaged; `problem` then says why."""

    def __init__(self, stream: BinaryIO) -> None:
        self.problem: ItemError | None = None
        self._counted = _Counted(stream)
        self._given = 0
        head = self._counted.peek(len(ZSTANDARD))
        self._read_block = (_zstandard if head == ZSTANDARD else _gzip)(self._counted)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; 0 at the end and where the stream is damaged."""
        if self.problem is not None:
            return 0
        try:
            block = self._read_block(len(buffer))
            self._given += len(block)
            self._check_inflation()
        except ItemError as error:
            self.problem = error
            return 0
        buffer[: len(block)] = block
        return len(block)

    def _check_inflation(self) -> None:
        if self._given > FREE_BYTES and self._given > MAX_INFLATION * self._counted.count:
            raise TooManyBytes(
                f"it inflates to more than {MAX_INFLATION} times its size; decompress it by hand "
                "if that is meant"
            )


def is_compressed(head: bytes) -> bool:
    """Whether `head` begins a gzip or Zstandard stream."""
    return head.startswith((GZIP, ZSTANDARD))


class _Counted:
    """The compressed stream, and how much of it was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead = b""
        self.count = 0

    def peek(self, size: int) -> bytes:
        """The first bytes, still to be read."""
        self._ahead = self._stream.read(size)
        return self._ahead

    def read(self, size: int) -> bytes:
        """At most `size` bytes."""
        if self._ahead:
            block, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            block = self._stream.read(size)
        self.count += len(block)
        return block


def _gzip(source: _Counted) -> Callable[[int], bytes]:
    file = gzip.GzipFile(fileobj=cast("BinaryIO", source), mode="rb")

    def read(size: int) -> bytes:
        try:
            return file.read1(size)
        except EOFError as error:
            raise _cut("gzip") from error
        except (OSError, zlib.error) as error:
            raise _damaged("gzip", error) from error

    return read


def _zstandard(source: _Counted) -> Callable[[int], bytes]:
    import zstandard  # noqa: PLC0415  most scans meet none

    frames = zstandard.ZstdDecompressor()
    frame = frames.decompressobj()
    begun, held, at = False, b"", 0

    def refill() -> bytes:
        nonlocal frame, begun
        while True:
            block = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame, begun = frames.decompressobj(), False
            block = block or source.read(_BLOCK)
            if not block:
                if begun:
                    raise _cut("Zstandard")
                return b""
            begun = True
            if out := frame.decompress(block):
                return out

    def read(size: int) -> bytes:
        nonlocal held, at
        try:
            if at == len(held):
                held, at = refill(), 0
        except zstandard.ZstdError as error:
            raise _damaged("Zstandard", error) from error
        block = held[at : at + size]
        at += len(block)
        return block

    return read


def _cut(format_: str) -> TruncatedItem:
    return TruncatedItem(f"the {format_} stream ends too early; get a complete copy")


def _damaged(format_: str, error: Exception) -> CorruptItem:
    said = " ".join(str(error).split())[:100]
    return CorruptItem(f"the {format_} stream is damaged ({said}); get an intact copy")
