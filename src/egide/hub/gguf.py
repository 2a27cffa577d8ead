"""The header of a GGUF file: key–value metadata, then the names and shapes of the tensors.

See <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Lists with the words of a language
model's vocabulary are passed over, not kept.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from egide.errors import CorruptItem, ItemError, TooManyBytes, TruncatedItem
from egide.hub.safetensors import MOST_HEADER
from egide.hub.tensors import Shape, Tensors

MAGIC: Final = b"GGUF"
_STRING: Final = 8
_ARRAY: Final = 9
_BOOL: Final = 7
_SCALARS: Final = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", _BOOL: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_MOST_LISTED: Final = 256
_MOST_ENTRIES: Final = 100_000
_MOST_DIMENSIONS: Final = 8
_BLOCK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What stands in the header of a GGUF file; `faults` is what ended the reading early."""

    metadata: Mapping[str, Any]
    tensors: Tensors
    faults: tuple[ItemError, ...] = ()


class _Reader:
    """Numbers and strings out of a stream, up to `most` bytes of it."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._most = most
        self._block = b""
        self._at = 0
        self._read = 0
        self.order = "<"

    def take(self, size: int) -> bytes:
        """The next `size` bytes; TruncatedItem when there are fewer, TooManyBytes over the cap."""
        missing = self._at + size - len(self._block)
        if missing > 0:
            if self._read + missing > self._most:
                raise TooManyBytes(f"its header has more than {self._most:,} bytes")
            more = self._stream.read(max(missing, min(_BLOCK, self._most - self._read)))
            if len(more) < missing:
                raise TruncatedItem("the file ends within its header; download it again")
            self._read += len(more)
            self._block = self._block[self._at :] + more
            self._at = 0
        taken = self._block[self._at : self._at + size]
        self._at += size
        return taken

    def number(self, code: str) -> Any:
        """The next number, `code` as in `struct`."""
        form = self.order + code
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self) -> str:
        """The next string."""
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Any:
        """The next value of type `kind`; of a list the first 256 entries."""
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array(depth)
        if kind not in _SCALARS:
            raise CorruptItem(f"its metadata have a value of the unknown type {kind}")
        return self.number(_SCALARS[kind])

    def _array(self, depth: int) -> list[Any]:
        kind, count = self.number("I"), self.number("Q")
        if depth > 4:
            raise CorruptItem("its metadata are nested too deeply")
        kept = [self.value(kind, depth + 1) for _ in range(min(count, _MOST_LISTED))]
        left = count - len(kept)
        if kind in _SCALARS:
            self._skip(left * struct.calcsize("<" + _SCALARS[kind]))
        else:
            for _ in range(left):
                if kind == _STRING:
                    self._skip(self.number("Q"))
                else:
                    self.value(kind, depth + 1)
        return kept

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.take(min(size, _BLOCK)))


def read_gguf(stream: BinaryIO, most: int = MOST_HEADER) -> GgufHeader:
    """The header of the GGUF file that `stream` is at the beginning of; at most `most` bytes.

    What was read before an error is kept, with the error. Raises CorruptItem or TruncatedItem when
    not even the first numbers can be read.
    """
    reader = _Reader(stream, most)
    if reader.take(4) != MAGIC:
        raise CorruptItem("it does not begin as GGUF files do")
    if int.from_bytes(version := reader.take(4), "little") > int.from_bytes(version, "big"):
        reader.order = ">"
    tensors, entries = reader.number("Q"), reader.number("Q")
    metadata: dict[str, Any] = {}
    shapes: dict[str, Shape] = {}
    faults: list[ItemError] = []
    try:
        _check(tensors, entries)
        for _ in range(entries):
            key = reader.text()
            metadata[key] = reader.value(reader.number("I"))
        for _ in range(tensors):
            name = reader.text()
            shapes[name] = _shape(reader)
            reader.number("I")
            reader.number("Q")
    except ItemError as error:
        faults.append(error)
    return GgufHeader(
        metadata, Tensors(tuple(shapes), lambda name: shapes.get(name, ())), tuple(faults)
    )


def _check(tensors: int, entries: int) -> None:
    if max(tensors, entries) > _MOST_ENTRIES:
        raise CorruptItem(
            f"it claims {max(tensors, entries):,} entries, no model has over {_MOST_ENTRIES:,}"
        )


def _shape(reader: _Reader) -> Shape:
    """The next shape, outermost dimension first as everywhere else: GGUF has the innermost."""
    dimensions = reader.number("I")
    if dimensions > _MOST_DIMENSIONS:
        raise CorruptItem(f"it has a tensor of {dimensions:,} dimensions")
    return tuple(reversed([reader.number("Q") for _ in range(dimensions)]))
