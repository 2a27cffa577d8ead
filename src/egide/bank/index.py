"""The index of one bank and type: a few mapped segments, and the newest fingerprints in memory.

The database is the truth and the index a copy of it that can always be made again. Segments cover
contiguous ranges of fingerprint numbers; what no segment covers is the tail, which is held in
memory and searched linearly. When the tail is long it becomes a segment, merged with the
neighbours of like size, so that adding N fingerprints one by one costs O(N log N) in all and never
a rebuild of everything.

What the index answers is confirmed in the database (`Bank`), so a withdrawn fingerprint is gone at
once whatever the files still hold; they are rewritten without it right after.

`pdq_index` and `local_index` say what a segment is, and how one is searched.
"""

from __future__ import annotations

import fcntl
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from egide.bank.catalogue import Catalogue
from egide.bank.segment import (
    Contents,
    DamagedSegment,
    SegmentFile,
    open_segment,
    write_segment,
)
from egide.db import Connection, Database, Moment
from egide.errors import StorageError, storage_error
from egide.fingerprint import FingerprintType

MERGE_RATIO: Final = 4
"""A segment less than this many times the size of what follows it is merged with it."""


class Rows(NamedTuple):
    """Fingerprint numbers (N,), ascending, and what the index itself keeps of each, (N, width).

    PDQ hashes are kept, 32 bytes wide; of local fingerprints nothing is, 0 wide: their files are
    made from the database.
    """

    values: NDArray[np.uint8]
    seqs: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        """All of `parts`, in the order of their numbers."""
        parts = [part for part in parts if len(part.seqs)] or parts[:1]
        parts.sort(key=lambda part: int(part.seqs[0]) if len(part.seqs) else 0)
        if len(parts) == 1:
            return parts[0]
        values = np.concatenate([part.values for part in parts])
        seqs = np.concatenate([part.seqs for part in parts])
        if (np.diff(seqs) > 0).all():
            return cls(values, seqs)
        order = np.argsort(seqs, kind="stable")
        return cls(values[order], seqs[order])

    def without(self, erased: NDArray[np.int64]) -> Rows:
        """These rows less the fingerprints numbered in `erased`."""
        kept = ~np.isin(self.seqs, erased)
        return self if kept.all() else Rows(self.values[kept], self.seqs[kept])

    def split(self, most: int) -> Iterator[Rows]:
        """These rows in parts of at most `most`, in order."""
        for start in range(0, len(self.seqs), most):
            yield Rows(self.values[start : start + most], self.seqs[start : start + most])


class Segment(Protocol):
    """A file's arrays, mapped."""

    def __len__(self) -> int:
        """How many fingerprints there are."""

    def rows(self) -> Rows:
        """The fingerprints, as the file was made from them."""

    @property
    def contents(self) -> Contents:
        """The segment as a file holds it."""


S = TypeVar("S", bound=Segment)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot(Generic[S]):
    """One consistent state of the index; replaced as a whole, never changed.

    `high` is the highest fingerprint number taken in; `due` whether files are damaged or still
    hold what was erased.
    """

    files: tuple[SegmentFile, ...]
    segments: tuple[S, ...]
    tail: Rows
    high: int = 0
    due: bool = False


class _Seen(threading.local):
    """The moment at which this thread last looked."""

    moment: Moment | None = None


