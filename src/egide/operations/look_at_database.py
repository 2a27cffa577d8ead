"""The database: reachable, whole, at the right schema, set up so that it keeps what it is given."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from egide.db.opening import DATABASE_FILE, database_url
from egide.db.scripts import newest
from egide.db.sqlite import APPLICATION_ID
from egide.errors import EgideError
from egide.identity.secret import SECRET_FILE
from egide.operations.lines import Line, fail, ok, warn

if TYPE_CHECKING:
    import psycopg

LEAST_POSTGRESQL: Final = 130_000
LEAST_SQLITE: Final = (3, 37, 0)
LARGE_LOG: Final = 256 << 20
LONG_TRANSACTION: Final = 3600
CLOCKS_APART: Final = (2.0, 60.0)
"""Seconds from which on it is worth a warning, and from which on leases and expiry go wrong."""
_REPAIR: Final = "see docs/how-to/repair.md"
_POSTGRESQL: Final = "see docs/how-to/postgresql.md"


def look_at_database(home: Path, *, thorough: bool) -> Iterator[Line]:
    """The database that the home uses; `thorough` reads all of it."""
    if (url := database_url()) is None:
        yield from _look_at_sqlite(home / DATABASE_FILE, thorough=thorough)
        return
    try:
        import psycopg  # noqa: PLC0415  of an extra

        from egide.db.postgresql_pool import describe, parameters  # noqa: PLC0415

        wanted = parameters(url)
    except ImportError:
        yield fail(
            "database.driver",
            "the driver of PostgreSQL is missing",
            "pip install 'egide[postgresql]'",
        )
        return
    except EgideError as error:
        yield fail("database.address", str(error), "write it like postgresql://user@host/database")
        return
    name = describe(wanted)
    try:
        with closing(psycopg.connect(**wanted, autocommit=True)) as connection:
            yield from _look_at_postgresql(connection, name)
    except psycopg.Error as error:
        said = (error.diag.message_primary or str(error)).strip().partition("\n")[0]
        yield fail("database.unreachable", f"{name}: {said}", _POSTGRESQL)


def _look_at_sqlite(path: Path, *, thorough: bool) -> Iterator[Line]:
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield fail(
            "database.sqlite",
            f"SQLite {sqlite3.sqlite_version} is too old",
            "install 3.37 or later",
        )
    if not path.is_file() or not path.stat().st_size:
        told = f"{path} is missing or empty"
        if any(path.parent.glob("index/*/*.*")):
            yield fail(
                "database.lost", f"{told}, its index is there", f"restore a backup; {_REPAIR}"
            )
        elif (path.parent / SECRET_FILE).exists():
            yield fail(
                "database.lost",
                f"{told}, {path.parent / SECRET_FILE} is there",
                "restore a backup; if the home is to be new, any command makes it",
            )
        else:
            yield warn("database.none", told, "it is made by the first command that needs it")
        return
    address = path.absolute().as_uri() + "?mode=ro"
    if not (os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists()):
        address += "&immutable=1"  # SQLite could not make a log, and needs none to read
    try:
        with closing(sqlite3.connect(address, 5, uri=True)) as opened:
            yield from _look_inside(opened, path, thorough=thorough)
    except sqlite3.Error as error:
        yield fail("database.unreadable", f"{path}: {error}", _REPAIR)
        return
    yield from _look_at_writing(path)


def _look_inside(opened: sqlite3.Connection, path: Path, *, thorough: bool) -> Iterator[Line]:
    def pragma(name: str) -> Any:
        return opened.execute(f"PRAGMA {name}").fetchone()[0]

    if pragma("application_id") != APPLICATION_ID:
        yield fail("database.foreign", f"{path} is no égide database", "give another --home")
        return
    version = pragma("user_version")
    if version > newest():
        yield fail(
            "database.newer",
            f"its schema is {version}, this égide knows {newest()}",
            "upgrade égide on this machine",
        )
    elif version < newest():
        yield warn(
            "database.older",
            f"its schema is {version}, not yet {newest()}",
            "back it up; the next command brings it up to date",
        )
    damage = pragma("integrity_check(1)" if thorough else "quick_check(1)")
    foreign: Any = opened.execute("PRAGMA foreign_key_check").fetchone() if thorough else None
    if damage != "ok" or foreign is not None:
        said = (
            " ".join(damage.split()) if damage != "ok" else f"a row of {foreign[0]} refers to none"
        )
        yield fail("database.damaged", f"{path} is damaged: {said}", _REPAIR)
    else:
        read = "read in full" if thorough else "looked through"
        size = path.stat().st_size / (1 << 20)
        yield ok(
            "database",
            f"SQLite {sqlite3.sqlite_version}, schema {version}, {size:,.1f} MiB, {read}",
        )
    if pragma("journal_mode") != "wal":
        yield warn(
            "database.log-mode",
            "it is not in write-ahead mode: readers wait for writers",
            "let égide write to the folder; the next command switches it",
        )
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > LARGE_LOG:
        yield warn(
            "database.log-size",
            f"its log has {log.stat().st_size >> 20:,} MiB",
            "a process has been reading for long: end it, then run `egide db compact`",
        )


def _look_at_writing(path: Path) -> Iterator[Line]:
    """Whether a write transaction can begin; it is taken back at once."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield fail(
            "database.read-only", f"{path} cannot be written by this user", "see its permissions"
        )
        return
    try:
        with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=rw", 5, uri=True)) as opened:
            opened.isolation_level = None
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("ROLLBACK")
    except sqlite3.Error as error:
        yield fail(
            "database.locked",
            f"nothing can be written for 5 s: {error}",
            "find the process that holds it, with `fuser` or `lsof`",
        )


