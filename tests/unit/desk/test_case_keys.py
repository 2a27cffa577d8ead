"""The keys of cases: what they seal, what they commit to, and that erasing them leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from egide.bank import Home
from egide.desk.case_keys import CaseKeys, commitment
from egide.errors import AlreadyThere, CaseErased, StorageError
from egide.identity.secret import Secret

SECRET = Secret(b"s" * 32)
CASE, OTHER = "EG-7K3M-2QXV", "EG-7K3M-2QXW"


@pytest.fixture
def keys(home: Home) -> CaseKeys:
    """The keys of a home with two cases."""
    made = CaseKeys(SECRET, lambda: 1_700_000_000.5)
    with home.database.write() as connection:
        made.make(connection, CASE)
        made.make(connection, OTHER)
    return made


@pytest.mark.both_databases
def test_what_is_sealed_opens_for_its_own_case_alone(home: Home, keys: CaseKeys) -> None:
    with home.database.read() as connection:
        sealed = keys.seal(connection, CASE, b"a@example.org")
        assert b"example" not in sealed
        assert keys.open(connection, CASE, sealed) == b"a@example.org"
        assert keys.seal(connection, CASE, b"a@example.org") != sealed
        for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:20], b""):
            with pytest.raises(StorageError, match=CASE):
                keys.open(connection, CASE, wrong)
        with pytest.raises(StorageError, match=OTHER):
            keys.open(connection, OTHER, sealed)


def test_keys_that_changed_places_open_nothing(home: Home, keys: CaseKeys) -> None:
    with home.database.write() as connection:
        sealed = keys.seal(connection, CASE, b"words")
        key = "(SELECT sealed FROM case_key WHERE number = ?)"
        connection.execute(f"UPDATE case_key SET sealed = {key} WHERE number = ?", (CASE, OTHER))
        with pytest.raises(StorageError):
            keys.open(connection, OTHER, sealed)


def test_a_commitment_is_to_one_case_and_one_text(home: Home, keys: CaseKeys) -> None:
    with home.database.read() as connection:
        made = keys.commit(connection, CASE, b"event")
        assert len(made) == 32
        assert made == keys.commit(connection, CASE, b"event")
        others = {
            keys.commit(connection, CASE, b"event "),
            keys.commit(connection, OTHER, b"event"),
        }
        assert len(others | {made}) == 3
        opening = keys.key(connection, CASE).opening(b"event")
    assert commitment(b"event", opening) == made
    assert commitment(b"other", opening) != made


@pytest.mark.both_databases
def test_a_destroyed_key_opens_and_commits_to_nothing(home: Home, keys: CaseKeys) -> None:
    with home.database.write() as connection:
        sealed = keys.seal(connection, CASE, b"words")
        assert keys.destroy(connection, CASE)
        assert not keys.destroy(connection, CASE)
        assert not keys.destroy(connection, "EG-0000-0000")
    home.database.scrub()
    with home.database.read() as connection:
        for use in (keys.open, keys.seal, keys.commit):
            with pytest.raises(CaseErased, match=CASE):
                use(connection, CASE, sealed)
        assert keys.seal(connection, OTHER, b"words")
    row = home.database.fetch("SELECT * FROM case_key WHERE number = ?", (CASE,))[0]
    assert not any(bytes(row["sealed"]))
    assert row["destroyed"] == 1_700_000_000_500


def test_a_destroyed_key_stands_in_no_file(home: Home, keys: CaseKeys) -> None:
    with home.database.write() as connection:
        for each in range(500):
            keys.make(connection, f"EG-{each:04}-XXXX")
    column = "SELECT sealed FROM case_key WHERE number = ?"
    wanted = [CASE, "EG-0000-XXXX", "EG-0250-XXXX", "EG-0499-XXXX"]
    held = [bytes(home.database.fetch(column, (number,))[0][0]) for number in wanted]
    assert all(stands(home.path, sealed) for sealed in held)
    with home.database.write() as connection:
        for number in wanted:
            keys.destroy(connection, number)
    home.database.scrub()
    assert not any(stands(home.path, sealed) for sealed in held)


def stands(home: Path, value: bytes) -> list[str]:
    """In which files of the home a piece of the value stands."""
    files = [(path.name, path.read_bytes()) for path in home.rglob("*") if path.is_file()]
    return [name for name, held in files if value[:16] in held or value[-16:] in held]


def test_a_case_has_one_key_and_needs_one(home: Home, keys: CaseKeys) -> None:
    with pytest.raises(AlreadyThere, match=CASE), home.database.write() as connection:
        keys.make(connection, CASE)
    with pytest.raises(StorageError, match="has no key"), home.database.read() as connection:
        keys.open(connection, "EG-0000-0000", b"")


def test_another_secret_opens_nothing(home: Home, keys: CaseKeys) -> None:
    other = CaseKeys(Secret(b"t" * 32))
    with home.database.read() as connection:
        sealed = keys.seal(connection, CASE, b"words")
        with pytest.raises(StorageError, match="secret"):
            other.open(connection, CASE, sealed)
