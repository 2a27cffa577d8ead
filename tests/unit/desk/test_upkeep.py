"""What is done for the record now and then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from egide.bank import Home
from egide.desk.upkeep import Upkeep
from egide.errors import StorageError, UsageError
from tests.unit.desk.at_work import ORIGIN, AtWork, reading, stands


@pytest.fixture
def work(home: Home) -> Iterator[AtWork]:
    """A desk that nothing came to yet."""
    made = AtWork(home)
    yield made
    made.close()


def sizes(work: AtWork) -> list[int]:
    """Of the checkpoints that were signed."""
    rows = work.book.database.fetch("SELECT size FROM log_checkpoint ORDER BY seq")
    return [row["size"] for row in rows]


def test_a_checkpoint_is_signed_every_hour_in_which_something_came(
    home: Home, work: AtWork
) -> None:
    upkeep = Upkeep(work.book, home.path, lambda: work.clock)
    upkeep.step()
    assert sizes(work) == []
    work.notice()
    upkeep.step()
    (first,) = sizes(work)
    work.notice()
    upkeep.step()
    assert sizes(work) == [first], "not before the hour has passed"
    work.clock += 3600
    upkeep.step()
    upkeep.step()
    assert len(sizes(work)) == 2
    work.clock += 3600
    upkeep.step()
    assert len(sizes(work)) == 2, "nothing came"


def test_a_log_that_does_not_hold_is_told_and_not_signed(
    home: Home, work: AtWork, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep = Upkeep(work.book, home.path, lambda: work.clock)
    work.notice()
    upkeep.step()
    before = sizes(work)
    with work.book.database.write() as connection:
        connection.execute("UPDATE log_leaf SET commitment = zeroblob(32) WHERE leaf = 1")
        connection.execute("DELETE FROM log_leaf WHERE leaf > 1")
    work.clock += 3600
    work.notice()
    upkeep.step()
    assert sizes(work) == before
    assert "egide desk log verify" in caplog.text


def test_retention_runs_once_a_day_and_only_if_it_is_switched_on(
    home: Home, work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = work.removed()
    work.later(366)
    Upkeep(work.book, home.path, lambda: work.clock).step()
    assert work.state(receipt.case) == "removed"
    monkeypatch.setenv("EGIDE_DESK_RETENTION", "1")
    upkeep = Upkeep(work.book, home.path, lambda: work.clock)
    upkeep.step()
    assert work.state(receipt.case) == "erased"
    late = work.removed(locations=[{"url": "https://x.example/"}], fingerprints=[])
    work.clock += 366 * 86_400
    with monkeypatch.context() as patch:
        patch.setattr("egide.desk.upkeep.RETENTION_SECONDS", 400 * 86_400)
        upkeep.step()
        assert work.state(late.case) == "removed"
    upkeep.step()
    assert work.state(late.case) == "erased"


def test_what_could_not_be_scrubbed_is_scrubbed_by_a_later_step(
    home: Home, work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = work.removed()
    work.later(366)
    (row,) = home.database.fetch("SELECT sealed FROM case_key")
    monkeypatch.setenv("EGIDE_DESK_RETENTION", "1")
    upkeep = Upkeep(work.book, home.path, lambda: work.clock)
    with reading(home, monkeypatch), pytest.raises(StorageError, match="in use by another"):
        upkeep.step()
    assert work.state(receipt.case) == "erased"
    assert stands(home.path, bytes(row["sealed"]))
    upkeep.step()
    assert not stands(home.path, bytes(row["sealed"]))


def test_a_withdrawal_is_no_error_while_another_process_reads_and_is_scrubbed_later(
    home: Home, work: AtWork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    receipt = work.notice()
    work.desk.upkeep()
    (row,) = home.database.fetch("SELECT sealed FROM desk_print")
    with reading(home, monkeypatch):
        assert work.desk.withdraw(receipt.case, receipt.pin, ORIGIN).state == "withdrawn"
    assert "in use by another process" in caplog.text
    assert stands(home.path, bytes(row["sealed"]))
    work.desk.upkeep()
    assert not stands(home.path, bytes(row["sealed"]))


@pytest.mark.parametrize(("switch", "policy"), [("yes", ""), ("1", "missing.yaml")])
def test_what_is_set_up_wrongly_is_told_at_once(
    home: Home, work: AtWork, monkeypatch: pytest.MonkeyPatch, switch: str, policy: str
) -> None:
    monkeypatch.setenv("EGIDE_DESK_RETENTION", switch)
    monkeypatch.setenv("EGIDE_DESK_RETENTION_POLICY", policy)
    with pytest.raises(UsageError):
        Upkeep(work.book, Path(home.path), lambda: work.clock)
