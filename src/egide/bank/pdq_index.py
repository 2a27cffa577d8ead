"""The PDQ index: exact search by Hamming distance, banded where there are many hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide import _kernel
from egide.bank.index import Index, Rows
from egide.bank.segment import SEQS, Contents, DamagedSegment
from egide.db import Connection, Moment
from egide.fingerprint import FINGERPRINT_BYTES, FingerprintType

MAGIC: Final = b"EGIDEPDQ1\n"

TAIL_LIMIT: Final = 16_384
"""Fingerprints searched linearly (about 20 µs a query) before they become a segment."""

BANDED_FROM: Final = 16_384
"""From this many hashes on, banded postings are quicker than a linear scan and worth their bytes;
the kernel makes none for fewer."""

_FETCH: Final = 100_000


class Hits(NamedTuple):
    """Fingerprints found: which query, which fingerprint (`seq`), how far (bits)."""

    query: NDArray[np.uint32]
    seq: NDArray[np.int64]
    distance: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class PdqSegment:
    """The hashes with `low` < seq <= `high`; arrays may be memory-mapped.

    `codes` are the kernel's permuted hashes where `offsets` and `postings` are there, and the
    hashes as they are in a segment too small to be banded. `seqs` are relative to `low`.
    """

    low: int
    high: int
    codes: NDArray[np.uint8]
    offsets: NDArray[np.uint32] | None
    postings: NDArray[np.uint32] | None
    seqs: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def build(cls, low: int, high: int, rows: Rows) -> PdqSegment:
        """A segment over `rows`, whose values are (N, 32) hashes."""
        relative = (rows.seqs - low).astype(np.uint32)
        hashes = np.ascontiguousarray(rows.values)
        if len(hashes) < BANDED_FROM:
            return cls(low, high, hashes, None, None, relative)
        codes, offsets, postings = _kernel.index_build(hashes)
        if not len(offsets):
            return cls(low, high, hashes, None, None, relative)
        return cls(low, high, codes, offsets, postings, relative)

    @classmethod
    def of(cls, contents: Contents) -> PdqSegment:
        """The segment that a file holds; DamagedSegment when it does not."""
        codes, numbers = contents.arrays.get("codes"), contents.numbers
        if codes is None or len(codes) != len(numbers):
            raise DamagedSegment("it lacks an array")
        offsets, postings = contents.arrays.get("offsets"), contents.arrays.get("postings")
        return cls(contents.low, contents.high, codes, offsets, postings, numbers)

    @property
    def contents(self) -> Contents:
        """The segment as a file holds it."""
        arrays: dict[str, NDArray[Any]] = {"codes": self.codes}
        if self.offsets is not None and self.postings is not None:
            arrays |= {"offsets": self.offsets, "postings": self.postings}
        return Contents(self.low, self.high, arrays | {SEQS: self.seqs})

    def search(self, queries: NDArray[np.uint8], threshold: int) -> Hits:
        """Every hash within `threshold` bits of one of `queries` (Q, 32), by query and distance.

        DamagedSegment when the arrays contradict themselves.
        """
        try:
            if self.offsets is None or self.postings is None:
                query, slot, distance = _kernel.scan(self.codes, queries, threshold)
            else:
                query, slot, distance = _kernel.index_lookup(
                    self.codes, self.offsets, self.postings, queries, threshold
                )
        except ValueError as error:
            raise DamagedSegment(str(error)) from error
        return Hits(query, self.seqs[slot].astype(np.int64) + self.low, distance)

    def rows(self) -> Rows:
        """The hashes (N, 32) and their numbers (N,), as `build` took them."""
        hashes = self.codes if self.offsets is None else _kernel.unpermute(self.codes)
        return Rows(np.asarray(hashes), self.seqs.astype(np.int64) + self.low)


class PdqIndex(Index[PdqSegment]):
    """The index over a bank's PDQ hashes."""

    type = FingerprintType.PDQ
    magic = MAGIC
    suffix = ".pdq"
    width = FINGERPRINT_BYTES[FingerprintType.PDQ]
    most = 1 << 32

    @property
    def tail_limit(self) -> int:
        """How many fingerprints are held in memory before they become a file."""
        return TAIL_LIMIT

    def search(
        self, queries: NDArray[np.uint8], threshold: int, moment: Moment | None = None
    ) -> Hits:
        """Every hash within `threshold` bits (0..63) of `queries` (Q, 32), in no order.

        As of `moment`, which the caller has just asked for, or of now.
        """
        while True:
            snapshot = self.refresh(moment)
            found: list[Hits] = []
            for known, segment in zip(snapshot.files, snapshot.segments, strict=True):
                try:
                    found.append(segment.search(queries, threshold))
                except DamagedSegment:
                    self._distrust(known)
                    break
            else:
                query, slot, distance = _kernel.scan(snapshot.tail.values, queries, threshold)
                found.append(Hits(query, snapshot.tail.seqs[slot], distance))
                return Hits(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _rows(self, connection: Connection, low: int, high: int = 2**62) -> Rows:
        parts = [self._no_rows()]
        while rows := connection.execute(
            "SELECT seq, value FROM fingerprint WHERE seq > ? AND seq <= ? AND bank = ?"
            " AND type = 'pdq' ORDER BY seq LIMIT ?",
            (low, high, self._bank, _FETCH),
        ).fetchall():
            low = rows[-1][0]
            hashes = np.frombuffer(b"".join(row[1] for row in rows), np.uint8).reshape(-1, 32)
            parts.append(Rows(hashes, np.fromiter((row[0] for row in rows), np.int64, len(rows))))
        return Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _segment_of(self, contents: Contents) -> PdqSegment:
        return PdqSegment.of(contents)

    def _build(self, low: int, high: int, rows: Rows) -> PdqSegment:
        return PdqSegment.build(low, high, rows)