class Index(ABC, Generic[S]):
    """The index over one type of the bank numbered `bank`, its files in `folder`. Thread-safe.

    Attributes:
        type: which fingerprints it is of.
        magic: what its files begin with.
        suffix: what their names end with.
        width: bytes it keeps of each fingerprint itself.
        most: fingerprints in one file.
    """

    type: ClassVar[FingerprintType]
    magic: ClassVar[bytes]
    suffix: ClassVar[str]
    width: ClassVar[int]
    most: ClassVar[int]

    def __init__(self, database: Database, bank: int, folder: Path, catalogue: Catalogue) -> None:
        self._database = database
        self._bank = bank
        self._folder = folder
        self._catalogue = catalogue
        self._lock = threading.RLock()
        self._snapshot: Snapshot[S] | None = None
        self._seen = _Seen()
        self._loaded: Moment | None = None
        self._damaged: set[str] = set()

    @property
    @abstractmethod
    def tail_limit(self) -> int:
        """How many fingerprints are held in memory before they become a file."""

    @abstractmethod
    def _rows(self, connection: Connection, low: int, high: int = 2**62) -> Rows:
        """The bank's fingerprints of this type with `low` < seq <= `high`."""

    @abstractmethod
    def _segment_of(self, contents: Contents) -> S:
        """The segment that a file holds; DamagedSegment when it holds none."""

    @abstractmethod
    def _build(self, low: int, high: int, rows: Rows) -> S:
        """A segment over `rows`, which are all that stand between `low` and `high`."""

    def _open_file(self, known: SegmentFile) -> tuple[S, str]:
        """Maps a file, and gives its present stamp; DamagedSegment when it is not that file."""
        contents, stamp = open_segment(self._folder, known, self.magic)
        return self._segment_of(contents), stamp

    def _write(self, low: int, high: int, rows: Rows) -> SegmentFile:
        """Writes `rows`, which are all that stand between `low` and `high`, into a file."""
        contents = self._build(low, high, rows).contents
        return write_segment(contents, self._folder, self.magic, self.suffix)

    def _no_rows(self) -> Rows:
        return Rows(np.empty((0, self.width), np.uint8), np.empty(0, np.int64))

    def refresh(self, moment: Moment | None = None) -> Snapshot[S]:
        """Takes in what any process has added since the last look; microseconds when nothing.

        With `moment`, what was added after it may be left for the next time.
        """
        if moment is None:
            moment = self._database.moment()
        snapshot = self._snapshot
        if snapshot is not None and self._seen.moment == moment:
            return snapshot
        with self._lock:
            snapshot = self._reload()
            self._seen.moment = moment
            if snapshot.due or len(snapshot.tail.seqs) >= self.tail_limit:
                # The answer does not wait for the files, nor fail with them.
                with suppress(StorageError):
                    snapshot = self._store(wait=False)
        return snapshot

    def store(self) -> Snapshot[S]:
        """Writes the tail to a file, and erased fingerprints out of the files.

        StorageError when the files cannot be written.
        """
        with self._lock:
            return self._store(wait=True)

    def _reload(self, *, anew: bool = False) -> Snapshot[S]:
        """Loads, from nothing when the database is not the one that was read but a backup of it."""
        if self._loaded is not None and not self._database.follows(self._loaded):
            self._snapshot = None
        self._catalogue.verify(self.type)
        snapshot = self._snapshot = self._load(anew=anew)
        # Asked afterwards: what was loaded is of this moment's past, and of no other's.
        self._loaded = self._database.moment()
        return snapshot

    def _distrust(self, known: SegmentFile) -> None:
        """Goes on without a file that turned out to be damaged while it was being read."""
        with self._lock:
            self._damaged.add(known.file)
            self._snapshot = None

    def _load(self, *, anew: bool = False) -> Snapshot[S]:
        """The state of the database now; reads only what the present snapshot lacks.

        With `anew` the tail is read again, without what was withdrawn since it was first read.
        """
        old = self._snapshot or Snapshot((), (), self._no_rows())
        behind = self._catalogue.behind(self.type, opening=self._snapshot is None)
        while True:
            listed = self._listed()
            good, segments = self._open(listed, old)
            with self._database.read() as connection:
                if self._listed() != listed:
                    continue  # another process has just replaced files, perhaps those we missed
                if listed == old.files and not anew:
                    return self._grown(old, self._rows(connection, old.high), due=behind)
                tail = self._uncovered(connection, good)
            break
        self._restamp(listed, good)
        ends = [known.high for known in good] + tail.seqs[-1:].tolist()
        due = behind or len(good) < len(listed)
        return Snapshot(good, segments, tail, max(ends, default=0), due)

    def _grown(self, old: Snapshot[S], new: Rows, *, due: bool) -> Snapshot[S]:
        if not len(new.seqs):
            return old if old.due == due else replace(old, due=due)
        return replace(old, tail=Rows.joined([old.tail, new]), high=int(new.seqs[-1]), due=due)

    def _uncovered(self, connection: Connection, files: tuple[SegmentFile, ...]) -> Rows:
        """The rows past the last of `files`, and between them where one is missing or damaged."""
        parts = []
        low = 0
        for known in files:
            if known.low > low:
                parts.append(self._rows(connection, low, known.low))
            low = known.high
        parts.append(self._rows(connection, low))
        return Rows.joined(parts)

    def _listed(self) -> tuple[SegmentFile, ...]:
        return self._catalogue.listed(self.type)

    def _open(
        self, listed: tuple[SegmentFile, ...], old: Snapshot[S]
    ) -> tuple[tuple[SegmentFile, ...], tuple[S, ...]]:
        """The listed files that are what they should be, opened or kept from `old`."""
        opened = {
            known.file: segment for known, segment in zip(old.files, old.segments, strict=True)
        }
        good: dict[SegmentFile, S] = {}
        for known in listed:
            if known.file in self._damaged:
                continue
            if known.file in opened:
                good[known] = opened[known.file]
                continue
            try:
                segment, stamp = self._open_file(known)
            except DamagedSegment:
                continue  # its range goes into the tail, and into a new file with the next store
            good[known._replace(stamp=stamp)] = segment
        return tuple(good), tuple(good.values())

    def _restamp(self, listed: tuple[SegmentFile, ...], good: tuple[SegmentFile, ...]) -> None:
        """Records that files which were moved or copied here have been verified."""
        moved = [known for known in good if known not in listed]
        if moved:
            # A home that may not be written to is verified at every start instead.
            with suppress(StorageError):
                self._catalogue.restamp(moved)

    def _store(self, *, wait: bool) -> Snapshot[S]:
        """Writes files until the tail is short and nothing erased is left in them.

        Without `wait` it gives way to another process that is at it. Readers go on meanwhile.
        """
        with self._writing(wait) as mine:
            snapshot = self._reload(anew=mine)
            if mine:
                self._write_files(snapshot)
                snapshot = self._reload()
        return snapshot

    def _write_files(self, snapshot: Snapshot[S]) -> None:
        assert self._loaded is not None  # noqa: S101  it has just been
        erased = self._catalogue.erased(self.type)
        gone = {known.file for known in self._listed()}
        dropped = np.array(erased.seqs, np.int64)
        made: list[SegmentFile] = []
        try:
            first_merged = self._first_merged(snapshot)
            low = 0
            for known, segment in zip(
                snapshot.files[:first_merged], snapshot.segments, strict=False
            ):
                low = known.high
                kept = segment.rows().without(dropped) if len(dropped) else None
                if kept is None or len(kept.seqs) == len(segment):
                    gone.discard(known.file)
                elif len(kept.seqs):
                    made.append(self._write(known.low, known.high, kept))
            merged = Rows.joined(
                [segment.rows() for segment in snapshot.segments[first_merged:]] + [snapshot.tail]
            ).without(dropped)
            left = len(merged.seqs)
            for part in merged.split(self.most):
                left -= len(part.seqs)
                high = int(part.seqs[-1]) if left else snapshot.high
                made.append(self._write(low, high, part))
                low = high
            if gone or made or erased.seqs:
                self._catalogue.replace(self.type, gone, made, erased, self._loaded)
        except BaseException:
            for known in made:
                (self._folder / known.file).unlink(missing_ok=True)
            raise
        self._remove_left_overs()

    def _remove_left_overs(self) -> None:
        """Removes the files that are not listed; nobody else writes here while the lock is held."""
        listed = {known.file for known in self._listed()}
        try:
            for path in self._folder.glob(f"*{self.suffix}"):
                if path.name not in listed:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}; remove it by hand") from error

    def _first_merged(self, snapshot: Snapshot[S]) -> int:
        """From which segment on everything is rewritten as one together with the tail."""
        size = len(snapshot.tail.seqs)
        first = len(snapshot.files)
        if size == 0:
            return first
        while first and snapshot.files[first - 1].entries < min(MERGE_RATIO * size, self.most):
            first -= 1
            size += snapshot.files[first].entries
        # The rows of a file that was lost are in the tail: what comes after them is merged too.
        oldest = snapshot.tail.seqs[0]
        return next(
            (n for n, known in enumerate(snapshot.files[:first]) if known.low >= oldest), first
        )

    @contextmanager
    def _writing(self, wait: bool) -> Iterator[bool]:
        """Holds the lock that lets one process at a time write this bank's files."""
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_CREAT | os.O_WRONLY, 0o600)
        except OSError as error:
            raise storage_error(self._folder, error, "make it writable") from error
        with os.fdopen(lock, "wb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
