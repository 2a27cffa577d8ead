"""Statements reach the Transparency Database once each, whatever happens on the way."""

from __future__ import annotations

import json

import pytest

from egide.bank import Home
from egide.desk.statement_sending import Sender, TransparencyDatabase
from egide.desk.statement_store import Statements, record
from egide.errors import AddressRefused, UsageError
from egide.outgoing import Address, AddressGuard
from tests.unit.desk.test_statement_database import NOW, REMOVED
from tests.unit.desk.transparency_database import TOKEN, TransparencyServer, transparency

__all__ = ["transparency"]

ALL = (0, NOW + 1_000_000)


@pytest.fixture
def statements(home: Home) -> Statements:
    return Statements(home.database)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def sender(statements: Statements, transparency: TransparencyServer, pauses: list[float]) -> Sender:
    guard = AddressGuard((Address.parse(transparency.url),))
    return Sender(statements, TransparencyDatabase(transparency.url, TOKEN, guard), pauses.append)


def keep(home: Home, count: int) -> list[str]:
    with home.database.write() as connection:
        return [str(record(connection, REMOVED, NOW + number)) for number in range(count)]


def spoil(home: Home, puid: str, field: str = "category", value: object = None) -> None:
    """Writes a statement that the server refuses and our schema too, or the server alone."""
    (kept,) = [s for s in Statements(home.database).made_between(*ALL) if s.puid == puid]
    body = json.dumps(kept.document | {field: value})
    with home.database.write() as connection:
        connection.execute("UPDATE desk_statement SET body = ? WHERE puid = ?", (body, puid))


def test_all_arrive_in_batches_of_a_hundred(
    home: Home, sender: Sender, transparency: TransparencyServer
) -> None:
    puids = keep(home, 205)
    came = sender.send(*ALL)

    assert (came.sent, came.refused, came.waiting) == (205, 0, 0)
    assert list(transparency.kept) == puids
    assert transparency.requests == [("POST", "/api/v1/statements")] * 3
    assert sender.send(*ALL).sent == 0
    assert len(transparency.requests) == 3


def test_only_those_of_the_period_are_sent(
    home: Home, sender: Sender, transparency: TransparencyServer
) -> None:
    puids = keep(home, 10)

    assert sender.send(NOW + 2, NOW + 5).sent == 3
    assert list(transparency.kept) == puids[2:5]


def test_an_answer_that_was_lost_doubles_nothing(
    home: Home, sender: Sender, transparency: TransparencyServer, statements: Statements
) -> None:
    puids = keep(home, 3)
    transparency.moods = ["lose"]
    came = sender.send(*ALL)

    assert came.sent == 3
    assert list(transparency.kept) == puids
    assert transparency.requests == [
        ("POST", "/api/v1/statements"),
        ("GET", f"/api/v1/statement/existing-puid/{puids[0]}"),
    ]
    assert {each.said for each in statements.made_between(*ALL)} == {"it was there already"}


def test_a_request_that_was_lost_is_sent_again(
    home: Home, sender: Sender, transparency: TransparencyServer, pauses: list[float]
) -> None:
    keep(home, 2)
    transparency.moods = ["drop", 503]
    transparency.retry_after = "7"

    assert sender.send(*ALL).sent == 2
    assert pauses == [1.0, 7.0]


@pytest.mark.parametrize("status", [500, 503, 429, 200, 202, 302])
def test_only_created_is_success(
    home: Home,
    sender: Sender,
    transparency: TransparencyServer,
    statements: Statements,
    status: int,
) -> None:
    keep(home, 2)
    transparency.moods = [status] * 4
    came = sender.send(*ALL)

    assert (came.sent, came.waiting, came.said) == (0, 2, f"answered {status}")
    assert all(each.sent is None and not each.refused for each in statements.made_between(*ALL))
    transparency.moods = []
    assert sender.send(*ALL).sent == 2


def test_nothing_more_is_tried_when_the_database_is_down(
    home: Home, sender: Sender, transparency: TransparencyServer
) -> None:
    keep(home, 150)
    transparency.moods = [503] * 4

    assert sender.send(*ALL).waiting == 150
    assert len(transparency.requests) == 4


