"""Every line that `egide doctor` can complain with is provoked here."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from egide.bank import Home
from egide.db.opening import DATABASE_FILE
from egide.desk.log_key import open_signer
from egide.identity import Identity
from egide.operations import look_at_database as database_looks
from egide.operations import look_at_machine as machine_looks
from egide.operations.doctor import Examined, examine
from egide.operations.lines import Level, Line
from egide.operations.look_at_database import (
    look_at_clocks,
    look_at_database,
    look_at_encryption,
)
from egide.operations.look_at_files import (
    look_at_disk,
    look_at_home,
    look_at_secrets,
    look_at_spool,
)
from egide.operations.look_at_index import look_at_index
from egide.operations.look_at_machine import (
    look_at_clock,
    look_at_policy,
    look_at_sandbox,
    look_at_settings,
    look_at_versions,
)
from egide.operations.look_at_service import (
    look_at_answers,
    look_at_belonging,
    look_at_keys,
    look_at_outbox,
    look_at_times,
)
from egide.outbox import Outbox
from tests.conftest import drafts, forked, index_files, pdq
from tests.unit.client.conftest import Said, Scripted

if TYPE_CHECKING:
    from tests.postgresql import Server

SOURCES = sorted((Path(database_looks.__file__).parent).glob("look_at_*.py"))
EGIDE = Path(sys.executable).with_name("egide")
DAY = 86_400
FILES = "egide.operations.look_at_files"
DATABASE = "egide.operations.look_at_database"
PROVOKED: set[str] = set()


def provokes(*codes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Notes which lines a test provokes; it asserts them itself, by `said`."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        PROVOKED.update(codes)
        return test

    return note


def said(lines: Iterable[Line], code: str) -> Line:
    """The line with this code, which must be there, and complete."""
    found = [line for line in lines if line.code == code]
    assert found, code
    assert found[0].level is not Level.OK
    assert found[0].mend
    assert "\n" not in found[0].says + found[0].mend
    return found[0]


def levels(lines: Iterable[Line]) -> set[Level]:
    return {line.level for line in lines}


def looked(home: Home, *, thorough: bool = False) -> list[Line]:
    return list(look_at_database(home.path, thorough=thorough))


def test_every_complaint_is_provoked_by_a_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    codes = set(re.findall(r'\b(?:warn|fail)\(\s*"([a-z.-]+)"', text))

    assert len(codes) > 50
    assert codes == PROVOKED


# ── the home ────────────────────────────────────────────────────────────────────────────────────


@provokes("home.missing")
def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    assert said(look_at_home(tmp_path / "none"), "home.missing").level is Level.FAIL
    assert not (tmp_path / "none").exists()


@provokes("home.open")
def test_a_home_that_others_can_enter(home: Home) -> None:
    home.path.chmod(0o755)
    assert "755" in said(look_at_home(home.path), "home.open").says


@provokes("home.read-only", "secrets.unreadable", "database.read-only")
def test_a_home_of_another_user(home: Home) -> None:
    with Identity(home.database, home.path):
        pass
    home.close()
    home.path.chmod(0o755)
    (home.path / DATABASE_FILE).chmod(0o644)
    for parent in home.path.parents[:4]:  # those that pytest made, one more for each process
        parent.chmod(parent.stat().st_mode | 0o055)

    def look() -> list[str]:
        lines = [
            *look_at_home(home.path),
            *look_at_secrets(home.path),
            *look_at_database(home.path, thorough=False),
        ]
        return [line.code for line in lines if line.level is Level.FAIL]

    if os.getuid() != 0:
        pytest.skip("needs another user")
    assert forked(look, rights=False) == [
        "home.read-only",
        "secrets.unreadable",
        "database.read-only",
    ]


@provokes("home.network")
def test_a_home_on_a_network(home: Home, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {home.path} nfs4 rw 0 0\n")

    assert "nfs4" in said(look_at_home(home.path, mounts), "home.network").says
    mounts.write_text("server:/x /elsewhere nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n")
    assert levels(look_at_home(home.path, mounts)) == {Level.OK}


@provokes("home.owner")
def test_files_that_another_user_left(home: Home) -> None:
    if os.getuid() != 0:
        pytest.skip("needs another user")
    os.chown(home.path / DATABASE_FILE, 65534, 65534)

    assert DATABASE_FILE in said(look_at_home(home.path), "home.owner").says


@provokes("secrets.open", "secrets.group")
def test_secrets_that_others_can_read(home: Home) -> None:
    with Identity(home.database, home.path):
        pass
    secret = home.path / "secret.key"
    assert levels(look_at_secrets(home.path)) == {Level.OK}

    secret.chmod(0o640)
    assert said(look_at_secrets(home.path), "secrets.group").level is Level.WARN
    secret.chmod(0o604)
    assert said(look_at_secrets(home.path), "secrets.open").level is Level.FAIL


@provokes("disk.full", "disk.low", "disk.files")
def test_a_disk_that_fills(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 1 << 40
    monkeypatch.setattr(f"{FILES}.shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(f"{FILES}.os.statvfs", lambda _: SimpleNamespace(f_files=9, f_favail=9))
    assert said(look_at_disk(home.path), "disk.files")
    free = 1 << 20
    assert said(look_at_disk(home.path), "disk.full").level is Level.FAIL
    free = 300 << 20
    with (home.path / "egide.sqlite-wal").open("ab") as log:
        log.truncate(200 << 20)
    assert said(look_at_disk(home.path), "disk.low").level is Level.WARN


@provokes("spool.left", "home.left")
def test_what_killed_processes_leave(home: Home) -> None:
    now = time.time()
    assert levels(look_at_spool(home.path, now)) == {Level.OK}
    spool = home.path / "spool"
    spool.mkdir()
    (spool / f"{os.getpid()}-00.upload").write_bytes(b"in use")
    assert levels(look_at_spool(home.path, now)) == {Level.OK}
    (spool / "4194999-00.upload").write_bytes(b"left")
    (home.path / ".egide-restore-x").mkdir()

    lines = list(look_at_spool(home.path, now + 2 * 3600))

    assert "1 uploads" in said(lines, "spool.left").says
    assert ".egide-restore-x" in said(lines, "home.left").says


# ── SQLite ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_a_healthy_database(home: Home, request: pytest.FixtureRequest) -> None:
    home.create("known").add_all(drafts(20))

    lines = looked(home, thorough=True)

    assert any(line.code == "database" for line in lines)
    complaints = {line.code for line in lines if line.level is not Level.OK}
    assert complaints <= {"database.durability"}  # the tests' own server trades it for speed


@provokes("database.none", "database.lost")
def test_a_database_that_is_not_there(home: Home) -> None:
    bank = home.create("known")
    bank.add_all(drafts(20))
    bank.store_index()
    home.close()
    (home.path / DATABASE_FILE).unlink()
    assert said(looked(home), "database.lost").level is Level.FAIL
    for path in index_files(home.path):
        path.unlink()
    assert said(looked(home), "database.none").level is Level.WARN
    assert not (home.path / DATABASE_FILE).exists()
    (home.path / "secret.key").write_text("0" * 64)
    assert "secret.key is there" in said(looked(home), "database.lost").says


@provokes("database.unreadable", "database.foreign")
def test_a_file_that_is_no_database_of_ours(home: Home) -> None:
    home.close()
    path = home.path / DATABASE_FILE
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (x)")
    assert said(looked(home), "database.foreign")
    path.write_bytes(b"no database at all" * 1000)
    assert said(looked(home), "database.unreadable")


@provokes("database.damaged")
def test_a_damaged_database(home: Home) -> None:
    home.create("known").add_all(drafts(3000))
    home.database.compact()
    home.close()
    path = home.path / DATABASE_FILE
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 9000] = b"\xff" * 9000
    path.write_bytes(raw)

    assert said(looked(home), "database.damaged").level is Level.FAIL


def test_rows_that_refer_to_none_are_found_when_it_is_read_in_full(home: Home) -> None:
    home.create("known").add([pdq(1)])
    home.close()
    with closing(sqlite3.connect(home.path / DATABASE_FILE)) as raw:
        raw.execute("UPDATE fingerprint SET entry = 999")
        raw.commit()

    assert levels(looked(home)) == {Level.OK}
    assert "refers to none" in said(looked(home, thorough=True), "database.damaged").says


@provokes("database.newer", "database.older", "database.log-mode")
def test_another_schema_or_mode(home: Home) -> None:
    home.close()
    with closing(sqlite3.connect(home.path / DATABASE_FILE)) as raw:
        raw.execute("PRAGMA user_version = 999")
        assert said(looked(home), "database.newer").level is Level.FAIL
        raw.execute("PRAGMA user_version = 3")
        assert said(looked(home), "database.older").level is Level.WARN
        raw.execute("PRAGMA journal_mode = DELETE")
    assert said(looked(home), "database.log-mode").level is Level.WARN
    # Looking did not bring it up to date.
    list(examine(Examined(home.path, "http://127.0.0.1:9")))
    with closing(sqlite3.connect(home.path / DATABASE_FILE)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone()[0] == 3


@provokes("database.log-size", "database.sqlite")
def test_a_log_that_grows_and_a_library_that_is_old(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.create("known")
    monkeypatch.setattr(database_looks, "LARGE_LOG", 10)
    monkeypatch.setattr(database_looks, "LEAST_SQLITE", (99, 0, 0))
    lines = looked(home)
    assert said(lines, "database.log-size").level is Level.WARN
    assert said(lines, "database.sqlite").level is Level.FAIL


@provokes("database.locked")
def test_a_database_that_is_locked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def hasty(address: str, _: float, **more: Any) -> Any:
        return real(address, 0.05, **more)

    with closing(real(home.path / DATABASE_FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(f"{DATABASE}.sqlite3.connect", hasty)
        assert said(looked(home), "database.locked").level is Level.FAIL
        other.execute("ROLLBACK")
    assert levels(looked(home)) == {Level.OK}


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def at(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[Line]]:
    """Looks at the database at an address."""
    (tmp_path / "home").mkdir()

    def look(url: str) -> list[Line]:
        monkeypatch.setenv("EGIDE_DATABASE_URL", url)
        return list(look_at_database(tmp_path / "home", thorough=False))

    return look


At = Callable[[str], list[Line]]


@provokes("database.unreachable", "database.address", "database.driver")
def test_a_database_that_cannot_be_asked(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    line = said(at("postgresql://me:hidden@127.0.0.1:9/x"), "database.unreachable")
    assert "hidden" not in line.says
    assert "hidden" not in said(at("mysql://me:hidden@h/x"), "database.address").says
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert said(at("postgresql://h/x"), "database.driver")


@provokes("database.upgrade", "database.encoding")
def test_a_database_without_our_tables(at: At, postgresql: Server) -> None:
    postgresql._execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    lines = at(postgresql.url("ascii"))
    postgresql.drop(postgresql.url("ascii"))

    assert "egide db upgrade" in said(lines, "database.upgrade").mend
    assert said(lines, "database.encoding")


@provokes(
    "database.rights",
    "database.index",
    "database.standby",
    "database.durability",
    "database.connections",
    "database.postgresql",
    "database.transaction",
)
def test_a_database_that_is_set_up_badly(
    at: At, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.database()
    with psycopg.connect(url, autocommit=True) as admin:
        name = admin.info.dbname
        assert said(at(url), "database.durability").level is Level.WARN
        admin.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entry_bank'::regclass"
        )
        assert "entry_bank" in said(at(url), "database.index").says
        admin.execute("CREATE ROLE weak LOGIN")
        admin.execute("GRANT SELECT ON alembic_version TO weak")
        assert said(at(url.replace("egide@", "weak@")), "database.rights").level is Level.FAIL
        admin.execute("DROP OWNED BY weak")
        admin.execute("DROP ROLE weak")
        monkeypatch.setenv("EGIDE_PROCESSES", "20")
        assert "320" in said(at(url), "database.connections").says
        monkeypatch.setattr(database_looks, "LEAST_POSTGRESQL", 990_000)
        assert said(at(url), "database.postgresql").level is Level.FAIL
        monkeypatch.setattr(database_looks, "LONG_TRANSACTION", 0)
        with admin.transaction():
            admin.execute("SELECT 1")
            assert said(at(url), "database.transaction").level is Level.WARN
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        assert said(at(url), "database.standby").level is Level.FAIL
    postgresql.drop(url)


def test_a_database_of_a_newer_version(at: At, postgresql: Server) -> None:
    url = postgresql.database()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("UPDATE alembic_version SET version_num = '0999'")
    assert said(at(url), "database.newer").level is Level.FAIL
    postgresql.drop(url)


@provokes("database.clear", "clocks.apart", "clocks.drift")
def test_a_database_on_another_machine() -> None:
    assert said(look_at_encryption("db.example", encrypted=False), "database.clear")
    assert list(look_at_encryption("db.example", encrypted=True)) == []
    assert list(look_at_encryption("/run/postgresql", encrypted=False)) == []
    assert levels(look_at_clocks(1000.0, 1001.0)) == {Level.OK}
    assert said(look_at_clocks(1000.0, 1005.0), "clocks.drift").level is Level.WARN
    assert said(look_at_clocks(1000.0, 900.0), "clocks.apart").level is Level.FAIL


# ── the index ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.both_databases
@provokes("index.damaged", "index.erased", "index.foreign", "index.stale")
def test_index_files_that_are_not_as_they_should_be(
    home: Home, short_tail: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = home.create("known")
    entries = [added.entry for added in bank.add_all(drafts(40))]
    bank.store_index()
    assert levels(look_at_index(home, thorough=True)) == {Level.OK}

    first, *_ = index_files(home.path)
    raw = bytearray(first.read_bytes())
    raw[-1] ^= 1
    first.write_bytes(raw)
    assert levels(look_at_index(home, thorough=False)) == {Level.OK}
    assert "is damaged" in said(look_at_index(home, thorough=True), "index.damaged").says
    first.write_bytes(raw[:-1])
    assert "is cut off" in said(look_at_index(home, thorough=False), "index.damaged").says
    first.unlink()
    assert "is missing" in said(look_at_index(home, thorough=False), "index.damaged").says

    (home.path / "index" / "0badc0de").mkdir()
    assert said(look_at_index(home, thorough=False), "index.foreign")
    with home.database.write() as connection:
        connection.execute(
            "INSERT INTO erased (seq, bank, type) VALUES (1, ?, 'pdq')", (bank.number,)
        )
    assert "1 withdrawn" in said(look_at_index(home, thorough=False), "index.erased").says
    monkeypatch.setitem(sys.modules["egide.operations.look_at_index"].__dict__["_TAILS"], "pdq", 1)
    with home.database.write() as connection:
        connection.executemany(
            "INSERT INTO fingerprint (entry, bank, type, edit, quality, mark, value)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (int(entries[0].rpartition("-")[2]), bank.number, "pdq", "none", 100, b"", b"")
                for _ in range(2)
            ],
        )
    assert said(look_at_index(home, thorough=False), "index.stale")


# ── the machine ─────────────────────────────────────────────────────────────────────────────────


@provokes("settings.unknown", "settings.value", "settings.file")
def test_variables_that_are_wrong(tmp_path: Path) -> None:
    environment = {
        "EGIDE_DATABSE_URL": "x",
        "EGIDE_PORT": "http",
        "EGIDE_POLICY": str(tmp_path / "none.yaml"),
        "EGIDE_GAZETTEER": "sample",
    }
    lines = list(look_at_settings(environment))

    assert said(lines, "settings.unknown").mend == "did you mean EGIDE_DATABASE_URL?"
    assert "'http'" in said(lines, "settings.value").says
    assert [line.says for line in lines if line.code == "settings.file"] == [
        "EGIDE_POLICY names a file that cannot be read"
    ]


@provokes("policy.invalid", "content.sources", "lexicon.invalid")
def test_what_is_named_and_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: 5")
    monkeypatch.setenv("EGIDE_CONTENT_SOURCES", "http://127.0.0.1/")
    own = tmp_path / "lexicons"
    own.mkdir()
    (own / "it.yaml").write_text("language: it")
    named = {"EGIDE_POLICY": str(policy), "EGIDE_LEXICON": str(own)}
    lines = list(look_at_policy(named))

    assert str(policy) in said(lines, "policy.invalid").says
    assert said(lines, "content.sources")
    assert "it.yaml" in said(lines, "lexicon.invalid").says


@provokes("versions.extra", "versions.library")
def test_libraries_that_are_missing_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        machine_looks,
        "requires",
        lambda _: [
            "pillow>=999",
            "not-there-at-all",
            'also-not-there>=1; extra == "semantic"',
            'onnxruntime>=1.0; extra == "embedding"',
        ],
    )
    lines = list(look_at_versions({"EGIDE_SEMANTIC": "1", "EGIDE_SSCD_MODEL": "x"}))

    library = [line.says for line in lines if line.code == "versions.library"]
    assert len(library) == 2
    assert "999 is the least" in library[0]
    assert "also-not-there" in said(lines, "versions.extra").says
    monkeypatch.undo()
    assert levels(look_at_versions({"EGIDE_SEMANTIC": "0"})) == {Level.OK}


@provokes("clocks.unset", "clocks.jump")
def test_clocks_that_do_not_go_evenly() -> None:
    times = iter([1_900_000_000.0, 1_900_000_005.0, *[1_900_000_005.0] * 5])
    steady = iter([10.0, 10.1])
    assert (
        "+4.90 s"
        in said(look_at_clock(lambda: next(times), lambda: next(steady)), "clocks.jump").says
    )
    assert said(look_at_clock(lambda: 5.0, lambda: 5.0), "clocks.unset").level is Level.FAIL


@provokes("sandbox.landlock", "sandbox.seccomp", "sandbox.failed", "sandbox.system")
def test_a_kernel_that_cannot_confine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    for script, code in {
        "echo seccomp": "sandbox.landlock",
        "echo landlock": "sandbox.seccomp",
        "echo refused >&2; exit 1": "sandbox.failed",
    }.items():
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        assert said(look_at_sandbox(str(python)), code)
    monkeypatch.setattr("egide.operations.look_at_machine.sys.platform", "darwin")
    assert said(look_at_sandbox(), "sandbox.system")


# ── what works with the database ────────────────────────────────────────────────────────────────


@provokes("secrets.lost", "secrets.wrong", "secrets.audit", "secrets.log")
def test_secrets_that_do_not_belong(home: Home) -> None:
    with Identity(home.database, home.path):
        pass
    open_signer(home.database, home.path)
    assert levels(look_at_belonging(home)) == {Level.OK}

    (home.path / "audit.key").write_bytes(b"short")
    (home.path / "log.key").unlink()
    secret = home.path / "secret.key"
    secret.write_text("00" * 32)
    lines = list(look_at_belonging(home))
    assert said(lines, "secrets.wrong").level is Level.FAIL
    assert said(lines, "secrets.audit")
    assert said(lines, "secrets.log")
    secret.unlink()
    assert said(look_at_belonging(home), "secrets.lost")
    assert not secret.exists()


@provokes("keys.ended", "keys.ending")
def test_keys_that_end(home: Home) -> None:
    with Identity(home.database, home.path) as identity:
        for name, days in (("short", 3.0), ("long", 100.0), ("always", None)):
            identity.keys.create(name, ["scan:write"], days=days)
    now = time.time()

    assert levels(look_at_keys(home, now - 15 * DAY)) == {Level.OK}
    assert "short" in said(look_at_keys(home, now), "keys.ending").says
    assert "short" in said(look_at_keys(home, now + 4 * DAY), "keys.ended").says


@pytest.mark.both_databases
@provokes("clocks.back")
def test_a_clock_that_was_moved_back(home: Home) -> None:
    with Identity(home.database, home.path) as identity:
        identity.keys.create("a", ["scan:write"])

    assert levels(look_at_times(home, time.time())) == {Level.OK}
    assert "60 minutes ahead" in said(look_at_times(home, time.time() - 3600), "clocks.back").says


@pytest.mark.both_databases
@provokes("outbox.dead", "outbox.unsent", "outbox.waiting", "outbox.disabled")
def test_messages_that_do_not_arrive(home: Home) -> None:
    with Identity(home.database, home.path) as identity:
        outbox = Outbox(home.database, identity.secret)
        webhook, _ = outbox.add("https://hooks.example/a", ["*"])
        other, _ = outbox.add("https://other.example/a", ["never.told"])
        with home.database.write() as connection:
            outbox.enqueue(connection, "verdict.block", {})
    now = time.time()
    assert levels(look_at_outbox(home, now)) == {Level.OK}
    assert said(look_at_outbox(home, now + 700), "outbox.unsent").level is Level.FAIL

    with home.database.write() as connection:
        connection.execute("UPDATE delivery SET attempts = 3")
    assert said(look_at_outbox(home, now + 7200), "outbox.waiting").level is Level.WARN
    with home.database.write() as connection:
        connection.execute("UPDATE delivery SET state = 'dead'")
    assert said(look_at_outbox(home, now), "outbox.dead")
    outbox.set_disabled(other.id, disabled=True)
    assert "other.example" in said(look_at_outbox(home, now), "outbox.disabled").says
    outbox.set_disabled(webhook.id, disabled=True)
    with home.database.write() as connection:
        connection.execute("UPDATE delivery SET state = 'waiting', attempts = 0")
    # What goes to a disabled webhook waits because somebody wanted it so.
    assert "outbox.unsent" not in [line.code for line in look_at_outbox(home, now + 9999)]


@provokes("service.unreachable", "service.silent", "service.foreign", "service.not-ready")
def test_services_that_are_not_there() -> None:
    nowhere = "http://127.0.0.1:9"
    assert said(look_at_answers(nowhere, asked_for=True), "service.unreachable").level is Level.FAIL
    assert said(look_at_answers(nowhere, asked_for=False), "service.silent").level is Level.WARN
    server = Scripted()
    try:
        server.says(Said(document=b"<html>"))
        assert said(look_at_answers(server.url, asked_for=True), "service.foreign")
        server.says(Said(503, {"status": "not ready", "checks": {"database": False, "a": True}}))
        line = said(look_at_answers(server.url, asked_for=True), "service.not-ready")
        assert line.says.endswith("database")
        server.says(Said(200, {"status": "ready", "checks": {"database": True}}))
        assert levels(look_at_answers(server.url, asked_for=True)) == {Level.OK}
    finally:
        server.close()


@provokes("service.address")
@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[::1", "http://a\0b"])
def test_an_address_that_is_none(url: str) -> None:
    line = said(look_at_answers(url, asked_for=False), "service.address")
    assert line.level is Level.FAIL
    assert "\n" not in line.says


@pytest.mark.parametrize("checks", [["x"], 5, {"database": 1, "a": []}])
def test_what_answers_something_else(checks: object) -> None:
    server = Scripted()
    try:
        server.says(Said(503, {"status": "not ready", "checks": checks}))
        assert levels(look_at_answers(server.url, asked_for=True)) == {Level.FAIL}
    finally:
        server.close()


# ── the command ─────────────────────────────────────────────────────────────────────────────────


def doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EGIDE, "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_the_command_tells_by_its_exit_code_how_it_stands(home: Home, scripted: Scripted) -> None:
    scripted.says(Said(200, {"status": "ready", "checks": {"database": True}}))
    home.create("known").add_all(drafts(20))
    place = ("--home", str(home.path))

    well = doctor(*place, "--url", scripted.url, "--format", "jsonl", "--thorough")
    quiet = doctor(*place, "--format", "table", EGIDE_PORT="9")

    assert well.returncode == 0, well.stdout
    lines = [json.loads(line) for line in well.stdout.splitlines()]
    assert {line["level"] for line in lines} == {"ok"}
    assert {"code", "level", "says", "mend"} == set(lines[0])
    assert quiet.returncode == 1
    assert "warn  service.silent" in quiet.stdout
    assert "→ name it with --url" in quiet.stdout
    assert well.stderr + quiet.stderr == ""


def test_a_look_that_fails_does_not_keep_others_from_being_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> Iterator[Line]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("egide.operations.doctor.look_at_disk", broken)

    lines = list(examine(Examined(home.path, "http://127.0.0.1:9")))

    assert "Permission denied" in said(lines, "disk.error").says
    assert {"database", "index", "sandbox"} <= {line.code for line in lines}


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = doctor("--home", str(tmp_path / "none"))

    assert done.returncode == 2
    assert not (tmp_path / "none").exists()
