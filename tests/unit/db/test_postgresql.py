"""What PostgreSQL alone has: addresses, versions, broken connections."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from egide.db.opening import open_database, schema_versions, upgrade_database
from egide.db.postgresql import MOMENTS_KEPT, PostgresDatabase
from egide.db.scripts import newest
from egide.errors import StorageError, UsageError
from tests.conftest import forked, python
from tests.postgresql import Server

pytestmark = pytest.mark.usefixtures("database_url")


@pytest.mark.parametrize(
    "url",
    ["mysql://a:secret@b/c", "secret", "postgresql://a:b@[secret", "postgresql://h/?secret=1"],
)
def test_an_address_that_is_none_is_refused_without_being_shown(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    with pytest.raises(UsageError, match="EGIDE_DATABASE_URL") as error:
        open_database(tmp_path)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1001", "9" * 30])
def test_a_number_of_connections_that_cannot_be_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_DATABASE_CONNECTIONS", text)
    with pytest.raises(UsageError, match="EGIDE_DATABASE_CONNECTIONS"):
        open_database(tmp_path)


# ── versions ────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_database_is_refused_until_it_is_upgraded(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.database(empty=True)
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    with pytest.raises(StorageError, match="run `egide db upgrade`") as error:
        open_database(tmp_path)
    assert "\n" not in str(error.value)
    assert schema_versions(tmp_path) == (0, newest())
    assert upgrade_database(tmp_path) == (0, newest())
    assert upgrade_database(tmp_path) == (newest(), newest())
    assert schema_versions(tmp_path) == (newest(), newest())
    open_database(tmp_path).close()
    postgresql.drop(url)


@pytest.mark.parametrize(("version", "said"), [("9999", "upgrade égide"), ("0001", "db upgrade")])
def test_another_versions_database_is_refused(
    version: str, said: str, tmp_path: Path, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (version,))
    with pytest.raises(StorageError, match=said):
        open_database(tmp_path)
    if version == "9999":
        with pytest.raises(StorageError, match=said):
            upgrade_database(tmp_path)


def test_an_upgrade_that_fails_changes_nothing(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.database(empty=True)
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE entry (theirs TEXT)")  # in the way of a later statement
    with pytest.raises(StorageError, match="nothing was changed") as error:
        upgrade_database(tmp_path)
    assert "\n" not in str(error.value)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert tables == [("entry",)]
    postgresql.drop(url)


def test_several_upgrades_at_once_follow_one_another(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.database(empty=True)
    code = "import sys; from egide.db.upgrade import upgrade; print(upgrade(sys.argv[1])[0])"
    before = [int(child.communicate()[0]) for child in [python(code, url) for _ in range(3)]]
    assert sorted(before) == [0, newest(), newest()]
    postgresql.drop(url)


# ── connections ─────────────────────────────────────────────────────────────────────────────────


def test_a_connection_that_broke_while_idle_is_replaced_without_a_word(database_url: str) -> None:
    database = PostgresDatabase(database_url)
    (before,) = database.fetch("SELECT pg_backend_pid()")
    works: list[Callable[[], Any]] = [
        lambda: database.fetch("SELECT pg_backend_pid()")[0],
        lambda: next(read(database)),
        lambda: next(write(database)),
    ]
    for work in works:
        end_all(database_url)
        after = work()
        assert after[0] != before[0]
    database.close()


def read(database: PostgresDatabase) -> Iterator[Any]:
    with database.read() as connection:
        yield connection.execute("SELECT pg_backend_pid()").fetchone()


def write(database: PostgresDatabase) -> Iterator[Any]:
    with database.write() as connection:
        yield connection.execute("SELECT pg_backend_pid()").fetchone()


def end_all(url: str) -> None:
    """Ends every other connection to the database, as its administrator can."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_breaks_within_a_transaction_costs_the_transaction(
    database_url: str,
) -> None:
    database = PostgresDatabase(database_url)
    add = "INSERT INTO bank (key, name, purpose, created) VALUES (?, ?, 'block', 0)"

    def broken(*, goes_on: bool) -> None:
        with database.write() as connection:
            connection.execute(add, ("1", "1"))
            end_all(database_url)
            if goes_on:
                connection.execute(add, ("2", "2"))

    for goes_on in (True, False):
        with pytest.raises(StorageError):
            broken(goes_on=goes_on)
    assert database.fetch("SELECT name FROM bank") == []
    database.close()


