"""Takes a database out whole, and puts it back: SQLite as a file, PostgreSQL table by table.

What is taken out is of one moment, while others go on writing.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString

from egide.db.scripts import newest
from egide.db.sqlite import APPLICATION_ID
from egide.errors import StorageError, UsageError

if TYPE_CHECKING:
    import psycopg

VERSIONS: Final = "alembic_version"
CHUNK: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)

_TABLES: Final = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' ORDER BY c.relname"""
_COLUMNS: Final = """
SELECT a.attname AS name FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum"""
_REFERENCES: Final = """
SELECT f.conrelid::regclass::text AS one, f.confrelid::regclass::text AS other
FROM pg_constraint f WHERE f.contype = 'f' AND f.connamespace = current_schema()::regnamespace"""
_SEQUENCES: Final = """
SELECT c.relname AS name, a.attname AS column, pg_get_serial_sequence(c.relname, a.attname) AS seq
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> ''
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' ORDER BY c.relname"""


def copy_sqlite(source: Path, target: Path) -> int:
    """Copies the database at `source` into the new file `target`; the version of its schema.

    By SQLite's online backup: others may write meanwhile. The copy needs no log beside it.
    StorageError when there is none, or the copy is damaged.
    """
    if not source.exists():
        raise StorageError(f"{source} is not there; give the home with --home")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(source.absolute().as_uri() + "?mode=rw", uri=True)) as held,
            closing(sqlite3.connect(target)) as copy,
        ):
            held.execute("PRAGMA busy_timeout = 60000")
            held.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StorageError(f"{source}: {error}; see docs/how-to/repair.md") from error
    return check_sqlite(target, named=source)


def check_sqlite(path: Path, named: Path | None = None) -> int:
    """The version of the schema of the database at `path`; StorageError when it is damaged.

    The error tells of `named` where `path` is but a copy of it.
    """
    told = named or path
    try:
        with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as opened:
            said = [row[0] for row in opened.execute("PRAGMA integrity_check(3)")]
            foreign = opened.execute("PRAGMA foreign_key_check").fetchone()
            application = opened.execute("PRAGMA application_id").fetchone()[0]
            version: int = opened.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StorageError(f"{told}: {error}; see docs/how-to/repair.md") from error
    if application != APPLICATION_ID:
        raise StorageError(f"{told} is no égide database")
    if said != ["ok"] or foreign is not None:
        what = (
            " ".join(said[0].split()) if said != ["ok"] else f"a row of {foreign[0]} refers to none"
        )
        raise StorageError(f"{told} is damaged ({what}); see docs/how-to/repair.md")
    if version > newest():
        raise StorageError(
            f"{told} was written by a newer égide (schema {version}, known {newest()}); upgrade "
            "égide"
        )
    return version


def is_in_use(path: Path) -> bool:
    """Whether another process has the SQLite database at `path` open. A damaged one is not."""
    try:
        with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=rw", 0.1, uri=True)) as own:
            own.execute("PRAGMA locking_mode = EXCLUSIVE")
            own.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.Error:
        return False
    return False


