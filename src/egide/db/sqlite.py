"""The embedded database: one SQLite file in write-ahead mode, a connection for every thread."""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from egide.db.database import Database, Moment
from egide.db.scripts import SCHEMA, newest, scripts
from egide.errors import AlreadyThere, StorageError, StorageFull

APPLICATION_ID: Final = 0x65676964  # "egid"
BUSY_SECONDS: Final = 60.0
_TURN_SECONDS: Final = (0.0002, 0.002)
"""Between two looks whether it is one's turn; a chance one, so that all get on."""

_CONNECTIONS: Final = count()
_INHERITED: Final[list[sqlite3.Connection]] = []
"""Connections of the process that this one was forked from: closed here, they would harm it."""


_UNIQUE: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})


class SqliteConnection(sqlite3.Connection):
    """A connection that can tell which numbers a table has given."""

    def reserve(self, table: str, count: int, /) -> int:  # noqa: ARG002  nobody else is writing
        """The last number that `table` has given; the `count` behind it are the caller's."""
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return 0 if row is None else int(row[0])


class _ThreadState(threading.local):
    connection: SqliteConnection | None = None
    process = 0
    number = 0
    commits = 0
    file: tuple[int, int] = (0, 0)
    stamp: tuple[int, int, int] | None = None


class SqliteDatabase(Database):
    """The file at `path`, created or brought up to the present schema when opened.

    Each thread has a connection of its own. Where the file or its folder may not be written to, it
    can be read all the same. `schema` names the folder of its scripts.
    """

    def __init__(self, path: Path, schema: str = SCHEMA) -> None:
        self.path = path
        self._schema = schema
        self._local = _ThreadState()
        if not path.exists():
            # Created with its final permission, so that there is no moment when others can read.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with self.errors():
            self._migrate()

    @property
    def connection(self) -> SqliteConnection:
        """This thread's connection.

        StorageError when the file is gone: what is open would be read and written as if it were
        there. One that was put in its place is taken instead.
        """
        local = self._local
        if local.connection is not None and local.process != os.getpid():
            _INHERITED.append(local.connection)
            local.connection = None
        if local.connection is None:
            with self.errors():
                local.file = self._file()
                local.connection = self._connect()
            local.process = os.getpid()
            local.number = next(_CONNECTIONS)
        elif not local.connection.in_transaction and local.file != self._file():
            self.close()
            return self.connection
        return local.connection

    def moment(self) -> Moment:
        """The present state: compare two of the same thread to know whether there was a commit."""
        local = self._local
        if local.stamp is not None and local.stamp != self._stamp():
            self.close()
        with self.errors():
            others = self.connection.execute("PRAGMA data_version").fetchone()[0]
        # data_version does not count a connection's own commits.
        return local.number, others, local.commits

    def follows(self, moment: Moment) -> bool:  # noqa: ARG002
        """True: what is kept of this database's past is kept in it."""
        return True

    @contextmanager
    def write(self, *, serial: bool = True) -> Iterator[SqliteConnection]:  # noqa: ARG002
        """A write transaction; SQLite lets one follow the other in any case."""
        connection = self.connection
        with self.errors():
            self._begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    connection.rollback()
                raise
            finally:
                self._local.commits += 1

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """A read transaction: everything read in the block is of one moment."""
        connection = self.connection
        with self.errors():
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows that one SELECT answers, in the transaction that the thread is in, if any."""
        with self.errors():
            return self.connection.execute(sql, parameters).fetchall()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns SQLite's errors into StorageError, naming the file."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _UNIQUE:
                raise AlreadyThere(f"{self.path}: {error}") from error
            raise StorageError(f"{self.path}: {error}; see docs/how-to/repair.md") from error
        except sqlite3.Error as error:
            told = f"{self.path}: {error}; see docs/how-to/repair.md"
            if getattr(error, "sqlite_errorcode", None) in _FULL:
                self.full_at = time.monotonic()
                raise StorageFull(told) from error
            raise StorageError(told) from error

    def scrub(self, *, removed: bool = False) -> None:
        """Moves the write-ahead log into the database: what was erased must not linger there.

        When a bank was `removed` the database is written anew. StorageError when another process
        has been reading for so long that it cannot be done.
        """
        if removed:
            self.compact()
            return
        with self.errors(), self._turn():
            busy = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StorageError(
                f"{self.path} is in use by another process, and its log still holds what was "
                "erased; do it again when that process has ended"
            )

    def compact(self) -> None:
        """Writes the database anew without what was deleted from it, and empties its log."""
        with self.errors(), self._turn():
            self.connection.execute("VACUUM")
        self._local.commits += 1
        self.scrub()

    def close(self) -> None:
        """Closes this thread's connection."""
        if self._local.connection is not None:
            self._local.connection.close()
            self._local.connection = None

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begins to write, in one's turn.

        SQLite by itself looks ten times a second in the end: beside a process that goes on
        writing, another may find the database taken each time.
        """
        until = time.monotonic() + BUSY_SECONDS
        with self._turn():
            while True:
                connection.execute("PRAGMA busy_timeout = 0")
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                    if not busy or time.monotonic() > until:
                        raise
                else:
                    return
                finally:
                    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
                time.sleep(random.uniform(*_TURN_SECONDS))  # noqa: S311

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Holds the turnstile: who has it writes next, since who has written must pass it again.

        A courtesy that protects nothing: who cannot have it, or not for long, goes on without.
        """
        until = time.monotonic() + BUSY_SECONDS / 2
        try:
            turnstile = os.open(self._turnstile, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:  # nobody may write here, or the disk is full: the database says so
            yield
            return
        try:
            with suppress(OSError):  # a file system without locks
                while time.monotonic() < until:
                    try:
                        fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        time.sleep(random.uniform(*_TURN_SECONDS))  # noqa: S311
            yield
        finally:
            with suppress(OSError):  # a process forked meanwhile has this open file too
                fcntl.flock(turnstile, fcntl.LOCK_UN)
            os.close(turnstile)

    def _connect(self) -> SqliteConnection:
        writable = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        self._local.stamp = None
        address = self.path.absolute().as_uri()
        if not writable:
            address += "?mode=ro"
            if not self._log.exists():
                # Without a log nobody is writing, and SQLite needs to be told that it need not
                # make one. Should somebody begin, `moment` sees the file change.
                address += "&immutable=1"
                self._local.stamp = self._stamp()
        connection = sqlite3.connect(
            address, BUSY_SECONDS, isolation_level=None, factory=SqliteConnection, uri=True
        )
        try:
            connection.row_factory = sqlite3.Row
            self._check_owner(connection)
            if writable:
                _use_log(connection)
            for pragma in (
                "synchronous = FULL",  # what was acknowledged survives a power cut
                "foreign_keys = ON",
                "secure_delete = ON",  # what is deleted is overwritten, not just unlinked
                "temp_store = MEMORY",  # no fingerprint in a temporary file
                "cache_size = -65536",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    @property
    def _turnstile(self) -> Path:
        return self.path.with_name(f"{self.path.name}-turn")

    def _file(self) -> tuple[int, int]:
        """What file is there, by device and number."""
        status = self._status()
        return status.st_dev, status.st_ino

    def _stamp(self) -> tuple[int, int, int]:
        status = self._status()
        return status.st_ino, status.st_mtime_ns, self._log.exists()

    def _status(self) -> os.stat_result:
        try:
            return self.path.stat()
        except FileNotFoundError:
            raise StorageError(
                f"{self.path} was removed while it was being used; restore it"
            ) from None

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        """Refuses another program's database before anything in it is changed."""
        # In this order: another process may be making the tables, and its mark, at this moment.
        filled = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        if application != APPLICATION_ID and (application or filled):
            raise StorageError(f"{self.path} is no égide database; give another --home")

    def _migrate(self) -> None:
        known = newest(self._schema)
        if self._version() < known:
            with self.write() as connection:
                before = self._version()  # under the lock: another process may have done it
                for script in scripts(self._schema):
                    if script.number > before:
                        for statement in script.statements():
                            connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {known}")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif self._version() > known:
            raise StorageError(
                f"{self.path} was written by a newer égide (schema {self._version()}, "
                f"known {known}); upgrade égide"
            )

    def _version(self) -> int:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def _use_log(connection: sqlite3.Connection) -> None:
    """Switches to write-ahead mode; SQLite does not wait by itself when two do so at once."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