def test_an_error_that_was_swallowed_is_no_success(database_url: str) -> None:
    database = PostgresDatabase(database_url)

    def swallow() -> None:
        with database.write(serial=False) as connection, suppress(psycopg.Error):
            connection.execute("SELECT nothing")

    with pytest.raises(StorageError, match="nothing was stored"):
        swallow()
    database.close()


def test_all_connections_in_use_is_said_and_ends(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.db.postgresql_pool.WAIT_SECONDS", 0.05)
    database = PostgresDatabase(database_url, most=1)
    said: list[str] = []

    def ask() -> None:
        try:
            database.fetch("SELECT 1")
        except StorageError as error:
            said.append(str(error))

    with database.read():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    ask()
    assert len(said) == 1
    assert "EGIDE_DATABASE_CONNECTIONS" in said[0]
    database.close()


def test_a_fork_and_its_parent_do_not_share_connections(database_url: str) -> None:
    database = PostgresDatabase(database_url)
    question = "SELECT pg_backend_pid()"
    parent = database.fetch(question)[0][0]
    child = forked(lambda: database.fetch(question)[0][0])
    assert isinstance(child, int)
    assert child != parent
    assert database.fetch(question)[0][0] == parent
    database.close()


def test_writes_that_are_not_serial_do_not_wait_for_those_that_are(database_url: str) -> None:
    database = PostgresDatabase(database_url)
    before = database.moment()

    def beside() -> None:
        with database.write(serial=False) as connection:
            connection.execute(
                "INSERT INTO bank (key, name, purpose, created) VALUES ('k', 'n', 'block', 0)"
            )

    with database.write() as connection:
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert len(connection.execute("SELECT 1 FROM bank").fetchall()) == 1
        assert database.moment() == before
    assert database.moment() != before
    database.close()


def test_the_list_of_moments_does_not_grow_for_ever(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOMENTS_KEPT >= 10_000
    monkeypatch.setattr("egide.db.postgresql.MOMENTS_KEPT", 5)
    database = PostgresDatabase(database_url)
    moments = []
    for _ in range(12):
        with database.write():
            pass
        moments.append(database.moment())
    assert [database.follows(moment) for moment in moments] == [False] * 7 + [True] * 5
    assert len(database.fetch("SELECT 1 FROM moment")) == 5
    database.close()


def test_what_is_erased_is_taken_out_of_the_pages_of_its_table(
    database_url: str, postgresql: Server
) -> None:
    database = PostgresDatabase(database_url)
    value = os.urandom(32)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO bank (id, key, name, purpose, created) VALUES (1, 'k', 'n', 'block', 0)"
        )
        connection.execute("INSERT INTO entry (seq, bank, added, changed) VALUES (1, 1, 0, 0)")
        connection.execute(
            "INSERT INTO fingerprint (entry, bank, type, mark, value) VALUES (1, 1, 'pdq', ?, ?)",
            (value[:8], value),
        )
    assert stands(database, postgresql, value)
    with database.write() as connection:
        connection.execute("UPDATE fingerprint SET value = zeroblob(length(value))")
    database.compact()
    assert not stands(database, postgresql, value)
    database.close()


def stands(database: PostgresDatabase, server: Server, value: bytes) -> bool:
    """Whether `value` stands in the file of the table of fingerprints."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    ((path,),) = database.fetch("SELECT pg_relation_filepath('fingerprint')")
    return value in (server.folder / "data" / path).read_bytes()
