"""The audit log has every grant and denial, also of the second that is not over yet."""

from __future__ import annotations

import time

import pytest

from egide.bank import Home
from egide.errors import StorageError, UsageError
from egide.identity import Identity
from egide.identity.audit import DENIED, MOST_WAITING, NOBODY, AuditLog
from egide.identity.secret import Secret
from tests.unit.identity.conftest import Clock

pytestmark = pytest.mark.both_databases


@pytest.fixture
def log(home: Home, clock: Clock) -> AuditLog:
    return AuditLog(home.database, Secret(bytes(32)), clock)


def test_what_is_alike_within_a_second_is_one_row(log: AuditLog, clock: Clock) -> None:
    for _ in range(100):
        log.note(NOBODY, "GET /a", outcome=DENIED, reason="x", address="192.0.2.1")
    log.note(NOBODY, "GET /a", outcome=DENIED, reason="x", address="192.0.2.2")
    clock.pass_(1)
    log.note(NOBODY, "GET /a", outcome=DENIED, reason="x", address="192.0.2.1")
    log.close()

    rows = log.rows()
    assert sorted(row.times for row in rows) == [1, 1, 100]
    assert len({row.origin for row in rows}) == 2
    assert "192" not in repr(rows)


def test_it_is_written_without_being_asked_to(log: AuditLog) -> None:
    log.note(NOBODY, "GET /a")
    deadline = time.monotonic() + 10
    while not log.rows() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(log.rows()) == 1
    log.close()


def test_what_could_not_be_written_is_written_later(
    log: AuditLog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.note(NOBODY, "GET /a")

    def away(*, serial: bool = True) -> None:
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr(home.database, "write", away)
        with pytest.raises(StorageError):
            log.flush()
    log.close()
    assert [row.times for row in log.rows()] == [1]


def test_a_flood_is_counted_whole_and_stays_small(log: AuditLog) -> None:
    log.note(NOBODY, "first")
    flood = MOST_WAITING + 500
    for number in range(flood):
        log.note(NOBODY, "GET /a", outcome=DENIED, reason="x", address=str(number))
    log.close()

    rows, before = [], None
    while page := log.rows(before=before, limit=500):
        rows += page
        before = page[-1].seq
    assert sum(row.times for row in rows) == flood + 1
    assert len(rows) <= MOST_WAITING + 2 + 500


def test_a_change_that_did_not_happen_is_not_in_it(identity: Identity, home: Home) -> None:
    def change() -> None:
        with home.database.write() as connection:
            identity.audit.write(connection, NOBODY, "change")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert identity.audit.rows() == []


def test_pages_and_actors(log: AuditLog) -> None:
    for number in range(5):
        log.note(NOBODY, f"GET /{number}")
        log.flush()
    first = log.rows(limit=2)
    assert [row.action for row in first] == ["GET /4", "GET /3"]
    assert [row.action for row in log.rows(before=first[-1].seq, limit=2)] == ["GET /2", "GET /1"]
    assert log.rows(actor="key:nothing") == []
    assert len(log.rows(actor="nobody")) == 5
    log.close()


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "x"])
def test_days_that_cannot_be(home: Home, monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("EGIDE_AUDIT_DAYS", days)
    with pytest.raises(UsageError, match="EGIDE_AUDIT_DAYS must be a number of days"):
        AuditLog(home.database, Secret(bytes(32)))


def test_what_is_old_is_forgotten_without_being_asked_to(
    home: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_AUDIT_DAYS", "2")
    log = AuditLog(home.database, Secret(bytes(32)), clock)
    log.note(NOBODY, "old")
    log.flush()
    clock.pass_(2 * 86_400 + 1)
    log.note(NOBODY, "new")
    deadline = time.monotonic() + 10
    while [row.action for row in log.rows()] != ["new"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [row.action for row in log.rows()] == ["new"]
    log.close()


def test_what_is_old_is_forgotten(log: AuditLog, clock: Clock) -> None:
    log.note(NOBODY, "old")
    log.flush()
    clock.pass_(86_400)
    log.note(NOBODY, "new")
    log.close()

    assert log.prune(0.5) == 1
    assert [row.action for row in log.rows()] == ["new"]
