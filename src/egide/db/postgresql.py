"""PostgreSQL: the database of several processes and several machines."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg.errors import DiskFull, UndefinedTable, UniqueViolation
from psycopg.pq import ConnStatus

from egide.db.database import Database, Moment
from egide.db.postgresql_pool import Pool
from egide.db.postgresql_sql import PostgresConnection, Row, translated
from egide.db.scripts import newest
from egide.errors import AlreadyThere, StorageError, StorageFull

WRITERS_LOCK: Final = 0x65676964  # "egid"
"""The advisory lock of serial writes."""

MOMENTS_KEPT: Final = 100_000
"""How many serial writes are remembered. A machine that was away for more makes its index anew."""

_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_HELP: Final = "see docs/how-to/postgresql.md"


class PostgresDatabase(Database):
    """The database at `url`; `check_version` says whether it is at the present schema.

    A connection that broke while nothing was under way is replaced without a word. One that breaks
    within a transaction costs that transaction: StorageError, never a wrong answer.
    """

    def __init__(self, url: str, most: int | None = None) -> None:
        self._pool = Pool(url, most)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._pool.name

    def moment(self) -> Moment:
        """The present state: the last serial write, and its token."""
        rows = self.fetch("SELECT number, token FROM moment ORDER BY number DESC LIMIT 1")
        return tuple(rows[0]) if rows else ()

    def follows(self, moment: Moment) -> bool:
        """Whether the serial write that `moment` names is one of this database's past."""
        return bool(
            self.fetch("SELECT 1 FROM moment WHERE number = ? AND token = ?", tuple(moment))
        )

    @contextmanager
    def write(self, *, serial: bool = True) -> Iterator[PostgresConnection]:
        """A write transaction; serial ones hold a lock, so that numbers come in their order."""
        with self._transaction(_WRITE) as raw:
            connection = PostgresConnection(raw)
            if serial:
                raw.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS_LOCK,))
            yield connection
            if serial:
                _note_moment(connection)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        """A read transaction: everything read in the block is of one moment."""
        with self._transaction(_READ) as raw:
            yield PostgresConnection(raw)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows that one SELECT answers; asked again when the connection was broken."""
        with self.errors():
            try:
                return self._fetch(sql, parameters)
            except psycopg.OperationalError as error:
                if not _is_lost(error):
                    raise
                self._pool.forget()
                return self._fetch(sql, parameters)

    def scrub(self, *, removed: bool = False) -> None:  # noqa: ARG002  as far as it can be done now
        """Frees the space of what was overwritten, to be filled anew.

        What a running transaction may still see stays until the next time.
        """
        self._alone("VACUUM (TRUNCATE FALSE) fingerprint, case_key, desk_print, desk_mark")

    def compact(self) -> None:
        """Writes all tables anew without what was deleted from them; others wait meanwhile."""
        self._alone("VACUUM (FULL)")
        self._alone("CHECKPOINT")

    def close(self) -> None:
        """Closes the connections that nobody uses; more are made when they are needed."""
        self._pool.forget()

    def version(self) -> int:
        """The number of the last script that was run on it; 0 when none was."""
        with self.errors():
            try:
                rows = self._fetch("SELECT version_num FROM alembic_version", ())
            except UndefinedTable:
                return 0
        return int(rows[0][0]) if rows else 0

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns PostgreSQL's errors into StorageError: one line, without values."""
        try:
            yield
        except UniqueViolation as error:
            raise AlreadyThere(f"{self.name}: {_line(error)}") from error
        except DiskFull as error:
            self.full_at = time.monotonic()
            raise StorageFull(f"{self.name}: {_line(error)}; {_HELP}") from error
        except psycopg.Error as error:
            raise StorageError(f"{self.name}: {_line(error)}; {_HELP}") from error

    def check_version(self) -> None:
        """StorageError unless the database is at the schema that this égide knows."""
        version, known = self.version(), newest()
        if version > known:
            raise StorageError(
                f"{self.name} was written by a newer égide (schema {version}, known {known}); "
                "upgrade égide"
            )
        if version < known:
            what = f"has schema {version}, not {known}" if version else "has no tables of égide"
            raise StorageError(f"{self.name} {what}; run `egide db upgrade`")

    def _fetch(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        with self._pool.lent() as raw:
            return raw.execute(translated(sql), parameters).fetchall()

    def _alone(self, statement: str) -> None:
        """Runs a statement that does not go into a transaction."""
        with self.errors(), self._begun(None) as raw:
            raw.execute(statement)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[psycopg.Connection[Row]]:
        with self.errors(), self._begun(begin) as raw:
            try:
                yield raw
                if raw.execute("COMMIT").statusmessage != "COMMIT":
                    # An error within was not passed on; PostgreSQL then takes all of it back.
                    raise StorageError(f"{self.name}: nothing was stored after an error; {_HELP}")
            except BaseException:
                with suppress(psycopg.Error):  # the first error is the one to tell
                    raw.execute("ROLLBACK")
                raise

    @contextmanager
    def _begun(self, begin: str | None) -> Iterator[psycopg.Connection[Row]]:
        """A connection on which `begin` was run, or a question: another one if it was broken."""
        first = begin or "SELECT 1"
        with self._pool.lent() as raw:
            try:
                raw.execute(first)
            except psycopg.OperationalError as error:
                if not _is_lost(error):
                    raise
            else:
                yield raw
                return
        self._pool.forget()
        with self._pool.lent() as raw:
            raw.execute(first)
            yield raw


def _note_moment(connection: PostgresConnection) -> None:
    (row,) = connection.execute(
        "INSERT INTO moment (number, token) SELECT max(number) + 1, ? FROM moment RETURNING number",
        (secrets.randbits(53),),
    ).fetchall()
    connection.execute("DELETE FROM moment WHERE number <= ?", (row[0] - MOMENTS_KEPT,))


def _is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, or the server ending."""
    ending = (error.sqlstate or "").startswith("57P")
    return ending or (error.pgconn is not None and error.pgconn.status == ConnStatus.BAD)


def _line(error: psycopg.Error) -> str:
    """The first line of what PostgreSQL says: the others may tell values."""
    said = error.diag.message_primary or str(error)
    return said.strip().partition("\n")[0] or type(error).__name__
