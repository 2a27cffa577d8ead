"""The descriptors of a bank, compared by cosine: exact, in memory, without index files.

A slot for those who bring a model. A million descriptors of 512 dimensions take 520 MB in each
process.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide.fingerprint import SSCD_HEADER_BYTES

if TYPE_CHECKING:
    from egide.db import Database, Moment

_FETCH: Final = 10_000
_AT_ONCE: Final = 8192


class Block(NamedTuple):
    """Descriptors of one model: (N, dimensions) int8, their lengths (N,), their numbers (N,)."""

    vectors: NDArray[np.int8]
    lengths: NDArray[np.float32]
    seqs: NDArray[np.int64]

    @classmethod
    def of(cls, values: list[bytes], seqs: list[int]) -> Block:
        """The block of descriptors, headers included, that have one header in common."""
        rows = np.frombuffer(b"".join(values), np.int8).reshape(len(values), -1)
        vectors = np.ascontiguousarray(rows[:, SSCD_HEADER_BYTES:])
        squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float32)
        return cls(vectors, np.sqrt(squares), np.array(seqs, np.int64))

    def joined(self, newer: Block) -> Block:
        """This block and the `newer` one behind it."""
        return Block(
            np.concatenate((self.vectors, newer.vectors)),
            np.concatenate((self.lengths, newer.lengths)),
            np.concatenate((self.seqs, newer.seqs)),
        )

    def similar(self, query: NDArray[np.float32], least: float) -> list[tuple[int, float]]:
        """Number and cosine of the descriptors at least `least` similar to `query`."""
        found: list[tuple[int, float]] = []
        unit = query / np.linalg.norm(query)
        for start in range(0, len(self.seqs), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            cosines = self.vectors[part].astype(np.float32) @ unit / self.lengths[part]
            near = np.flatnonzero(cosines >= least)
            found += zip(
                self.seqs[part][near].tolist(), np.minimum(cosines[near], 1).tolist(), strict=True
            )
        return found


class Descriptors:
    """The descriptors of the bank numbered `bank`. Thread-safe."""

    def __init__(self, database: Database, bank: int) -> None:
        self._database = database
        self._bank = bank
        self._lock = threading.Lock()
        self._blocks: dict[bytes, list[Block]] = {}
        self._high = 0
        self._seen: Moment | None = None

    def search(self, query: bytes, least: float) -> list[tuple[int, float]]:
        """Number and cosine of all that is at least `least` similar to `query`, a descriptor.

        Withdrawn ones may be among them, for they stay in memory until the process ends: what is
        answered is to be confirmed in the database.
        """
        with self._lock:
            self._take_in_new()
            blocks = list(self._blocks.get(query[:SSCD_HEADER_BYTES], ()))
        vector = np.frombuffer(query, np.int8, offset=SSCD_HEADER_BYTES).astype(np.float32)
        return [pair for block in blocks for pair in block.similar(vector, least)]

    def _take_in_new(self) -> None:
        """Reads what any process has added since; numbers only grow, so none is missed."""
        if self._seen is not None and not self._database.follows(self._seen):
            self._blocks, self._high = {}, 0  # a backup was put in the database's place
        while rows := self._database.fetch(
            "SELECT seq, value FROM fingerprint"
            " WHERE bank = ? AND type = 'sscd' AND seq > ? ORDER BY seq LIMIT ?",
            (self._bank, self._high, _FETCH),
        ):
            by_model: dict[bytes, tuple[list[bytes], list[int]]] = {}
            for seq, value in rows:
                values, seqs = by_model.setdefault(value[:SSCD_HEADER_BYTES], ([], []))
                values.append(value)
                seqs.append(seq)
            for header, (values, seqs) in by_model.items():
                self._add(header, Block.of(values, seqs))
            self._high = rows[-1][0]
        self._seen = self._database.moment()

    def _add(self, header: bytes, block: Block) -> None:
        blocks = self._blocks.setdefault(header, [])
        blocks.append(block)
        # Each block is over twice the next: few blocks, and few copies when one comes at a time.
        while len(blocks) > 1 and len(blocks[-2].seqs) <= 2 * len(blocks[-1].seqs):
            newest, older = blocks.pop(), blocks.pop()
            blocks.append(older.joined(newest))
