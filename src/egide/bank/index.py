"""The PDQ index of one bank: a few mapped segments, and the newest fingerprints in memory.

The database is the truth and the index a copy of it that can always be made again. Segments cover
contiguous ranges of fingerprint numbers; what no segment covers is the tail, which is held in
memory and searched linearly. When the tail is long it becomes a segment, merged with the
neighbours of like size, so that adding N fingerprints one by one costs O(N log N) in all and never
a rebuild of everything.

What the index answers is confirmed in the database (`Bank.search`), so a withdrawn fingerprint is
gone at once whatever the files still hold; they are rewritten without it right after.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide import _kernel
from egide.bank.segment import (
    SUFFIX,
    DamagedSegment,
    Hits,
    Segment,
    SegmentFile,
    open_segment,
    write_segment,
)
from egide.db import Database, Moment
from egide.errors import StorageError

TAIL_LIMIT: Final = 16_384
"""Fingerprints searched linearly (about 20 µs a query) before they become a segment."""

MERGE_RATIO: Final = 4
"""A segment less than this many times the size of what follows it is merged with it."""

_FETCH: Final = 100_000
_FILE_COLUMNS: Final = ", ".join(SegmentFile._fields)


class Rows(NamedTuple):
    """PDQ hashes (N, 32) and their fingerprint numbers (N,), ascending."""

    hashes: NDArray[np.uint8]
    seqs: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        """All of `parts`, in the order of their numbers."""
        parts = [part for part in parts if len(part.seqs)] or [_NO_ROWS]
        parts.sort(key=lambda part: int(part.seqs[0]) if len(part.seqs) else 0)
        if len(parts) == 1:
            return parts[0]
        hashes = np.concatenate([part.hashes for part in parts])
        seqs = np.concatenate([part.seqs for part in parts])
        if (np.diff(seqs) > 0).all():
            return cls(hashes, seqs)
        order = np.argsort(seqs, kind="stable")
        return cls(hashes[order], seqs[order])

    def without(self, erased: NDArray[np.int64]) -> Rows:
        """These rows less the fingerprints numbered in `erased`."""
        kept = ~np.isin(self.seqs, erased)
        return self if kept.all() else Rows(self.hashes[kept], self.seqs[kept])


_NO_ROWS: Final = Rows(np.empty((0, 32), np.uint8), np.empty(0, np.int64))


class Snapshot(NamedTuple):
    """One consistent state of the index; replaced as a whole, never changed.

    `high` is the highest fingerprint number taken in; `due` whether files are damaged or still
    hold what was erased.
    """

    files: tuple[SegmentFile, ...] = ()
    segments: tuple[Segment, ...] = ()
    tail: Rows = _NO_ROWS
    high: int = 0
    due: bool = False


class _Seen(threading.local):
    """The moment at which this thread last looked."""

    moment: Moment | None = None


class PdqIndex:
    """The index of the bank numbered `bank`, its files in `folder`. Thread-safe."""

    def __init__(self, database: Database, bank: int, folder: Path) -> None:
        self._database = database
        self._bank = bank
        self._folder = folder
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._seen = _Seen()
        self._damaged: set[str] = set()

    def search(self, queries: NDArray[np.uint8], threshold: int) -> Hits:
        """Every hash within `threshold` bits (0..63) of `queries` (Q, 32), in no order."""
        while True:
            snapshot = self.refresh()
            found: list[Hits] = []
            for known, segment in zip(snapshot.files, snapshot.segments, strict=True):
                try:
                    found.append(segment.search(queries, threshold))
                except DamagedSegment:
                    self._distrust(known)
                    break
            else:
                query, slot, distance = _kernel.scan(snapshot.tail.hashes, queries, threshold)
                found.append(Hits(query, snapshot.tail.seqs[slot], distance))
                return Hits(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def refresh(self) -> Snapshot:
        """Takes in what any process has added since the last look; microseconds when nothing."""
        moment = self._database.moment()
        snapshot = self._snapshot
        if snapshot is not None and self._seen.moment == moment:
            return snapshot
        with self._lock:
            snapshot = self._snapshot = self._load()
            self._seen.moment = moment
            if snapshot.due or len(snapshot.tail.seqs) >= TAIL_LIMIT:
                # The answer does not wait for the files, nor fail with them.
                with suppress(StorageError):
                    snapshot = self._store(wait=False)
        return snapshot

    def store(self) -> Snapshot:
        """Writes the tail to a file, and erased fingerprints out of the files.

        StorageError when the files cannot be written.
        """
        with self._lock:
            return self._store(wait=True)

    def _distrust(self, known: SegmentFile) -> None:
        """Goes on without a file that turned out to be damaged while it was being read."""
        with self._lock:
            self._damaged.add(known.file)
            self._snapshot = None

    def _load(self, *, anew: bool = False) -> Snapshot:
        """The state of the database now; reads only what the present snapshot lacks.

        With `anew` the tail is read again, without what was withdrawn since it was first read.
        """
        old = self._snapshot or Snapshot()
        while True:
            with self._database.read() as connection:
                listed = self._listed(connection)
            good, segments = self._open(listed, old)
            with self._database.read() as connection:
                if self._listed(connection) != listed:
                    continue  # another process has just replaced files, perhaps those we missed
                if listed == old.files and not anew:
                    new = self._rows(connection, old.high)
                    if not len(new.seqs):
                        return old
                    return old._replace(tail=Rows.joined([old.tail, new]), high=int(new.seqs[-1]))
                tail = self._uncovered(connection, good)
                # Only who opens a bank cleans up after a process that was killed: one that is at
                # work does so itself.
                due = len(good) < len(listed) or (
                    self._snapshot is None and len(self._erased(connection)) > 0
                )
            break
        self._restamp(listed, good)
        ends = [known.high for known in good] + tail.seqs[-1:].tolist()
        return Snapshot(good, segments, tail, max(ends, default=0), due)

    def _uncovered(self, connection: sqlite3.Connection, files: tuple[SegmentFile, ...]) -> Rows:
        """The rows past the last of `files`, and between them where one is missing or damaged."""
        parts = []
        low = 0
        for known in files:
            if known.low > low:
                parts.append(self._rows(connection, low, known.low))
            low = known.high
        parts.append(self._rows(connection, low))
        return Rows.joined(parts)

    def _erased(self, connection: sqlite3.Connection) -> NDArray[np.int64]:
        rows = connection.execute("SELECT seq FROM erased WHERE bank = ?", (self._bank,))
        return np.fromiter((row[0] for row in rows), np.int64)

    def _listed(self, connection: sqlite3.Connection) -> tuple[SegmentFile, ...]:
        rows = connection.execute(
            f"SELECT {_FILE_COLUMNS} FROM segment WHERE bank = ? ORDER BY low",  # noqa: S608
            (self._bank,),
        )
        return tuple(SegmentFile(*row) for row in rows)

    def _rows(self, connection: sqlite3.Connection, low: int, high: int = 2**62) -> Rows:
        """The bank's PDQ fingerprints with `low` < seq <= `high`."""
        cursor = connection.execute(
            "SELECT seq, value FROM fingerprint"
            " WHERE seq > ? AND seq <= ? AND bank = ? AND type = 'pdq' ORDER BY seq",
            (low, high, self._bank),
        )
        parts = [_NO_ROWS]
        while rows := cursor.fetchmany(_FETCH):
            hashes = np.frombuffer(b"".join(row[1] for row in rows), np.uint8).reshape(-1, 32)
            parts.append(Rows(hashes, np.fromiter((row[0] for row in rows), np.int64, len(rows))))
        return Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _open(
        self, listed: tuple[SegmentFile, ...], old: Snapshot
    ) -> tuple[tuple[SegmentFile, ...], tuple[Segment, ...]]:
        """The listed files that are what they should be, opened or kept from `old`."""
        opened = {
            known.file: segment for known, segment in zip(old.files, old.segments, strict=True)
        }
        good: dict[SegmentFile, Segment] = {}
        for known in listed:
            if known.file in self._damaged:
                continue
            if known.file in opened:
                good[known] = opened[known.file]
                continue
            try:
                segment, stamp = open_segment(self._folder, known)
            except DamagedSegment:
                continue  # its range goes into the tail, and into a new file with the next store
            good[known._replace(stamp=stamp)] = segment
        return tuple(good), tuple(good.values())

    def _restamp(self, listed: tuple[SegmentFile, ...], good: tuple[SegmentFile, ...]) -> None:
        """Records that files which were moved or copied here have been verified."""
        moved = [(known.stamp, known.file) for known in good if known not in listed]
        if moved:
            # A home that may not be written to is verified at every start instead.
            with suppress(StorageError), self._database.write() as connection:
                connection.executemany("UPDATE segment SET stamp = ? WHERE file = ?", moved)

    def _store(self, *, wait: bool) -> Snapshot:
        """Writes files until the tail is short and nothing erased is left in them.

        Without `wait` it gives way to another process that is at it. Readers go on meanwhile.
        """
        with self._writing(wait) as mine:
            self._snapshot = self._load(anew=mine)
            if mine:
                self._write_files(self._snapshot)
                self._snapshot = self._load()
        return self._snapshot

    def _write_files(self, snapshot: Snapshot) -> None:
        with self._database.read() as connection:
            erased = self._erased(connection)
            gone = {known.file for known in self._listed(connection)}
        made: list[SegmentFile] = []
        try:
            first_merged = self._first_merged(snapshot)
            low = 0
            for known, segment in zip(
                snapshot.files[:first_merged], snapshot.segments, strict=False
            ):
                low = known.high
                kept = Rows(*segment.rows()).without(erased) if len(erased) else None
                if kept is None or len(kept.seqs) == len(segment):
                    gone.discard(known.file)
                elif len(kept.seqs):
                    made.append(self._write(known.low, known.high, kept))
            merged = Rows.joined(
                [Rows(*segment.rows()) for segment in snapshot.segments[first_merged:]]
                + [snapshot.tail]
            ).without(erased)
            if len(merged.seqs):
                made.append(self._write(low, snapshot.high, merged))
            if gone or made or len(erased):
                self._list(gone, made, erased)
        except BaseException:
            for known in made:
                (self._folder / known.file).unlink(missing_ok=True)
            raise
        self._remove_left_overs()

    def _list(self, gone: set[str], made: list[SegmentFile], erased: NDArray[np.int64]) -> None:
        """Puts the files `made` in the place of those `gone`, all at once."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM segment WHERE file = ?", ((file,) for file in gone))
            connection.executemany(
                f"INSERT INTO segment (bank, {_FILE_COLUMNS})"  # noqa: S608
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(self._bank, *known) for known in made],
            )
            connection.executemany(
                "DELETE FROM erased WHERE seq = ?", ((seq,) for seq in erased.tolist())
            )

    def _remove_left_overs(self) -> None:
        """Removes the files that are not listed; nobody else writes here while the lock is held."""
        with self._database.read() as connection:
            listed = {known.file for known in self._listed(connection)}
        try:
            for path in self._folder.glob(f"*{SUFFIX}"):
                if path.name not in listed:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}; remove it by hand") from error

    def _first_merged(self, snapshot: Snapshot) -> int:
        """From which segment on everything is rewritten as one together with the tail."""
        size = len(snapshot.tail.seqs)
        first = len(snapshot.files)
        if size == 0:
            return first
        while first and snapshot.files[first - 1].entries < MERGE_RATIO * size:
            first -= 1
            size += snapshot.files[first].entries
        # The rows of a file that was lost are in the tail: what comes after them is merged too.
        oldest = snapshot.tail.seqs[0]
        return next(
            (n for n, known in enumerate(snapshot.files[:first]) if known.low >= oldest), first
        )

    def _write(self, low: int, high: int, rows: Rows) -> SegmentFile:
        return write_segment(Segment.build(low, high, rows.hashes, rows.seqs), self._folder)

    @contextmanager
    def _writing(self, wait: bool) -> Iterator[bool]:
        """Holds the lock that lets one process at a time write this bank's files."""
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_CREAT | os.O_WRONLY, 0o600)
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}; make it writable") from error
        with os.fdopen(lock, "wb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
