"""What both databases do alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from egide.db import Database, open_database
from egide.db.sqlite import SqliteDatabase
from egide.errors import AlreadyThere, StorageError


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with a table of each type of column."""
    if request.param == "postgresql":
        request.getfixturevalue("database_url")
    opened = open_database(tmp_path)
    with opened.write() as connection:
        connection.execute(
            "CREATE TABLE thing (name TEXT PRIMARY KEY, number BIGINT)"
            if request.param == "postgresql"
            else "CREATE TABLE thing (name TEXT PRIMARY KEY, number INTEGER)"
        )
    yield opened
    opened.close()


def names(database: Database) -> list[str]:
    return [row[0] for row in database.fetch("SELECT name FROM thing ORDER BY name")]


def test_rows_answer_by_name_by_number_and_in_order(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO thing VALUES (?, ?)", ("a", 5))
    (row,) = database.fetch("SELECT name, number AS n FROM thing")
    assert (row["name"], row["n"], row[1], tuple(row), len(row)) == ("a", 5, 5, ("a", 5), 2)
    name, number = row
    assert (name, number) == ("a", 5)
    with pytest.raises(IndexError):
        row["other"]
    with pytest.raises(IndexError):
        row[2]


def test_values_come_back_as_they_went_in(database: Database) -> None:
    values = ("é€𝄞%s?", 2**62, -1, True, None, 0.25, b"\x00\xff", "")
    columns = ", ".join(f"CAST(? AS {kind}) AS c{n}" for n, kind in enumerate(kinds(database)))
    (row,) = database.fetch(f"SELECT {columns}", values)
    assert list(row) == ["é€𝄞%s?", 2**62, -1, 1, None, 0.25, b"\x00\xff", ""]
    assert [type(value) for value in row][1:4] == [int, int, int]


def kinds(database: Database) -> tuple[str, ...]:
    """Words for the types of eight columns, which a CAST needs and a table's columns do not."""
    if type(database).__name__ == "SqliteDatabase":
        return ("TEXT", "INTEGER", "INTEGER", "INTEGER", "TEXT", "REAL", "BLOB", "TEXT")
    return ("TEXT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "FLOAT8", "BYTEA", "TEXT")


def test_question_marks_and_percent_signs_within_quotes_are_text(database: Database) -> None:
    (row,) = database.fetch("SELECT '?', '%s', 'it''s 5%' WHERE 'a?b' LIKE 'a%b' AND 7 % 4 = 3")
    assert tuple(row) == ("?", "%s", "it's 5%")


def test_many_rows_are_inserted_as_one_by_one(database: Database) -> None:
    rows = [("a\tb\\N\n", None), ("\\.", True), ("", -(2**62)), ("é", 0)]
    add = "INSERT INTO thing (name, number) VALUES (?, ?)"
    with database.write() as connection:
        connection.executemany(add, iter(rows))
        connection.executemany(add, [])
    held = database.fetch("SELECT name, number FROM thing")
    assert {tuple(row) for row in held} == set(rows)
    with pytest.raises(AlreadyThere), database.write() as connection:
        connection.executemany(add, [("new", 1), ("é", 1)])
    assert len(names(database)) == 4


def test_sums_are_whole_and_averages_are_floats(database: Database) -> None:
    with database.write() as connection:
        connection.executemany("INSERT INTO thing VALUES (?, ?)", [("a", 1), ("b", 2)])
    (row,) = database.fetch("SELECT sum(number), avg(number), count(*), max(number) FROM thing")
    assert tuple(row) == (3, 1.5, 2, 2)
    assert [type(value) for value in row] == [int, float, int, int]


def test_text_is_ordered_by_its_bytes(database: Database) -> None:
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO bank (key, name, purpose, created) VALUES (?, ?, 'block', 0)",
            [(f"{n:08}", name) for n, name in enumerate(["b", "B", "a-b", "ab", "_", "é", "z"])],
        )
    ordered = [row["name"] for row in database.fetch("SELECT name FROM bank ORDER BY name")]
    assert ordered == ["B", "_", "a-b", "ab", "b", "z", "é"]


def test_what_fails_within_a_transaction_takes_all_of_it_back(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO thing VALUES ('a', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(database) == []


def test_a_double_is_told_apart_from_other_errors(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO thing VALUES ('a', 1)")
    with pytest.raises(AlreadyThere) as error, database.write() as connection:
        connection.execute("INSERT INTO thing VALUES ('a', 1)")
    assert "\n" not in str(error.value)
    for wrong in ("INSERT INTO nothing VALUES (1)", "INSERT INTO bank (key) VALUES ('k')"):
        with pytest.raises(StorageError) as other, database.write() as connection:
            connection.execute(wrong)
        assert not isinstance(other.value, AlreadyThere)
        assert "\n" not in str(other.value)
    with pytest.raises(StorageError):
        database.fetch("SELECT nothing FROM thing")
    with database.write(serial=False) as connection:  # and nothing is left behind of the errors
        connection.execute("INSERT INTO thing VALUES ('b', 1)")
    assert names(database) == ["a", "b"]


def test_rows_can_be_returned_and_counted_as_they_are_written(database: Database) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO thing VALUES ('a', 1), ('b', 1)")
        done = connection.execute("UPDATE thing SET number = number + ? WHERE number = ?", (1, 1))
        assert done.rowcount == 2
        row = connection.execute(
            "INSERT INTO thing VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = 7"
            " RETURNING name, number",
            ("a", 1),
        ).fetchone()
        assert tuple(row) == ("a", 7)
        left_alone = connection.execute(
            "INSERT INTO thing VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING name", ("b", 9)
        )
        assert left_alone.fetchone() is None


def test_a_read_transaction_is_of_one_moment(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone()[0] == 0

        def write() -> None:
            with database.write() as other:
                other.execute("INSERT INTO thing VALUES ('a', 1)")
            database.close()

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        assert connection.execute("SELECT count(*) FROM thing").fetchone()[0] == 0
    assert names(database) == ["a"]


def test_a_serial_write_of_anyone_makes_another_moment(database: Database) -> None:
    before = database.moment()
    assert database.moment() == before
    numbers = count()

    def write() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO thing VALUES (?, 1)", (str(next(numbers)),))
        database.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    other = database.moment()
    assert other != before
    assert database.follows(before)
    assert database.follows(other)
    with pytest.raises(ZeroDivisionError), database.write():
        raise ZeroDivisionError
    write()
    assert database.moment() not in (before, other)


def test_serial_writes_follow_one_another(database: Database) -> None:
    seen: list[int] = []

    def add() -> None:
        for _ in range(20):
            with database.write() as connection:
                held = connection.execute("SELECT count(*) FROM thing").fetchone()[0]
                connection.execute("INSERT INTO thing VALUES (?, 1)", (str(held),))
                seen.append(held)
        database.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(80))


def test_numbers_that_were_reserved_are_given_once(database: Database) -> None:
    add = "INSERT INTO entry (seq, bank, added, changed) VALUES (?, 1, 0, 0)"
    with database.write() as connection:
        connection.execute(
            "INSERT INTO bank (id, key, name, purpose, created) VALUES (1, 'k', 'n', 'block', 0)"
        )
        last = connection.reserve("entry", 3)
        connection.executemany(add, [(last + n,) for n in (1, 2, 3)])
    with database.write() as connection:
        assert connection.reserve("entry", 1) >= last + 3
    with database.write() as connection:
        connection.execute("DELETE FROM entry")
    with database.write() as connection:
        assert connection.reserve("entry", 1) >= last + 3


def test_many_threads_share_few_connections(database: Database) -> None:
    counts: list[int] = []

    def work() -> None:
        for _ in range(10):
            counts.append(len(database.fetch("SELECT 1")))
            with database.read() as connection:
                counts.append(len(connection.execute("SELECT 1").fetchall()))
        database.close()

    threads = [threading.Thread(target=work) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 600


def test_it_can_be_compacted(database: Database) -> None:
    with database.write() as connection:
        connection.executemany("INSERT INTO thing VALUES (?, 1)", [(str(n),) for n in range(999)])
        connection.execute("DELETE FROM thing WHERE name <> '7'")
    database.scrub()
    database.scrub(removed=True)
    database.compact()
    assert names(database) == ["7"]


def test_who_goes_on_writing_lets_others_write(tmp_path: Path) -> None:
    database, stop, rounds = SqliteDatabase(tmp_path / "egide.sqlite"), threading.Event(), count()

    def go_on() -> None:
        while not stop.is_set():
            with database.write():
                time.sleep(0.02)
            next(rounds)

    with ThreadPoolExecutor(1) as busy:
        task = busy.submit(go_on)
        try:
            time.sleep(0.1)
            for _ in range(4):
                with database.write():
                    pass
        finally:
            stop.set()
        task.result()
    assert next(rounds) < 400  # SQLite by itself: more than a thousand


def test_it_is_written_without_a_turnstile(tmp_path: Path) -> None:
    (tmp_path / "egide.sqlite-turn").mkdir()
    database = SqliteDatabase(tmp_path / "egide.sqlite")
    with database.write() as connection:
        connection.execute("CREATE TABLE thing (name TEXT)")
    assert names(database) == []


def test_what_is_written_goes_into_the_file_that_is_there(tmp_path: Path) -> None:
    path, other = tmp_path / "egide.sqlite", tmp_path / "other.sqlite"
    SqliteDatabase(other).close()
    database = SqliteDatabase(path)
    with database.write() as connection:
        connection.execute("CREATE TABLE gone (one)")
    path.unlink()

    with pytest.raises(StorageError, match=r"egide\.sqlite was removed"):
        database.fetch("SELECT 1")
    with pytest.raises(StorageError, match=r"egide\.sqlite was removed"), database.write():
        pass
    assert not path.exists()
    other.replace(path)
    for left in tmp_path.glob("egide.sqlite-*"):
        left.unlink()
    with database.write() as connection:
        connection.execute("CREATE TABLE there (one)")

    fresh = SqliteDatabase(path)
    assert fresh.fetch("SELECT name FROM sqlite_master WHERE name = 'there'")


def test_a_database_that_may_only_be_read_is_missed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "egide.sqlite"
    SqliteDatabase(path).close()
    monkeypatch.setattr("egide.db.sqlite.os.access", lambda *_: False)
    database = SqliteDatabase(path)
    database.moment()
    path.unlink()

    for ask in (database.moment, lambda: database.fetch("SELECT 1")):
        with pytest.raises(StorageError, match=r"egide\.sqlite was removed"):
            ask()
