"""What somebody who can write to the database may try, and what the log says of it."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from egide.bank import Home
from egide.db import Row
from egide.desk.log_cases import case_troubles
from egide.desk.log_event import document, stored_event
from egide.desk.log_key import open_signer
from egide.desk.log_note import Signer
from egide.desk.log_tree import Frontier, leaf_hash
from egide.desk.log_verify import verify
from egide.errors import CaseErased, LogError, StorageError, UsageError
from tests.unit.desk.record import Record, case, copy_of


@pytest.fixture
def record(home: Home) -> Record:
    """Three cases with seven events each, and checkpoints at 7, 14 and 21 leaves."""
    made = Record(home)
    for number in range(3):
        made.open_case(case(number), 7)
        made.sign()
    return made


@pytest.mark.both_databases
def test_a_log_that_nobody_touched_holds(record: Record) -> None:
    found = record.verify()
    assert found.troubles == []
    assert (found.leaves, found.opened, found.erased, found.checkpoints) == (21, 21, 0, 3)
    assert found.root == record.sign().root


def test_an_empty_log_holds_and_can_be_signed(home: Home) -> None:
    record = Record(home)
    assert record.sign().size == 0
    record.open_case(case(0))
    record.sign()
    assert record.troubles() == []


TAMPERED: dict[str, tuple[str, str]] = {
    "an event's words": (
        "UPDATE desk_event SET data = '{\"n\":99}' WHERE number = '{0}' AND seq = 3",
        "leaf 10 (event 3 of case {0}): the event is not the one that was logged",
    ),
    "an event's time": (
        "UPDATE desk_event SET at = at + 3600000 WHERE number = '{0}' AND seq = 3",
        "leaf 10 (event 3 of case {0}): the event is not the one that was logged",
    ),
    "who acted": (
        "UPDATE desk_event SET actor = 'account:8' WHERE number = '{0}' AND seq = 3",
        "leaf 10 (event 3 of case {0}): the event is not the one that was logged",
    ),
    "what kind it was": (
        "UPDATE desk_event SET kind = 'other' WHERE number = '{0}' AND seq = 3",
        "leaf 10 (event 3 of case {0}): the event is not the one that was logged",
    ),
    "what was sealed": (
        "UPDATE desk_event SET sealed = zeroblob(80) WHERE number = '{0}' AND seq = 0",
        "leaf 7 (event 0 of case {0}): the event is not the one that was logged",
    ),
    "an event taken away": (
        "DELETE FROM desk_event WHERE number = '{0}' AND seq = 3",
        "leaf 10 (event 3 of case {0}): the event is gone, and its case was not erased",
    ),
    "an event put in": (
        (
            "INSERT INTO desk_event (number, seq, at, kind, actor, data)"
            " VALUES ('{0}', 7, 0, 'note', '', '{}')"
        ),
        "event 7 of case {0} has no leaf: the log was cut, or it was put in",
    ),
    "a leaf": (
        "UPDATE log_leaf SET commitment = zeroblob(32) WHERE leaf = 10",
        "leaf 10 (event 3 of case {0}): the event is not the one that was logged",
    ),
    "a leaf taken away": (
        "DELETE FROM log_leaf WHERE leaf = 10",
        "leaf 10 is missing; nothing signed after it can be checked",
    ),
    "leaves taken away": (
        "DELETE FROM log_leaf WHERE leaf BETWEEN 10 AND 12",
        "leaves 10 to 12 are missing; nothing signed after it can be checked",
    ),
    "a hash": (
        "UPDATE log_node SET hash = zeroblob(32) WHERE level = 2 AND position = 2",
        "leaves 8 to 11 are not what they were when their hash was kept, or the hash was changed",
    ),
    "the end cut off": (
        "DELETE FROM log_leaf WHERE leaf >= 18",
        "is of 21 leaves and the log has 18: the log was cut, or an older state",
    ),
    "another case's key": (
        (
            "UPDATE case_key SET sealed = (SELECT sealed FROM case_key k WHERE k.number <> '{0}'"
            " ORDER BY seq LIMIT 1) WHERE number = '{0}'"
        ),
        "leaf 7 (event 0 of case {0}): the event is not the one that was logged",
    ),
    "a key taken away": (
        "DELETE FROM case_key WHERE number = '{0}'",
        "leaf 7 (event 0 of case {0}): case {0} has no key",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_is_told_with_its_place(record: Record, what: str) -> None:
    sql, said = (text.replace("{0}", case(1)) for text in TAMPERED[what])
    record.change(sql)
    found = record.troubles()
    assert any(said in trouble for trouble in found), found
    assert all("\n" not in trouble for trouble in found)


COLUMNS = {
    "desk_event": ("number", "seq", "at", "kind", "actor", "data", "sealed"),
    "log_leaf": ("leaf", "commitment", "number", "event", "epoch"),
    "log_node": ("level", "position", "hash"),
    "log_erasure": ("number", "epoch", "event", "document"),
    "log_checkpoint": ("note",),
    "case_key": ("number", "epoch", "sealed", "destroyed"),
}


KEYS = {"log_node": "level * 100 + position"}
"""What a row without a number of its own is known by."""


def test_any_change_of_any_value_is_seen(record: Record) -> None:
    """Each value of each row by itself: a bit of it, a character, one more or less."""
    record.erase(case(2))
    record.sign()
    unseen: list[tuple[object, ...]] = []
    tried = 0
    for table, column, row in _values(record):
        with suppress(_Undo, StorageError), record.database.write() as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            changed = _changed(row[column], random.Random(tried))
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE {KEYS.get(table, 'rowid')} = ?",
                (changed, row["which"]),
            )
            tried += 1
            kept = record.checkpoints.all(connection)
            if not verify(connection, record.keys, [record.signer.verifier], kept).troubles:
                unseen.append((table, column, *row, changed))
            raise _Undo
    assert tried > 150
    assert unseen == []


class _Undo(Exception):
    """Takes a change back."""


def _values(record: Record) -> list[tuple[str, str, Row]]:
    """Each value in the record that is of a case that stands, or of the log."""
    found = []
    for table, columns in COLUMNS.items():
        where = f"WHERE number <> '{case(2)}'" if table == "desk_event" else ""
        key = KEYS.get(table, "rowid")
        rows = record.database.fetch(f"SELECT {key} AS which, * FROM {table} {where}")
        found += [(table, column, row) for row in rows for column in columns]
    # When a key was destroyed is told by its event.
    return [each for each in found if each[1] != "destroyed" or each[2]["destroyed"] is None]


def _changed(value: object, chance: random.Random) -> object:
    if value is None:
        return 7
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    if isinstance(value, bytes):
        place = chance.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]
    text = str(value)
    place = chance.randrange(len(text))
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


@pytest.mark.both_databases
def test_the_same_is_seen_in_both_databases(record: Record) -> None:
    record.change("UPDATE desk_event SET data = 'x' WHERE number = ? AND seq = 3", case(1))
    record.change("DELETE FROM log_leaf WHERE leaf >= 18")
    found = record.troubles()
    assert found[0] == (
        f"leaf 10 (event 3 of case {case(1)}): the event is not the one that was logged"
    )
    assert "is of 21 leaves and the log has 18" in found[1]
    assert found[2] == f"event 4 of case {case(2)} has no leaf: the log was cut, or it was put in"


def test_who_has_all_keys_but_the_logs_cannot_change_what_was_signed(record: Record) -> None:
    """An insider rewrites an event, commits to it anew, and makes the whole tree anew."""
    rewrite(record)
    trouble = record.troubles()[0]
    assert "has another root: of leaves 7 to 13 at least one was changed since" in trouble


def rewrite(record: Record) -> None:
    """Changes event 3 of the second case, and everything in the database that follows from it."""
    with record.database.write() as connection:
        connection.execute("DELETE FROM desk_event WHERE number = ? AND seq = 3", (case(1),))
        connection.execute("DELETE FROM log_leaf WHERE leaf = 10")
        connection.execute("DELETE FROM log_node")
        rest = connection.execute("SELECT * FROM log_leaf WHERE leaf > 10").fetchall()
        connection.execute("DELETE FROM log_leaf WHERE leaf > 10")
        connection.execute(
            "INSERT INTO desk_event (number, seq, at, kind, actor, data)"
            " VALUES (?, 3, 5, 'refused', 'account:9', '{}')",
            (case(1),),
        )
        frontier = Frontier()
        event = stored_event(connection, case(1), 3)
        assert event is not None
        key = record.keys.key(connection, case(1))
        connection.execute(
            "INSERT INTO log_leaf VALUES (10, ?, ?, 3, 0)",
            (key.commit(document(event, key)), case(1)),
        )
        for row in rest:
            connection.execute("INSERT INTO log_leaf VALUES (?, ?, ?, ?, ?)", tuple(row))
        for row in connection.execute("SELECT * FROM log_leaf ORDER BY leaf").fetchall():
            made = frontier.add(leaf_hash(bytes(row["commitment"])))
            for level, node in enumerate(made, 1):
                connection.execute(
                    "INSERT INTO log_node VALUES (?, ?, ?)", (level, row["leaf"] >> level, node)
                )


def test_nothing_is_signed_that_contradicts_what_was(record: Record) -> None:
    rewrite(record)
    with pytest.raises(LogError, match="does not go on from the checkpoint of 21 leaves"):
        record.sign()
    record.change("DELETE FROM log_leaf WHERE leaf >= 18")
    with pytest.raises(LogError, match="has 18 leaves, and a checkpoint was signed of 21"):
        record.sign()


def test_checkpoints_of_another_key_are_forged(record: Record) -> None:
    rewrite(record)
    forger = Signer(record.signer.verifier.name, b"f" * 32)
    for row in record.database.fetch("SELECT seq, note FROM log_checkpoint"):
        text = row["note"].partition("\n\n")[0] + "\n"
        record.change(
            "UPDATE log_checkpoint SET note = ? WHERE seq = ?", forger.sign(text), row["seq"]
        )
    found = record.troubles()
    assert len(found) == 3
    assert all("not signed by the key of this log; it is forged" in each for each in found)


@pytest.mark.parametrize(
    "note", ["", "\n\n", "a\n1\n\n— a b\n", "x" * 200_000, "log\n21\nAAAA\n\n— log AAAA\n"]
)
def test_a_checkpoint_that_is_none_is_told(record: Record, note: str) -> None:
    record.change("UPDATE log_checkpoint SET note = ? WHERE size = 21", note)
    (trouble,) = record.troubles()
    assert trouble.startswith("checkpoint 3 of ")


def test_a_head_that_was_rolled_back_is_told(record: Record) -> None:
    row = record.database.fetch("SELECT note FROM log_checkpoint WHERE size = 14")[0]
    record.change("INSERT INTO log_checkpoint (size, at, note) VALUES (14, 0, ?)", row["note"])
    (trouble,) = record.troubles()
    assert trouble.endswith("is smaller than the one before it: the head was rolled back")


@pytest.mark.both_databases
def test_a_case_whose_row_was_changed_is_told(record: Record) -> None:
    def troubles() -> list[str]:
        with record.database.read() as connection:
            return list(case_troubles(connection))

    assert troubles() == []
    record.change("UPDATE desk_case SET state = 'refused', deadline = 5 WHERE number = ?", case(1))
    assert troubles() == [
        f"case {case(1)}: its row differs from what its events come to: state, deadline"
    ]
    record.change("UPDATE desk_event SET data = '[]' WHERE number = ? AND seq = 0", case(2))
    assert f"case {case(2)}: what its events come to cannot be told" in troubles()


# ── a head that is kept elsewhere ───────────────────────────────────────────────────────────────


def cut(record: Record, size: int) -> None:
    """Takes away the end of the log, its cases and its checkpoints: an older state."""
    record.change("DELETE FROM log_checkpoint WHERE size > ?", size)
    record.change("DELETE FROM log_leaf WHERE leaf >= ?", size)
    record.change("DELETE FROM log_node WHERE ((position + 1) << level) > ?", size)
    gone = record.database.fetch(
        "SELECT number FROM case_key WHERE number NOT IN (SELECT number FROM log_leaf)"
    )
    for row in gone:
        for table in ("desk_event", "desk_case", "case_key"):
            record.change(f"DELETE FROM {table} WHERE number = ?", row["number"])


def test_an_older_state_holds_by_itself_and_not_against_a_head_kept_elsewhere(
    record: Record,
) -> None:
    kept = record.sign().note
    cut(record, 14)
    assert record.troubles() == []
    (trouble,) = record.troubles(kept)
    assert trouble == (
        "file 0 is of 21 leaves and the log has 14: the log was cut, or an older state was put in "
        "its place"
    )


def test_an_older_state_that_went_on_does_not_fit_a_head_kept_elsewhere(record: Record) -> None:
    kept = record.sign().note
    cut(record, 14)
    record.open_case(case(8), 9)
    record.sign()
    assert record.troubles() == []
    (trouble,) = record.troubles(kept)
    assert "file 0 has another root: of leaves 14 to 20 at least one was changed" in trouble


def test_a_backup_that_was_restored_is_seen(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    record = Record(home)
    record.open_case(case(0), 3)
    home.database.scrub()
    backup = tmp_path / "backup"
    backup.mkdir()
    copy_of(home.path, backup)
    record.open_case(case(1), 3)
    kept = record.sign().note
    home.close()
    for file in home.path.glob("egide.sqlite*"):
        file.unlink()
    copy_of(backup, home.path)
    home = Home(tmp_path / "home")
    restored = Record(home)
    assert restored.troubles() == []
    assert "is of 6 leaves and the log has 3" in restored.troubles(kept)[0]
    home.close()


def test_a_forged_head_kept_elsewhere_is_told(record: Record) -> None:
    note = record.sign().note.replace("\n21\n", "\n20\n")
    assert "file 0: the checkpoint of 20 leaves is not signed" in record.troubles(note)[0]


# ── erasure ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_an_erased_case_stays_in_a_log_that_holds_and_opens_no_more(record: Record) -> None:
    kept = record.sign()
    record.erase(case(1))
    found = record.verify(kept.note)
    assert found.troubles == []
    assert (found.leaves, found.opened, found.erased) == (22, 15, 7)
    record.change("DELETE FROM desk_event WHERE number = ?", case(1))
    found = record.verify(kept.note)
    assert found.troubles == []
    assert (found.leaves, found.opened, found.erased) == (22, 15, 7)


@pytest.mark.both_databases
def test_what_happens_after_an_erasure_is_logged_under_a_key_of_its_own(record: Record) -> None:
    for turn in range(2):
        record.erase(case(1))
        first = record.database.fetch(
            "SELECT max(seq) FROM desk_event WHERE number = ?", (case(1),)
        )[0][0]
        for seq in (first + 1, first + 2):
            with record.database.write() as connection:
                record.add(connection, case(1), seq)
        found = record.verify()
        assert found.troubles == []
        assert (found.leaves, found.opened) == (24 + 3 * turn, 17)
        assert found.erased == 7 + 3 * turn
    with pytest.raises(CaseErased), record.database.read() as connection:
        record.keys.seal(connection, case(1), b"words")
    record.change("UPDATE desk_event SET data = 'x' WHERE number = ? AND seq = 12", case(1))
    assert "event 12 of case" in record.troubles()[0]


UNLOGGED = f"case {case(1)}: its key is destroyed, and the log has no erasure of it"


def test_a_key_that_was_destroyed_past_the_desk_is_told(record: Record) -> None:
    """Else whoever can write to the database hides a change behind an erasure."""
    record.change("UPDATE desk_event SET data = 'x' WHERE number = ? AND seq = 3", case(1))
    record.change(
        "UPDATE case_key SET sealed = zeroblob(60), destroyed = 5 WHERE number = ?", case(1)
    )
    (trouble,) = record.troubles()
    assert trouble.startswith(UNLOGGED)
    record.change('INSERT INTO log_erasure VALUES (?, 0, 6, \'{"kind":"erased"}\')', case(1))
    (trouble,) = record.troubles()
    assert trouble.startswith(UNLOGGED)


def test_an_erasure_that_was_changed_is_told(record: Record) -> None:
    record.erase(case(1))
    record.change("UPDATE log_erasure SET document = replace(document, 'erased', 'Erased')")
    assert any(each.startswith(UNLOGGED) for each in record.troubles())
    record.change("DELETE FROM log_erasure")
    assert any(each.startswith(UNLOGGED) for each in record.troubles())


def test_only_the_logs_own_key_signs(record: Record) -> None:
    path = record.home / "log.key"
    held = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(Signer.new().secret_text())
    with pytest.raises(StorageError, match="is not the key of this log"):
        open_signer(record.database, record.home)
    path.unlink()
    with pytest.raises(StorageError, match="restore the log's key"):
        open_signer(record.database, record.home)
    path.write_text(held)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        open_signer(record.database, record.home)


def test_troubles_are_told_up_to_a_number(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egide.desk.log_verify.MOST_TROUBLES", 5)
    monkeypatch.setattr("egide.desk.log_verify.BATCH", 4)
    record.change("UPDATE desk_event SET data = 'x'")
    assert len(record.troubles()) == 5