@pytest.mark.parametrize("named", [True, False])
def test_those_it_has_already_are_taken_out_and_the_rest_is_sent(
    home: Home, sender: Sender, transparency: TransparencyServer, named: bool
) -> None:
    puids = keep(home, 4)
    transparency.kept[puids[1]] = {}
    transparency.names_existing = named
    came = sender.send(*ALL)

    assert (came.sent, came.waiting) == (4, 0)
    assert set(transparency.kept) == set(puids)
    assert transparency.requests.count(("POST", "/api/v1/statements")) == 2


def test_one_that_is_wrong_does_not_cost_the_others(
    home: Home, sender: Sender, transparency: TransparencyServer, statements: Statements
) -> None:
    puids = keep(home, 3)
    spoil(home, puids[1])
    came = sender.send(*ALL)

    assert (came.sent, came.refused) == (2, 1)
    assert set(transparency.kept) == {puids[0], puids[2]}
    wrong = statements.made_between(NOW + 1, NOW + 2)[0]
    assert wrong.refused
    assert wrong.said == "not sent: category: not as enum asks"
    assert len(transparency.requests) == 1
    assert sender.send(*ALL).refused == 0


def test_what_the_database_finds_wrong_is_named_by_field_alone(
    home: Home,
    sender: Sender,
    transparency: TransparencyServer,
    statements: Statements,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    puids = keep(home, 3)
    spoil(home, puids[0], "decision_facts", "")
    monkeypatch.setattr("egide.desk.statement_sending.faults", lambda _: [])
    came = sender.send(*ALL)

    assert (came.sent, came.refused) == (2, 1)
    assert statements.made_between(NOW, NOW + 1)[0].said == "refused: decision_facts"


def test_a_refused_token_is_told_and_costs_nothing(
    home: Home, transparency: TransparencyServer, statements: Statements
) -> None:
    keep(home, 1)
    guard = AddressGuard((Address.parse(transparency.url),))
    database = TransparencyDatabase(transparency.url, "another", guard)

    with pytest.raises(UsageError, match="answered 401: look at EGIDE_DSA_TOKEN"):
        Sender(statements, database).send(*ALL)
    (kept,) = statements.made_between(*ALL)
    assert (kept.sent, kept.refused, kept.said) == (None, False, "answered 401")
    assert "another" not in kept.said


def test_it_is_off_until_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EGIDE_DSA_URL", raising=False)
    monkeypatch.delenv("EGIDE_DSA_TOKEN", raising=False)
    assert TransparencyDatabase.from_environment() is None
    monkeypatch.setenv("EGIDE_DSA_URL", "https://dsa.example/api/v1")
    with pytest.raises(UsageError, match="set both"):
        TransparencyDatabase.from_environment()
    monkeypatch.setenv("EGIDE_DSA_TOKEN", TOKEN)
    assert TransparencyDatabase.from_environment() is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://dsa.example/api/v1",
        "https://127.0.0.1/api",
        "https://10.0.0.1/api",
        "ftp://a.example",
    ],
)
def test_the_token_goes_nowhere_else(url: str) -> None:
    with pytest.raises(AddressRefused):
        TransparencyDatabase(url, TOKEN, AddressGuard())


@pytest.mark.parametrize("token", ["", "a b", "a\r\nHost: elsewhere", "é", "x" * 501])
def test_a_token_is_one_word(token: str) -> None:
    with pytest.raises(UsageError, match="no token"):
        TransparencyDatabase("https://dsa.example/api/v1", token, AddressGuard())


def test_an_answer_without_end_or_sense_is_survived(
    home: Home, sender: Sender, transparency: TransparencyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(home, 1)
    odd = {"errors": {"statement_999": {"<b>": 1}, "statement_x": 2, "puid": 3}}
    monkeypatch.setattr(transparency, "_created", lambda *_: (422, odd))

    assert sender.send(*ALL).waiting == 1


@pytest.mark.both_databases
def test_two_that_send_at_once_double_nothing(home: Home, transparency: TransparencyServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    puids = keep(home, 120)
    guard = AddressGuard((Address.parse(transparency.url),))

    def run(_: int) -> int:
        database = TransparencyDatabase(transparency.url, TOKEN, guard)
        return Sender(Statements(home.database), database, lambda _: None).send(*ALL).waiting

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(run, range(2))) == [0, 0]
    assert set(transparency.kept) == set(puids)
