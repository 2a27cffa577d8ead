"""Proofs that a person takes along, checked with nothing but the log's public key."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from egide.bank import Home
from egide.cli.app import app
from egide.desk.log_checkpoint import Checkpoint
from egide.desk.log_event import stored_event
from egide.desk.log_note import Signer
from egide.desk.log_proof import GrowthProof, InclusionProof
from egide.errors import CaseErased, LogError
from tests.unit.desk.record import BEGUN, WORDS, Record, case


@pytest.fixture
def record(home: Home) -> Record:
    """Two cases with five events each."""
    made = Record(home)
    for number in range(2):
        made.open_case(case(number), 5)
    return made


def proof(record: Record, number: str, seq: int) -> InclusionProof:
    head = record.sign()
    with record.database.read() as connection:
        event = stored_event(connection, number, seq)
        assert event is not None
        return InclusionProof.of(connection, record.keys, record.log, event, head)


@pytest.mark.both_databases
def test_a_proof_shows_what_happened_and_when_and_not_who(record: Record) -> None:
    text = proof(record, case(1), 0).text()
    event, head = InclusionProof.parse(text).check([record.signer.verifier])
    assert (event["case"], event["seq"], event["kind"]) == (case(1), 0, "received")
    assert event["at"] == BEGUN
    assert head.size == 10
    for hidden in ("account:7", WORDS, '"n"'):
        assert hidden not in json.dumps(event)


def test_every_event_can_be_proved(record: Record) -> None:
    for number in range(2):
        for seq in range(5):
            given = InclusionProof.parse(proof(record, case(number), seq).text())
            assert given.index == 5 * number + seq
            assert given.check([record.signer.verifier])[0]["seq"] == seq


def test_a_proof_that_was_changed_does_not_hold(record: Record) -> None:
    held = proof(record, case(0), 2)
    keys = [record.signer.verifier]
    later = held.event.replace(str(BEGUN + 2).encode(), str(BEGUN + 3).encode())
    assert later != held.event
    for wrong in (
        InclusionProof(later, held.opening, held.index, held.path, held.checkpoint),
        InclusionProof(held.event, bytes(32), held.index, held.path, held.checkpoint),
        InclusionProof(held.event, held.opening, 3, held.path, held.checkpoint),
        InclusionProof(held.event, held.opening, held.index, held.path[:-1], held.checkpoint),
    ):
        with pytest.raises(LogError, match="does not lead"):
            wrong.check(keys)
    with pytest.raises(LogError, match="not signed by the key of this log"):
        held.check([Signer.new("other").verifier])
    with pytest.raises(LogError, match="not signed"):
        InclusionProof(
            held.event,
            held.opening,
            held.index,
            held.path,
            held.checkpoint.replace("\n10\n", "\n11\n"),
        ).check(keys)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("extra ", "extra"),
        ("extra ", "extra !"),
        ("index 2", "index 02"),
        ("index 2", "index -2"),
        ("index 2\n", ""),
        ("\n\n", "\n"),
        ("\n\n", "\nAAAA\n\n"),
        ("\n\n", "\n" + "A" * 43 + "=\n" * 99 + "\n"),
    ],
)
def test_a_file_that_is_no_proof_is_refused(record: Record, old: str, new: str) -> None:
    text = proof(record, case(0), 2).text()
    with pytest.raises(LogError) as error:
        InclusionProof.parse(text.replace(old, new, 1)).check([record.signer.verifier])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("said", ["[]", "{}", '{"event":1,"opening":""}', "[" * 90_000])
def test_extra_data_that_is_none_is_refused(said: str) -> None:
    extra = base64.b64encode(said.encode()).decode()
    with pytest.raises(LogError):
        InclusionProof.parse(f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex 0\n\nlog\n")


PIECES = st.sampled_from(
    [
        "c2sp.org/tlog-proof@v1",
        "extra ",
        "index 0",
        "old 1",
        "\n",
        "\n\n",
        "AAAA",
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b'{"event":"{}","opening":""}').decode(),
        "log",
        "1",
        "— log AAAA",
        "\x00",
        "é",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=20).map("".join))
def test_any_text_is_a_proof_or_refused(text: str) -> None:
    key = Signer("log", b"s" * 32).verifier
    with pytest.raises(LogError):
        InclusionProof.parse(text).check([key])
    with pytest.raises(LogError):
        GrowthProof.parse(text).check([key], Checkpoint("log", 0, bytes(32), ""))


def test_nothing_is_proved_of_what_is_erased_or_not_signed_yet(record: Record) -> None:
    head = record.sign()
    with record.database.write() as connection:
        record.add(connection, case(0), 5)
        event = stored_event(connection, case(0), 5)
        assert event is not None
        with pytest.raises(LogError, match="egide desk log checkpoint"):
            InclusionProof.of(connection, record.keys, record.log, event, head)
    record.erase(case(0))
    with pytest.raises(CaseErased):
        proof(record, case(0), 2)


def test_growth_is_proved_from_every_size(home: Home) -> None:
    record = Record(home)
    heads = [record.sign()]
    for number in range(9):
        record.open_case(case(number))
        heads.append(record.sign())
    keys = [record.signer.verifier]
    with home.database.read() as connection:
        for old in heads:
            path = tuple(record.log.consistency(connection, old.size, 9))
            text = GrowthProof(old.size, path, heads[9].note).text()
            assert GrowthProof.parse(text).check(keys, old).size == 9
            if old.size:
                with pytest.raises(LogError, match="did not grow"):
                    GrowthProof.parse(text).check(keys, heads[old.size - 1])


# ── commands ────────────────────────────────────────────────────────────────────────────────────


def egide(record: Record | None, *args: str) -> Result:
    command = ["desk", "log", *args]
    if record is not None:
        command += ["--home", str(record.home)]
    return CliRunner().invoke(app, command)


def test_commands_prove_and_check_without_the_desk(record: Record, tmp_path: Path) -> None:
    key = egide(record, "key").stdout.strip()
    old = tmp_path / "old"
    old.write_text(egide(record, "checkpoint").stdout)
    with record.database.write() as connection:
        record.add(connection, case(0), 5)
    file = tmp_path / "mine.tlog-proof"
    file.write_text(egide(record, "proof", case(0), "5").stdout)
    said = json.loads(egide(None, "verify-proof", str(file), "--key", key).stdout)
    assert said["event"]["kind"] == "note"
    assert (said["leaf"], said["size"]) == (10, 11)
    grown = tmp_path / "grown"
    grown.write_text(egide(record, "growth", str(old)).stdout)
    checked = egide(None, "verify-proof", str(grown), "--key", key, "--against", str(old))
    assert json.loads(checked.stdout) == {"log": key.partition("+")[0], "from": 10, "to": 11}
    assert egide(record, "checkpoint", "--against", str(old)).exit_code == 0
    assert [
        json.loads(line)["size"] for line in egide(record, "checkpoints").stdout.splitlines()
    ] == [10, 11]
    assert egide(record, "verify", "--against", str(old), "--key", key).exit_code == 0
    file.write_text(file.read_text().replace("index 10", "index 9"))
    wrong = egide(None, "verify-proof", str(file), "--key", key)
    assert wrong.exit_code == 1
    assert wrong.stderr.count("\n") == 1


def test_commands_say_in_a_line_what_is_wrong(record: Record, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(egide(record, "checkpoint").stdout)
    record.change("UPDATE desk_event SET actor = 'x' WHERE seq = 4")
    wrong = egide(record, "verify")
    assert wrong.exit_code == 1
    assert wrong.stdout.splitlines()[0] == (
        f"leaf 4 (event 4 of case {case(0)}): the event is not the one that was logged"
    )
    assert wrong.stdout.splitlines()[-1].startswith("THE LOG DOES NOT HOLD: 10 leaves")
    record.change("DELETE FROM log_leaf WHERE leaf > 7")
    for command in (["checkpoint", "--against", str(old)], ["checkpoint"]):
        wrong = egide(record, *command)
        assert wrong.exit_code == 1
        assert wrong.stdout == ""
        assert "10" in wrong.stderr
        assert wrong.stderr.count("\n") == 1


def test_a_key_that_is_lost_is_followed_by_another(record: Record, tmp_path: Path) -> None:
    first = egide(record, "key").stdout
    egide(record, "checkpoint")
    path = record.home / "log.key"
    assert egide(record, "new-key").exit_code == 2
    path.rename(tmp_path / "lost")
    assert egide(record, "checkpoint").exit_code == 2
    second = egide(record, "new-key").stdout
    assert second != first
    egide(record, "checkpoint")
    assert egide(record, "verify").exit_code == 0
    assert egide(record, "verify", "--key", second.strip()).exit_code == 1


def test_keys_that_were_replaced_in_the_database_are_told(record: Record) -> None:
    """Whoever can write to the database signs a log of their own making with a key of their own."""
    egide(record, "checkpoint")
    forger = Signer.new(record.signer.verifier.name)
    record.change("UPDATE log_key SET text = ?", str(forger.verifier))
    for row in record.database.fetch("SELECT seq, note FROM log_checkpoint"):
        text = str(row["note"]).partition("\n\n")[0] + "\n"
        record.change("UPDATE log_checkpoint SET note = ?", forger.sign(text))
    assert record.troubles() == []
    wrong = egide(record, "verify")
    assert wrong.exit_code == 1
    assert "its keys were replaced" in wrong.stderr
    (record.home / "log.key").unlink()
    assert egide(record, "verify").exit_code == 0
    assert egide(record, "verify", "--key", str(record.signer.verifier)).exit_code == 1


def test_keys_that_were_put_beside_the_logs_own_are_told(record: Record) -> None:
    """As if the log had had another key before: what that one signed is not believed."""
    egide(record, "checkpoint")
    forger = Signer.new(record.signer.verifier.name)
    record.change("INSERT INTO log_key (seq, text, at) VALUES (0, ?, 1)", str(forger.verifier))
    (row,) = record.database.fetch("SELECT note FROM log_checkpoint")
    text = str(row["note"]).partition("\n\n")[0] + "\n"
    record.change("UPDATE log_checkpoint SET note = ?", forger.sign(text))
    assert record.troubles() == []
    wrong = egide(record, "verify")
    assert wrong.exit_code == 1
    assert f"{forger.verifier} among the log's keys: it is not believed" in wrong.stderr
    assert wrong.stderr.count("\n") == 1
    record.change("UPDATE log_key SET vouched = (SELECT o.vouched FROM log_key o WHERE o.seq <> 0)")
    assert egide(record, "verify").exit_code == 1, "what vouches for one vouches for no other"


def test_the_key_of_a_database_from_before_is_vouched_for_when_it_is_used(
    record: Record, tmp_path: Path
) -> None:
    egide(record, "checkpoint")
    record.change("UPDATE log_key SET vouched = NULL")
    assert egide(record, "verify").exit_code == 0
    egide(record, "checkpoint")
    (record.home / "log.key").rename(tmp_path / "lost")
    assert egide(record, "new-key").exit_code == 0
    assert egide(record, "verify").exit_code == 0


def test_wrong_files_are_told(record: Record, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for command in (
        ["verify", "--against", str(tmp_path / "none")],
        ["verify", "--against", str(binary)],
        ["verify", "--key", "none"],
        ["proof", "EG-9999-9999"],
    ):
        wrong = egide(record, *command)
        assert wrong.exit_code == 2
        assert wrong.stderr.count("\n") == 1
