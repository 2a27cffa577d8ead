"""What every database of égide answers: an embedded SQLite file, or PostgreSQL."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Moment = tuple[int, ...]
"""A state of the database as one thread sees it: another after any commit of a serial write."""


class Row(Protocol):
    """A row, by name and by number; unpacked and iterated like a tuple."""

    def __getitem__(self, key: int | str, /) -> Any:
        """The value of the column called or numbered `key`; IndexError when there is none."""

    def __iter__(self) -> Iterator[Any]:
        """The values in the order of the columns."""

    def __len__(self) -> int:
        """How many columns there are."""


class Cursor(Protocol):
    """What a statement answers."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:
        """The next `Row`, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one by one."""


class Connection(Protocol):
    """A connection within a transaction.

    Its SQL is what both databases understand: placeholders are `?`; `RETURNING` and `ON CONFLICT`
    may be used; no `GLOB`, `PRAGMA`, `rowid`, no functions of dates, no `INSERT OR …`. Numbers are
    INTEGER or REAL, truth is 0 or 1, times are integers, bytes are BLOB. An unary plus does not
    stand before text.
    """

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Runs one statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Runs one statement for each of `parameters`."""

    def reserve(self, table: str, count: int) -> int:
        """The last `seq` that `table` has given; the `count` behind it are the caller's.

        For rows that are inserted with their numbers, in a serial write.
        """


class Database(ABC):
    """A database that is open. Thread-safe.

    Every error is a StorageError; AlreadyThere when a value that must be unique is there,
    StorageFull when its disk has no room. `full_at` is the time of `time.monotonic` when that was
    last so in this process.
    """

    full_at = -math.inf

    @abstractmethod
    def write(self, *, serial: bool = True) -> AbstractContextManager[Connection]:
        """A write transaction: committed and on the disk when the block ends, or not at all.

        Serial ones follow one another, and each makes a new `moment`: whatever adds or withdraws
        fingerprints is serial. With `serial=False` it does not wait for others where the database
        can do without, so that its statements must hold when others run in between.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """A read transaction: everything read in the block is of one moment."""

    @abstractmethod
    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows that one SELECT answers now, each a `Row`."""

    @abstractmethod
    def moment(self) -> Moment:
        """The present state: compare two of the same thread to know whether there was a commit."""

    @abstractmethod
    def follows(self, moment: Moment) -> bool:
        """Whether what is there grew out of `moment`: not when a backup was put in its place."""

    @abstractmethod
    def scrub(self, *, removed: bool = False) -> None:
        """Lets nothing linger of what was erased, as far as it can be done while others work.

        `removed` when a whole bank went. StorageError when it could not be done.
        """

    @abstractmethod
    def compact(self) -> None:
        """Writes the database anew without what was deleted from it; others wait meanwhile."""

    @abstractmethod
    def close(self) -> None:
        """Closes the connections that this thread may close."""