def copy_postgresql(url: str, folder: Path) -> dict[str, Any]:
    """Copies every table of the database at `url` into a file `NAME.copy` in `folder`.

    Returns `schema`, the version; `tables`, each with its `columns`, those first that others refer
    to; and `sequences`, the last number that each column has given. All is of one moment: one
    transaction, in which others are not held up. StorageError.
    """
    with _connected(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        version = _version(connection)
        if version == 0:
            raise StorageError("the database has no tables of égide; look at EGIDE_DATABASE_URL")
        if version > newest():
            raise StorageError(
                f"the database was written by a newer égide (schema {version}, known {newest()}); "
                "upgrade égide"
            )
        tables = [
            {"name": name, "columns": _names(connection, _COLUMNS, (name,))}
            for name in _ordered(connection)
        ]
        for table in tables:
            part = folder / f"{table['name']}.copy"
            with (
                os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
                connection.cursor().copy(_copy(table, "TO STDOUT")) as rows,
            ):
                for chunk in rows:
                    file.write(chunk)
        sequences = {
            f"{name}.{column}": _last(connection, sequence)
            for name, column, sequence in connection.execute(_SEQUENCES).fetchall()
        }
        connection.execute("ROLLBACK")
    return {"schema": version, "tables": tables, "sequences": sequences}


def fill_postgresql(url: str, taken: Mapping[str, Any], folder: Path, *, force: bool) -> None:
    """Puts what `copy_postgresql` has taken into the database at `url`, whole or not at all.

    It must be empty; or at the same schema, and without rows unless `force`. It is brought to the
    present schema then. UsageError, StorageError.
    """
    from egide.db.upgrade import upgrade  # noqa: PLC0415  SQLAlchemy takes a while

    wanted = taken["schema"]
    with _connected(url) as connection:
        present = _version(connection)
    if present == 0:
        upgrade(url, wanted)
    elif present != wanted:
        raise UsageError(
            f"the database has schema {present}, the backup {wanted}; give an empty database in "
            "EGIDE_DATABASE_URL"
        )
    with _connected(url) as connection:
        _fill(connection, taken, folder, force=force or present == 0)
    upgrade(url)


def _fill(
    connection: psycopg.Connection[Any], taken: Mapping[str, Any], folder: Path, *, force: bool
) -> None:
    from egide.db.postgresql import WRITERS_LOCK  # noqa: PLC0415  needs the driver

    tables: list[dict[str, Any]] = taken["tables"]
    names = [str(table["name"]) for table in tables]
    present = set(_ordered(connection))
    if set(names) != present:
        raise UsageError("the backup has other tables than its schema; it is not égide's")
    connection.execute("BEGIN")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS_LOCK,))
    if not force:
        # One of them is not empty in a new database: the first moment.
        filled = [name for name in names if name != "moment" and _has_rows(connection, name)]
        if filled:
            raise UsageError(
                f"the database has rows already ({filled[0]}, …); --force replaces all of them"
            )
    _run(connection, f"TRUNCATE {', '.join(map(_quoted, names))}")
    for table in tables:
        known = _names(connection, _COLUMNS, (table["name"],))
        if sorted(table["columns"]) != sorted(known):
            raise UsageError("the backup has other columns than its schema; it is not égide's")
        with (
            (folder / f"{table['name']}.copy").open("rb") as file,
            connection.cursor().copy(_copy(table, "FROM STDIN")) as rows,
        ):
            while chunk := file.read(CHUNK):
                rows.write(chunk)
    for name, column, sequence in connection.execute(_SEQUENCES).fetchall():
        last = taken["sequences"].get(f"{name}.{column}")
        if type(last) is not int or not 0 <= last < 1 << 63:
            raise UsageError("the backup does not say which numbers were given; it is not égide's")
        connection.execute(
            "SELECT setval(%s::regclass, %s, %s)", (sequence, max(last, 1), last > 0)
        )
    connection.execute("COMMIT")


def _ordered(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables but Alembic's, those before that others refer to."""
    left = [name for name in _names(connection, _TABLES) if name != VERSIONS]
    needs = {(one, other) for one, other in connection.execute(_REFERENCES).fetchall()}
    ordered: list[str] = []
    while left:
        free = [
            name
            for name in left
            if not any((name, other) in needs for other in left if other != name)
        ]
        if not free:
            raise StorageError(f"tables refer to one another in a circle: {', '.join(left)}")
        ordered += free
        left = [name for name in left if name not in free]
    return ordered


def _version(connection: psycopg.Connection[Any]) -> int:
    if VERSIONS not in _names(connection, _TABLES):
        return 0
    rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return int(rows[0][0]) if rows else 0


def _names(
    connection: psycopg.Connection[Any], sql: LiteralString, given: Iterable[Any] = ()
) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql, tuple(given)).fetchall()]


def _has_rows(connection: psycopg.Connection[Any], table: str) -> bool:
    sql = f"SELECT 1 FROM {_quoted(table)} LIMIT 1"  # noqa: S608  quoted
    return bool(_run(connection, sql).fetchone())


def _last(connection: psycopg.Connection[Any], sequence: str) -> int:
    """The last number that a sequence has given; 0 when it has given none."""
    # PostgreSQL itself has quoted the name.
    row = _run(connection, f"SELECT last_value, is_called FROM {sequence}").fetchone()  # noqa: S608
    return int(row[0]) if row and row[1] else 0


def _run(connection: psycopg.Connection[Any], sql: str) -> psycopg.Cursor[Any]:
    """Runs a statement that is put together from names alone."""
    return connection.execute(sql.encode())


def _copy(table: Mapping[str, Any], direction: str) -> bytes:
    columns = ", ".join(_quoted(column) for column in table["columns"])
    return f"COPY {_quoted(str(table['name']))} ({columns}) {direction}".encode()


def _quoted(name: str) -> str:
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise UsageError("the backup has a table or column that cannot be one; it is not égide's")
    return f'"{name}"'


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own, in no transaction; what is open at the end is taken back."""
    try:
        import psycopg  # noqa: PLC0415  of an extra
    except ImportError as error:
        raise UsageError(
            "EGIDE_DATABASE_URL needs the library psycopg; install it with "
            "`pip install 'egide[postgresql]'`"
        ) from error
    from egide.db.postgresql_pool import describe, parameters  # noqa: PLC0415  as above

    wanted = parameters(url)
    try:
        with closing(psycopg.connect(**wanted, autocommit=True)) as connection:
            yield connection
    except psycopg.Error as error:
        said = (error.diag.message_primary or str(error)).strip().partition("\n")[0]
        raise StorageError(f"{describe(wanted)}: {said}; see docs/how-to/postgresql.md") from error
