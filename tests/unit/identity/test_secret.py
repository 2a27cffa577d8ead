"""The server's secret is made once, kept to itself, and not confused with another's."""

from __future__ import annotations

import shutil

import pytest

from egide.bank import Home
from egide.errors import StorageError, UsageError
from egide.identity.secret import SECRET_FILE, Secret, open_secret
from tests.unit.identity.conftest import AT_ONCE, Together

pytestmark = pytest.mark.both_databases


def test_it_is_made_for_its_owner_alone_and_stays(home: Home) -> None:
    first = open_secret(home.database, home.path)
    path = home.path / SECRET_FILE

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(path.read_text())) == 32
    assert open_secret(home.database, home.path).digest("x", b"y") == first.digest("x", b"y")
    assert [p.name for p in home.path.iterdir() if "secret" in p.name] == [SECRET_FILE]


def test_purposes_are_told_apart() -> None:
    secret = Secret(bytes(32))
    sealed = secret.encrypt("one", b"plain")

    assert secret.digest("one", b"x") != secret.digest("two", b"x")
    assert secret.decrypt("one", sealed) == b"plain"
    assert sealed != secret.encrypt("one", b"plain")
    with pytest.raises(StorageError):
        secret.decrypt("two", sealed)
    with pytest.raises(StorageError):
        Secret(b"\1" * 32).decrypt("one", sealed)
    with pytest.raises(StorageError):
        secret.decrypt("one", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_another_secret_is_refused(home: Home) -> None:
    open_secret(home.database, home.path)
    (home.path / SECRET_FILE).write_text("ab" * 32)

    with pytest.raises(StorageError, match="is not the secret that this database's keys"):
        open_secret(home.database, home.path)


def test_a_lost_secret_is_not_replaced(home: Home) -> None:
    open_secret(home.database, home.path)
    (home.path / SECRET_FILE).unlink()

    with pytest.raises(StorageError, match="restore it from a backup"):
        open_secret(home.database, home.path)
    assert not (home.path / SECRET_FILE).exists()


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "é" * 64])
def test_what_is_no_secret_is_told_so(home: Home, text: str) -> None:
    (home.path / SECRET_FILE).write_text(text)
    (home.path / SECRET_FILE).chmod(0o600)
    with pytest.raises(UsageError, match="is no secret"):
        open_secret(home.database, home.path)


def test_a_secret_that_all_can_read_is_refused(home: Home) -> None:
    open_secret(home.database, home.path)
    (home.path / SECRET_FILE).chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        open_secret(home.database, home.path)


def test_it_can_be_kept_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = home.path.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("EGIDE_SECRET_FILE", str(elsewhere / "secret"))
    there = open_secret(home.database, home.path)
    monkeypatch.delenv("EGIDE_SECRET_FILE")
    shutil.move(elsewhere / "secret", home.path / SECRET_FILE)

    assert open_secret(home.database, home.path).digest("x", b"") == there.digest("x", b"")


def test_processes_that_begin_together_agree(home: Home, together: Together) -> None:
    made = together(lambda _: open_secret(home.database, home.path).digest("x", b""))

    assert len(made) == AT_ONCE
    assert len(set(made)) == 1
