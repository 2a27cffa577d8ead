"""Which database a home uses: that of EGIDE_DATABASE_URL, else the SQLite file in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from egide.db.database import Database
from egide.db.scripts import newest
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.db.postgresql import PostgresDatabase

DATABASE_FILE: Final = "egide.sqlite"


def database_url() -> str | None:
    """EGIDE_DATABASE_URL, when it is set; it may hold a password and is not to be shown."""
    return os.environ.get("EGIDE_DATABASE_URL") or None


def open_database(home: Path) -> Database:
    """The database of the home in the folder `home`, which must be there.

    StorageError when it cannot be reached or has another version's schema; UsageError when
    EGIDE_DATABASE_URL is no address of PostgreSQL, or its driver is not installed.
    """
    if url := database_url():
        database = _postgresql(url)
        database.check_version()
        return database
    from egide.db.sqlite import SqliteDatabase  # noqa: PLC0415  not where PostgreSQL is used

    return SqliteDatabase(home / DATABASE_FILE)


def schema_versions(home: Path) -> tuple[int, int]:
    """The version that the database's schema has, 0 when it has no tables, and the one known.

    The embedded database is brought up to date when it is opened. Errors as of `open_database`.
    """
    if url := database_url():
        database = _postgresql(url)
        version = database.version()
        database.close()
        return version, newest()
    open_database(home).close()
    return newest(), newest()


def upgrade_database(home: Path) -> tuple[int, int]:
    """Brings the schema up to date; its version before and after. Errors as of `open_database`."""
    if url := database_url():
        with _driver():
            from egide.db.upgrade import upgrade  # noqa: PLC0415  SQLAlchemy takes a while

        return upgrade(url)
    return schema_versions(home)


def _postgresql(url: str) -> PostgresDatabase:
    with _driver():
        # The embedded database must not pay for the driver of the other one.
        from egide.db.postgresql import PostgresDatabase  # noqa: PLC0415

    return PostgresDatabase(url)


@contextmanager
def _driver() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"EGIDE_DATABASE_URL needs the library {error.name}; install it with "
            "`pip install 'egide[postgresql]'`"
        ) from error