def _look_at_postgresql(connection: psycopg.Connection[Any], name: str) -> Iterator[Line]:
    def value(sql: str) -> Any:
        row = connection.execute(sql.encode()).fetchone()
        return None if row is None else row[0]

    def setting(which: str) -> str:
        return str(value(f"SHOW {which}"))

    version = int(setting("server_version_num"))
    if version < LEAST_POSTGRESQL:
        yield fail("database.postgresql", f"PostgreSQL {version // 10_000}", "install 13 or later")
    yield from _look_at_schema(connection, name, setting("server_version"))
    if value("SELECT pg_is_in_recovery()") or setting("default_transaction_read_only") == "on":
        yield fail(
            "database.standby",
            "the database takes no writes: it is a replica, or set to read-only",
            "name the primary server in EGIDE_DATABASE_URL",
        )
    yield from _look_at_settings(setting)
    encrypted = value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    yield from look_at_encryption(connection.info.host, encrypted=bool(encrypted))
    oldest = value(
        "SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    if oldest is not None and oldest > LONG_TRANSACTION:
        yield warn(
            "database.transaction",
            f"a transaction has been open for {oldest / 3600:.1f} h: nothing can be cleaned up",
            "find it in pg_stat_activity and end it",
        )
    before = time.time()
    theirs = float(value("SELECT extract(epoch FROM clock_timestamp())"))
    # An answer that was slow to come is of some time in between.
    ours = min(max(before, theirs), time.time())
    yield from look_at_clocks(ours, theirs)


def look_at_encryption(host: str, *, encrypted: bool) -> Iterator[Line]:
    """Whether what goes to another machine can be read on the way."""
    if host and not encrypted and not host.startswith(("/", "127.", "::1", "localhost")):
        yield warn(
            "database.clear",
            "the connection is not encrypted",
            "add ?sslmode=verify-full&sslrootcert=… to EGIDE_DATABASE_URL",
        )


def look_at_clocks(ours: float, theirs: float) -> Iterator[Line]:
    """The machine's clock beside the database's, both in seconds since 1970."""
    apart = abs(ours - theirs)
    says = f"this machine and the database are {apart:.1f} s apart"
    little, much = CLOCKS_APART
    if apart > much:
        yield fail("clocks.apart", says, "let both follow one time server (NTP)")
    elif apart > little:
        yield warn("clocks.drift", says, "let both follow one time server (NTP)")
    else:
        yield ok("clocks.database", says)


def _look_at_schema(connection: psycopg.Connection[Any], name: str, server: str) -> Iterator[Line]:
    import psycopg  # noqa: PLC0415  of an extra

    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    version = int(row[0]) if row else 0
    if version > newest():
        yield fail(
            "database.newer",
            f"{name} has schema {version}, this égide knows {newest()}",
            "upgrade égide on this machine",
        )
        return
    if version < newest():
        yield fail(
            "database.upgrade",
            f"{name} has schema {version}, not {newest()}",
            "stop the service, then run `egide db upgrade`",
        )
        return
    yield ok("database", f"{name}, {server}, schema {version}")
    allowed = connection.execute(
        "SELECT bool_and(has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE')) FROM pg_class c"
        " WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
    ).fetchone()
    if not (allowed and allowed[0]):
        yield fail(
            "database.rights",
            "this role may not write to all tables",
            "let the role own the database",
        )
    invalid = connection.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    ).fetchall()
    if invalid:
        yield warn(
            "database.index",
            f"the index {invalid[0][0]} is not valid",
            "REINDEX INDEX makes it anew",
        )


def _look_at_settings(setting: Any) -> Iterator[Line]:
    if setting("server_encoding") != "UTF8":
        yield fail(
            "database.encoding",
            f"its encoding is {setting('server_encoding')}",
            "make it anew with `createdb --encoding UTF8`",
        )
    for name, danger in (
        ("fsync", "a power cut may leave the database damaged"),
        ("full_page_writes", "a power cut may leave the database damaged"),
        ("synchronous_commit", "a power cut may lose what was acknowledged"),
    ):
        if setting(name) == "off":
            yield warn(
                "database.durability", f"{name} is off: {danger}", f"ALTER SYSTEM SET {name} = on"
            )
    most = int(setting("max_connections"))
    wanted = _number("EGIDE_DATABASE_CONNECTIONS", 16) * _number("EGIDE_PROCESSES", 1)
    if wanted > most - 3:
        yield warn(
            "database.connections",
            f"the server takes {most} connections, this machine may want {wanted}",
            "raise max_connections, or lower EGIDE_DATABASE_CONNECTIONS",
        )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
