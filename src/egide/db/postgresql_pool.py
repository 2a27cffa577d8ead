"""Connections to PostgreSQL, kept open between transactions and lent to one thread at a time."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import conninfo
from psycopg.pq import TransactionStatus

from egide.db.postgresql_sql import Row, adapt, row_factory
from egide.errors import StorageError, UsageError

DEFAULT_CONNECTIONS: Final = 16
MOST_CONNECTIONS: Final = 1000
WAIT_SECONDS: Final = 30.0

_INHERITED: Final[list[Any]] = []
"""Connections of the process that this one was forked from: closed here, they would harm it."""

_DEFAULTS: Final = {
    "application_name": "egide",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "client_encoding": "utf8",
}
_SETTINGS: Final = (
    # As SQLite's busy time-out: whoever waits longer says so.
    "SET lock_timeout = '60s'",
    # The lock of writers is not held for a machine that has gone.
    "SET idle_in_transaction_session_timeout = '120s'",
)


class Pool:
    """Up to `most` connections to the database at `url`. Thread-safe, and safe to fork.

    UsageError when `url` is no address of a PostgreSQL database.
    """

    def __init__(self, url: str, most: int | None = None) -> None:
        self._parameters = parameters(url)
        self.name = describe(self._parameters)
        self._most = _most_connections() if most is None else most
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._idle: list[psycopg.Connection[Row]] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._most)
        weakref.finalize(self, _close_all, self._idle, self._process)

    @contextmanager
    def lent(self) -> Iterator[psycopg.Connection[Row]]:
        """A connection for the block; closed afterwards when it is broken or in a transaction.

        StorageError when none is free for half a minute; psycopg.Error when none can be made.
        """
        if self._process != os.getpid():
            _INHERITED.append(self._idle)
            self._begin()
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise StorageError(
                f"{self.name}: all {self._most} connections have been in use for "
                f"{WAIT_SECONDS:.0f} s; raise EGIDE_DATABASE_CONNECTIONS, or try again later"
            )
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def forget(self) -> None:
        """Closes all connections that nobody uses: one has turned out to be broken."""
        while connection := self._take():
            connection.close()

    def _take(self) -> psycopg.Connection[Row] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: psycopg.Connection[Row]) -> None:
        if connection.info.transaction_status is TransactionStatus.IDLE:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()

    def _connect(self) -> psycopg.Connection[Row]:
        connection: psycopg.Connection[Row] = psycopg.connect(
            **self._parameters, autocommit=True, row_factory=row_factory
        )
        try:
            adapt(connection)
            for setting in _SETTINGS:
                connection.execute(setting)
        except BaseException:
            connection.close()
            raise
        return connection


def parameters(url: str) -> dict[str, Any]:
    """What `url` says, and our defaults; UsageError when it says nothing that PostgreSQL knows.

    The message does not repeat the address: there may be a password in it.
    """
    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise psycopg.ProgrammingError("it does not begin with postgresql://")
        return _DEFAULTS | conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        # libpq's own message may quote a part of it.
        reason = str(error) if str(error).startswith("it ") else "it cannot be parsed"
        raise UsageError(
            f"EGIDE_DATABASE_URL is no address of PostgreSQL, {reason}; write it like "
            "postgresql://user@host:5432/database"
        ) from None


def describe(parameters: dict[str, Any]) -> str:
    """What messages call the database: without user and password."""
    host = parameters.get("host") or parameters.get("hostaddr") or "this machine"
    return f"PostgreSQL database {parameters.get('dbname') or 'of the user'} on {host}"


def _most_connections() -> int:
    text = os.environ.get("EGIDE_DATABASE_CONNECTIONS", "")
    if not text:
        return DEFAULT_CONNECTIONS
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_CONNECTIONS):
        raise UsageError(
            f"EGIDE_DATABASE_CONNECTIONS is {text[:20]!r}; give a number from 1 to "
            f"{MOST_CONNECTIONS}"
        )
    return int(text)


def _close_all(idle: list[psycopg.Connection[Row]], process: int) -> None:
    if os.getpid() == process:
        for connection in idle:
            with suppress(psycopg.Error):
                connection.close()
