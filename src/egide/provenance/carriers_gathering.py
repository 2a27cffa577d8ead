"""What all carriers share: limits in, blocks and faults gathered, compressed text let out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from egide.errors import CorruptItem, ItemError, LimitExceeded, TooManyBytes, TruncatedItem
from egide.provenance.statements import Block

_LONGEST_KEY: Final = 100
_MOST_FAULTS: Final = 32
_EDGES: Final = "\0 \t\r\n\ufeff"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much metadata of one file is read.

    Attributes:
        block: bytes of one block, as it stands in the file and as text; over it TooManyBytes.
        total: bytes of all blocks together, as they stand in the file and as text.
        blocks: blocks kept; over it LimitExceeded, and reading ends.
        parts: chunks, boxes or elements walked over; over it LimitExceeded, and reading ends.
        pixels: width times height of a picture that is decoded because text seems to be hidden in
            its pixels; over it TooManyPixels.
    """

    block: int = 16 * 1024 * 1024
    total: int = 32 * 1024 * 1024
    blocks: int = 1000
    parts: int = 100_000
    pixels: int = 64_000_000


@dataclass(frozen=True, slots=True)
class Carried:
    """The metadata that a file carries.

    Attributes:
        carrier: the container's name, `png`; None for content whose metadata is not read.
        blocks: in the order they stand in, no two with the same place and text.
        faults: what could not be read; what stands beside it was.
        left_out: what was seen and not read, in words: `PDF: the pictures inside`.
    """

    carrier: str | None = None
    blocks: tuple[Block, ...] = ()
    faults: tuple[ItemError, ...] = ()
    left_out: tuple[str, ...] = ()


class Gathering:
    """Collects the blocks of one file, and keeps its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._blocks: dict[Block, None] = {}
        self._faults: list[ItemError] = []
        self._left_out: dict[str, None] = {}
        self._room = limits.total
        self._parts = limits.parts

    @property
    def empty(self) -> bool:
        """Whether there is no block yet."""
        return not self._blocks

    def add(self, carrier: str, key: str, text: str) -> None:
        """Keep `text` as the block `carrier:key`, unless it is blank or there already.

        Raises LimitExceeded when there are too many blocks.
        """
        text = text.strip(_EDGES)
        if not text:
            return
        key = "".join(c if c.isprintable() else "\ufffd" for c in key[:_LONGEST_KEY])
        if len(self._blocks) >= self.limits.blocks:
            raise LimitExceeded(
                f"more than {self.limits.blocks} blocks of metadata; those were read"
            )
        self._blocks[Block(f"{carrier}:{key}", key, text)] = None

    def claim(self, size: int, what: str) -> bool:
        """Whether `size` more bytes may be read or kept as text; TooManyBytes is noted when not."""
        if size <= min(self.limits.block, self._room):
            self._room -= size
            return True
        limit = min(self.limits.block, self.limits.total)
        of_all = "" if size > limit else " of metadata together"
        shown = limit if size > limit else self.limits.total
        self.fault(TooManyBytes(f"{what}: over {shown:,} bytes{of_all}; it was not read"))
        return False

    def step(self) -> None:
        """Count one chunk, box or element. Raises LimitExceeded when there are too many."""
        self._parts -= 1
        if self._parts < 0:
            raise LimitExceeded(
                f"metadata: more than {self.limits.parts:,} parts; what stands before them was read"
            )

    def inflate(self, data: bytes, what: str, *, gzip: bool = False) -> bytes | None:
        """What the zlib or gzip stream `data` holds; None, and a fault, when it cannot be had."""
        most = min(self.limits.block, self._room)
        stream = zlib.decompressobj(31 if gzip else 15)
        try:
            text = stream.decompress(data, most + 1)
        except zlib.error:
            self.fault(CorruptItem(f"{what}: its compressed text is damaged; get an intact copy"))
            return None
        if not self.claim(len(text), what):
            self._room = max(0, self._room - most)  # making it has cost as much as keeping it
            return None
        if not stream.eof:
            self.fault(TruncatedItem(f"{what}: its compressed text ends early; get the whole file"))
            return None
        return text

    def fault(self, error: ItemError) -> None:
        """Note what could not be read. Raises LimitExceeded when there is no end of it."""
        if any(str(known) == str(error) for known in self._faults):
            return
        if len(self._faults) >= _MOST_FAULTS:
            raise LimitExceeded(f"metadata: more than {_MOST_FAULTS} faults; reading ended there")
        self._faults.append(error)

    def leave_out(self, what: str) -> None:
        """Note what was seen and is not read."""
        self._left_out[what] = None

    def finish(self, carrier: str | None, last: ItemError | None = None) -> Carried:
        """Everything gathered; `last` is what ended the reading."""
        faults = (*self._faults, last) if last else tuple(self._faults)
        return Carried(carrier, tuple(self._blocks), faults, tuple(self._left_out))


def read_at(stream: BinaryIO, at: int, size: int) -> bytes:
    """`size` bytes of a stream at `at`, fewer at its end."""
    stream.seek(at)
    return stream.read(size)
