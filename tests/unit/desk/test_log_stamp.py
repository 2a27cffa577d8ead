"""Time stamps by a real authority, and what is none."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from egide.bank import Home
from egide.cli.app import app
from egide.desk import log_stamp
from egide.errors import AddressRefused, LogError, UsageError
from tests.tsa import TimeStampingAuthority
from tests.unit.desk.record import Record, case


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampingAuthority]:
    """An authority that the tests of this file ask."""
    made = TimeStampingAuthority(tmp_path_factory.mktemp("tsa"))
    yield made
    made.close()


@pytest.fixture
def tsa(
    authority: TimeStampingAuthority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TimeStampingAuthority]:
    """The authority, allowed to be asked although it is on this machine."""
    monkeypatch.setenv("EGIDE_TSA_ALLOW", authority.url)
    yield authority
    authority.answer = None


@pytest.fixture
def record(home: Home) -> Record:
    """A case with three events."""
    made = Record(home)
    made.open_case(case(0), 3)
    return made


def egide(record: Record, *args: str) -> Result:
    return CliRunner().invoke(app, ["desk", "log", *args, "--home", str(record.home)])


def test_the_head_is_stamped_and_the_stamp_is_checked(
    record: Record, tsa: TimeStampingAuthority, tmp_path: Path
) -> None:
    trust = ["--trust", str(tsa.root)]
    said = json.loads(egide(record, "stamp", "--tsa", tsa.url, *trust).stdout)
    assert said["size"] == 3
    at = datetime.fromisoformat(said["at"])
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    checked = egide(record, "verify", *trust)
    assert checked.exit_code == 0, checked.stdout
    (row,) = record.database.fetch("SELECT * FROM log_stamp")
    assert tsa.url.endswith(f"{row['host']}/stamp")
    assert abs(row["at"] / 1000 - time.time()) < 60
    file, note = tmp_path / "stamp.tsr", tmp_path / "checkpoint"
    file.write_bytes(row["response"])
    note.write_text(record.sign().note)
    command = ["desk", "log", "verify-stamp", str(file), "--checkpoint", str(note), *trust]
    assert CliRunner().invoke(app, command).stdout.strip() == said["at"]
    note.write_text(note.read_text().replace("\n3\n", "\n4\n"))
    wrong = CliRunner().invoke(app, command)
    assert wrong.exit_code == 1
    assert "over something else than this checkpoint" in wrong.stderr


def test_a_stamp_of_somebody_else_is_told(
    record: Record, tsa: TimeStampingAuthority, tmp_path: Path
) -> None:
    assert egide(record, "stamp", "--tsa", tsa.url).exit_code == 0
    folder = tmp_path / "other"
    folder.mkdir()
    other = TimeStampingAuthority(folder)
    other.close()
    wrong = egide(record, "verify", "--trust", str(other.root))
    assert wrong.exit_code == 1
    assert wrong.stdout.startswith("stamp 1 of checkpoint 1: the time stamp is of nobody")
    refused = egide(record, "stamp", "--tsa", tsa.url, "--trust", str(other.root))
    assert refused.exit_code == 2
    assert "of nobody that is trusted" in refused.stderr


def test_a_stamp_that_was_changed_is_told(record: Record, tsa: TimeStampingAuthority) -> None:
    egide(record, "stamp", "--tsa", tsa.url)
    held = bytes(record.database.fetch("SELECT response FROM log_stamp")[0][0])
    for place in (10, 60, len(held) // 2, len(held) - 5):
        changed = held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :]
        record.change("UPDATE log_stamp SET response = ?", changed)
        assert egide(record, "verify", "--trust", str(tsa.root)).exit_code == 1, place
    for none in (b"none", GRANTED_AND_NOTHING):
        record.change("UPDATE log_stamp SET response = ?", none)
        wrong = egide(record, "verify")
        assert "this is no time stamp" in wrong.stdout


def test_a_stamp_of_another_request_is_refused(record: Record, tsa: TimeStampingAuthority) -> None:
    note = record.sign().note
    guard = log_stamp.tsa_guard()
    tsa.answer = (200, tsa.stamp(tsa.query(b"something else")))
    with pytest.raises(LogError, match="over something else"):
        log_stamp.asked(tsa.url, note, guard)
    tsa.answer = (200, tsa.stamp(tsa.query(note.encode())))  # right, but heard before
    with pytest.raises(LogError, match="another request"):
        log_stamp.asked(tsa.url, note, guard)


GRANTED_AND_NOTHING = bytes.fromhex("30053003020100")


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (200, b""), (200, b"x" * 100_001), (302, b""), (200, GRANTED_AND_NOTHING)],
)
def test_what_is_no_stamp_is_refused(
    record: Record, tsa: TimeStampingAuthority, answer: tuple[int, bytes]
) -> None:
    tsa.answer = answer
    with pytest.raises(LogError) as error:
        log_stamp.asked(tsa.url, record.sign().note, log_stamp.tsa_guard())
    assert "\n" not in str(error.value)


def test_places_that_were_not_allowed_are_not_asked(
    record: Record, tsa: TimeStampingAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EGIDE_TSA_ALLOW")
    with pytest.raises(AddressRefused, match="EGIDE_TSA_ALLOW"):
        log_stamp.asked(tsa.url, record.sign().note, log_stamp.tsa_guard())
    monkeypatch.setenv("EGIDE_TSA_ALLOW", "not an address")
    with pytest.raises(UsageError, match="EGIDE_TSA_ALLOW"):
        log_stamp.tsa_guard()


def test_an_authority_that_is_away_is_told(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_TSA_ALLOW", "http://127.0.0.1:9/")
    wrong = egide(record, "stamp", "--tsa", "http://127.0.0.1:9/")
    assert wrong.exit_code == 2
    assert "gave no time stamp" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_files_without_certificates_are_told(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("none")
    for name in ("none.pem", "missing.pem"):
        with pytest.raises(UsageError, match=name):
            log_stamp.trusted(tmp_path / name)
