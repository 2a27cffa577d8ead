"""The index over local fingerprints: which banked pictures share points with a queried one.

An inverted file from the leading bits of a point's descriptor to the points that have them. It
gives a shortlist; the records themselves stay in the database, from which the shortlisted ones are
read to be verified, and from which files are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide import _kernel
from egide.bank.index import Index, Rows, Snapshot
from egide.bank.segment import SEQS, Contents, DamagedSegment
from egide.db import Connection
from egide.fingerprint import FingerprintType

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures

MAGIC: Final = b"EGIDELOC1\n"

TAIL_LIMIT: Final = 512
"""Fingerprints indexed in memory before they become a file; anew when one is added, 15 ms."""

MOST_IN_FILE: Final = 1 << 17
"""Fingerprints in one file: building one takes about 700 MB of memory."""

_FETCH: Final = 1000


class Candidate(NamedTuple):
    """A banked picture that shares points with the query: to be verified against its record.

    `face` is 0 for the query as it is and 1 for its mirror image; `seeds` are the shared points,
    for the kernel alone.
    """

    seq: int
    face: int
    seeds: bytes


@dataclass(frozen=True, slots=True, eq=False)
class LocalSegment:
    """The postings of the fingerprints with `low` < seq <= `high`; arrays may be memory-mapped."""

    low: int
    high: int
    starts: NDArray[np.uint32] | NDArray[np.uint64]
    postings: NDArray[np.uint32]
    seqs: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.seqs)

    @classmethod
    def of(cls, contents: Contents) -> LocalSegment:
        """The segment that a file holds; DamagedSegment when it does not."""
        try:
            starts, postings = contents.arrays["starts"], contents.arrays["postings"]
        except KeyError as error:
            raise DamagedSegment("it lacks an array") from error
        return cls(contents.low, contents.high, starts, postings, contents.numbers)

    @property
    def contents(self) -> Contents:
        """The segment as a file holds it."""
        arrays: dict[str, NDArray[Any]] = {
            "starts": self.starts,
            "postings": self.postings,
            SEQS: self.seqs,
        }
        return Contents(self.low, self.high, arrays)

    def rows(self) -> Rows:
        """The fingerprints' numbers (N,), with no values."""
        return Rows(np.empty((len(self), 0), np.uint8), self.seqs.astype(np.int64) + self.low)

    def seq(self, slot: int) -> int:
        """The number of the fingerprint in `slot`; DamagedSegment when there is none."""
        if slot >= len(self.seqs):
            raise DamagedSegment("a posting is of a fingerprint that the file does not have")
        return int(self.seqs[slot]) + self.low


class LocalIndex(Index[LocalSegment]):
    """The index over a bank's local fingerprints."""

    type = FingerprintType.LOCAL
    magic = MAGIC
    suffix = ".local"
    width = 0
    most = MOST_IN_FILE

    _tail: tuple[Rows, LocalSegment] | None = None

    @property
    def tail_limit(self) -> int:
        """How many fingerprints are held in memory before they become a file."""
        return TAIL_LIMIT

    def shortlist(self, features: LocalFeatures) -> list[Candidate]:
        """The banked pictures that share the most points with `features`, likeliest first."""
        while True:
            snapshot = self.refresh()
            segments = [*snapshot.segments, self._tail_segment(snapshot)]
            try:
                return _shortlist(features, segments)
            except (DamagedSegment, ValueError):
                self._distrust_damaged(features, snapshot)

    def _distrust_damaged(self, features: LocalFeatures, snapshot: Snapshot[LocalSegment]) -> None:
        """Finds which of the files it is that cannot be searched."""
        for known, segment in zip(snapshot.files, snapshot.segments, strict=True):
            try:
                _shortlist(features, [segment])
            except (DamagedSegment, ValueError):
                self._distrust(known)
                return
        raise RuntimeError("the index in memory contradicts itself")

    def _tail_segment(self, snapshot: Snapshot[LocalSegment]) -> LocalSegment:
        """The newest fingerprints as a segment, made once for each state of the tail."""
        with self._lock:
            if self._tail is None or self._tail[0] is not snapshot.tail:
                low = int(snapshot.tail.seqs[0]) - 1 if len(snapshot.tail.seqs) else 0
                self._tail = snapshot.tail, self._build(low, snapshot.high, snapshot.tail)
            return self._tail[1]

    def _build(self, low: int, high: int, rows: Rows) -> LocalSegment:
        """A segment over those of `rows` that the database still holds."""
        builder = _kernel.LocalBuilder()
        numbers: list[int] = []
        with self._database.read() as connection:  # both passes see one moment
            for found in self._records(connection, rows):
                builder.count([record for _, record in found])
                numbers += (seq - low for seq, _ in found)
            for found in self._records(connection, rows):
                builder.fill([record for _, record in found])
        starts, postings = builder.finish()
        return LocalSegment(low, high, starts, postings, np.array(numbers, np.uint32))

    def _records(self, connection: Connection, rows: Rows) -> Iterator[list[tuple[int, bytes]]]:
        """The records of `rows` by thousands, in the order of their numbers."""
        if not len(rows.seqs):
            return
        low, last = int(rows.seqs[0]) - 1, int(rows.seqs[-1])
        wanted = set(rows.seqs.tolist())
        while found := connection.execute(
            "SELECT seq, value FROM fingerprint WHERE seq > ? AND seq <= ? AND bank = ?"
            " AND type = 'local' ORDER BY seq LIMIT ?",
            (low, last, self._bank, _FETCH),
        ).fetchall():
            low = found[-1][0]
            yield [(seq, value) for seq, value in found if seq in wanted]

    def _rows(self, connection: Connection, low: int, high: int = 2**62) -> Rows:
        cursor = connection.execute(
            "SELECT seq FROM fingerprint"
            " WHERE seq > ? AND seq <= ? AND bank = ? AND type = 'local' ORDER BY seq",
            (low, high, self._bank),
        )
        seqs = np.fromiter((row[0] for row in cursor), np.int64)
        return Rows(np.empty((len(seqs), 0), np.uint8), seqs)

    def _segment_of(self, contents: Contents) -> LocalSegment:
        return LocalSegment.of(contents)


def _shortlist(features: LocalFeatures, segments: list[LocalSegment]) -> list[Candidate]:
    found = features.shortlist([(segment.starts, segment.postings) for segment in segments])
    return [
        Candidate(segments[number].seq(slot), face, seeds) for number, slot, face, _, seeds in found
    ]
