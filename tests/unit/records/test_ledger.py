"""The ledger: many requests, one commit; one that fails costs itself alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from egide.bank import Home
from egide.db import Connection
from egide.errors import StorageError, UsageError
from egide.records import Ledger

pytestmark = pytest.mark.both_databases

INSERT = (
    "INSERT INTO answered (actor, key, digest, status, headers, body, at)"
    " VALUES ('key:a', ?, ?, 200, '{}', ?, 0)"
)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    """A ledger of the home's database."""
    opened = Ledger(home.database, serial=False)
    yield opened
    opened.close()


def writing(key: str, *, fails: bool = False) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(INSERT, (key, b"", b""))
        if fails:
            raise UsageError(key)
        return key

    return work


def keys(home: Home) -> list[str]:
    return [row["key"] for row in home.database.fetch("SELECT key FROM answered ORDER BY key")]


def run(ledger: Ledger, *works: Callable[[Connection], str]) -> list[str | BaseException]:
    async def all_() -> list[str | BaseException]:
        return await asyncio.gather(
            *(ledger.write(work) for work in works),
            return_exceptions=True,
        )

    return asyncio.run(all_())


def test_what_was_answered_is_stored(home: Home, ledger: Ledger) -> None:
    names = [f"{number:03}" for number in range(300)]

    assert run(ledger, *map(writing, names)) == names
    assert keys(home) == names


def test_one_that_fails_costs_itself_alone(home: Home, ledger: Ledger) -> None:
    results = run(ledger, writing("a"), writing("b", fails=True), writing("c"))

    assert [str(result) for result in results] == ["a", "Wrong usage: b", "c"]
    assert keys(home) == ["a", "c"]


def test_a_key_that_is_there_already_costs_itself_alone(home: Home, ledger: Ledger) -> None:
    results = run(ledger, writing("a"), writing("a"), writing("b"))

    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert keys(home) == ["a", "b"]


def test_a_database_that_is_away_is_told_to_all(
    home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise StorageError("it is away")

    monkeypatch.setattr(home.database, "write", away)
    results = run(ledger, writing("a"), writing("b"))
    monkeypatch.undo()

    assert [type(result) for result in results] == [StorageError, StorageError]
    assert run(ledger, writing("c")) == ["c"]
    assert keys(home) == ["c"]


def test_closing_writes_what_was_handed_in(home: Home) -> None:
    ledger = Ledger(home.database, serial=True)

    async def hand_in() -> None:
        tasks = [asyncio.create_task(ledger.write(writing(str(n)))) for n in range(5)]
        await asyncio.sleep(0)
        await asyncio.to_thread(ledger.close)
        await asyncio.gather(*tasks)

    asyncio.run(hand_in())

    assert keys(home) == ["0", "1", "2", "3", "4"]
