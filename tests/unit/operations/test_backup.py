"""Backups by restoring them: scans, keys, people, banks, webhooks and case keys work as before."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from egide import Item, fingerprints_of
from egide.bank import Draft, Home
from egide.db.copying import copy_postgresql, copy_sqlite, fill_postgresql, is_in_use
from egide.db.opening import DATABASE_FILE
from egide.desk.case_keys import CaseKeys
from egide.desk.log_key import open_signer
from egide.errors import ArchiveError, EgideError, StorageError, UsageError
from egide.identity import Identity
from egide.operations.archive import Manifest, Member, write_archive
from egide.operations.backup import back_up
from egide.operations.belonging import belongs
from egide.operations.kept import kept_files
from egide.operations.restore import restore, verify
from egide.outbox import Outbox
from tests import pictures
from tests.conftest import answers, drafts, index_files, pdq

if TYPE_CHECKING:
    from tests.postgresql import Server

PASSPHRASE = b"correct horse battery"
KNOWN = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
EGIDE = Path(sys.executable).with_name("egide")

Elsewhere = Callable[[Home], Path]


@pytest.fixture
def elsewhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Elsewhere]:
    """Makes a new home; with PostgreSQL it is to use an empty database from then on."""
    urls: list[str] = []

    def make(home: Home) -> Path:
        if not (home.path / DATABASE_FILE).exists():
            server = request.getfixturevalue("postgresql")
            urls.append(server.database(empty=True))
            monkeypatch.setenv("EGIDE_DATABASE_URL", urls[-1])
        return tmp_path / "restored"

    yield make
    for url in urls:
        request.getfixturevalue("postgresql").drop(url)


@pytest.fixture
def filled(home: Home) -> tuple[Home, str, str]:
    """A home with everything that can be in one; an API key and a webhook's id."""
    bank = home.create("known")
    bank.add(fingerprints_of(Item.from_bytes(KNOWN)), label="x", ref="case 17")
    bank.add_all(drafts(300))
    gone = bank.add([pdq(7)])
    bank.withdraw([gone.entry])
    home.create("library", "library")
    with Identity(home.database, home.path) as identity:
        key = identity.keys.create("uploads", ["scan:write"])
        outbox = Outbox(home.database, identity.secret)
        webhook, _ = outbox.add("https://hooks.example/secret-path", ["*"])
    (home.path / "log.key").write_text("signs\n")
    (home.path / "log.key").chmod(0o600)
    (home.path / "later").mkdir()
    (home.path / "later" / "kept.bin").write_bytes(b"\x00\xff" * 500)
    for name in ("spool/upload", "cache/lexicon.json"):
        path = home.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left out")
    return home, key, webhook.id


def rows(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """All that the database holds, but index files and what they are of."""
    if home.database.__class__.__name__ == "SqliteDatabase":
        named = home.database.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        internal = ("sqlite_", "segment")
    else:
        named = home.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        internal = ("alembic", "segment")
    tables = sorted(str(row[0]) for row in named if not str(row[0]).startswith(internal))
    return {
        table: sorted(map(tuple, home.database.fetch(f"SELECT * FROM {table}")), key=repr)
        for table in tables
    }


@pytest.mark.both_databases
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_is_restored_works_as_before(
    filled: tuple[Home, str, str], elsewhere: Elsewhere, tmp_path: Path, passphrase: bytes | None
) -> None:
    home, key, webhook = filled
    before = rows(home)
    copy = fingerprints_of(Item.from_bytes(pictures.encode(pictures.smooth_noise(seed=1), "JPEG")))
    matches = [each.entry for each in home.bank("known").search(copy, 31)]
    made = back_up(home.path, tmp_path / "one.egide", passphrase)

    place = elsewhere(home)
    done = restore(tmp_path / "one.egide", place, passphrase)

    restored = Home(place)
    after = rows(restored)
    assert done.banks == 2
    assert after == before
    assert matches
    assert [each.entry for each in restored.bank("known").search(copy, 31)] == matches
    with Identity(restored.database, restored.path) as identity:
        assert identity.keys.authenticate(f"Bearer {key}").name == "uploads"
        told = Outbox(restored.database, identity.secret)
        assert [each.id for each in told.webhooks()] == [webhook]
        with restored.database.write() as connection:
            told.enqueue(connection, "verdict.block", {"id": "x"})
        (claimed,) = told.deliveries.claim(webhook, 1)
        sent = told.to_send(claimed.message, webhook)
        assert sent is not None
        assert sent.address.target == "/secret-path"
    assert {each.name for each in kept_files(place)} == {"secret.key", "log.key", "later/kept.bin"}
    assert (place / "later" / "kept.bin").read_bytes() == b"\x00\xff" * 500
    assert not (place / "cache").exists()
    assert index_files(place)
    for path in place.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    names = {each.name for each in made.manifest.members}
    assert {"home/secret.key", "home/log.key", "home/later/kept.bin"} <= names
    restored.close()


@pytest.mark.both_databases
def test_numbers_are_never_given_twice(
    filled: tuple[Home, str, str], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    home, _, _ = filled
    last = home.bank("known").add([pdq(99)]).entry
    home.bank("known").withdraw([last])
    back_up(home.path, tmp_path / "one.egide")
    following = home.bank("known").add([pdq(100)]).entry

    place = elsewhere(home)
    restore(tmp_path / "one.egide", place)

    restored = Home(place)
    assert restored.bank("known").add([pdq(100)]).entry == following
    assert answers(restored.bank("known"), pdq(99)) == []
    restored.close()


@pytest.mark.both_databases
def test_what_is_there_is_replaced_by_force_alone(
    filled: tuple[Home, str, str], tmp_path: Path
) -> None:
    home, _, _ = filled
    before = rows(home)
    back_up(home.path, tmp_path / "one.egide")
    home.bank("known").add([pdq(1000)])
    home.close()

    with pytest.raises(UsageError, match="--force"):
        restore(tmp_path / "one.egide", home.path)
    assert answers(home.bank("known"), pdq(1000))
    home.close()
    restore(tmp_path / "one.egide", home.path, force=True)

    again = Home(home.path)
    assert rows(again) == before
    assert answers(again.bank("known"), pdq(1000)) == []
    again.close()


def test_rows_of_postgresql_are_replaced_by_force_alone(
    database_url: str, home: Home, tmp_path: Path
) -> None:
    home.create("known").add([pdq(1)])
    back_up(home.path, tmp_path / "one.egide")
    home.bank("known").add([pdq(2)])

    with pytest.raises(UsageError, match="has rows already"):
        restore(tmp_path / "one.egide", tmp_path / "restored")
    assert answers(home.bank("known"), pdq(2))
    restore(tmp_path / "one.egide", tmp_path / "restored", force=True)

    # The other machine, which goes on, sees the other past by itself.
    assert answers(home.bank("known"), pdq(1))
    assert answers(home.bank("known"), pdq(2)) == []


def test_a_database_that_is_open_is_never_replaced(
    filled: tuple[Home, str, str], tmp_path: Path
) -> None:
    home, _, _ = filled
    back_up(home.path, tmp_path / "one.egide")
    code = (
        "import sys; from egide.bank import Home; home = Home(sys.argv[1]); home.banks();"
        " print('open', flush=True); sys.stdin.read()"
    )
    home.close()
    with subprocess.Popen(
        [sys.executable, "-c", code, home.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(UsageError, match="open in another process"):
            restore(tmp_path / "one.egide", home.path, force=True)
        other.communicate(b"", 30)

    assert not is_in_use(home.path / DATABASE_FILE)
    restore(tmp_path / "one.egide", home.path, force=True)


def test_a_damaged_home_is_restored_by_force(filled: tuple[Home, str, str], tmp_path: Path) -> None:
    home, key, _ = filled
    back_up(home.path, tmp_path / "one.egide")
    home.close()
    (home.path / DATABASE_FILE).write_bytes(b"no database at all" * 1000)
    (home.path / "secret.key").unlink()

    restore(tmp_path / "one.egide", home.path, force=True)

    again = Home(home.path)
    with Identity(again.database, again.path) as identity:
        assert identity.keys.authenticate(f"Bearer {key}")
    again.close()


@pytest.mark.both_databases
def test_a_restore_that_fails_changes_nothing(
    filled: tuple[Home, str, str], tmp_path: Path
) -> None:
    home, _, _ = filled
    back_up(home.path, tmp_path / "one.egide")
    raw = (tmp_path / "one.egide").read_bytes()
    (tmp_path / "cut.egide").write_bytes(raw[: len(raw) - 2000])
    before = rows(home)
    files = {each.name: each.path.read_bytes() for each in kept_files(home.path)}
    home.close()

    with pytest.raises(ArchiveError):
        restore(tmp_path / "cut.egide", home.path, force=True)

    again = Home(home.path)
    assert rows(again) == before
    assert {each.name: each.path.read_bytes() for each in kept_files(home.path)} == files
    assert [each for each in home.path.iterdir() if each.name.startswith(".")] == []
    again.close()


@pytest.mark.both_databases
def test_a_backup_is_of_one_moment_while_others_write(home: Home, tmp_path: Path) -> None:
    """Every write adds an entry to each of two banks: a backup has as many in both."""
    banks = [home.create("one"), home.create("two")]
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with home.database.write() as connection:
                for bank in banks:
                    connection.execute(
                        "INSERT INTO entry (bank, added, changed) VALUES (?, 1, 1)", (bank.number,)
                    )
        home.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        time.sleep(0.2)
        made = [back_up(home.path, tmp_path / f"{n}.egide").manifest for n in range(4)]
    finally:
        stop.set()
        thread.join()

    counts = []
    for number, manifest in enumerate(made):
        assert verify(tmp_path / f"{number}.egide") == manifest
        counts.append(_entries(tmp_path / f"{number}.egide", tmp_path / f"out-{number}"))
    assert [one - two for one, two in counts] == [0] * 4
    assert counts[-1][0] > counts[0][0]


def _entries(path: Path, folder: Path) -> tuple[int, int]:
    """How many entries the first two banks have in a backup."""
    folder.mkdir()
    shutil.unpack_archive(path, folder, "tar", filter="data")
    if (folder / "database" / DATABASE_FILE).exists():
        connection = sqlite3.connect(folder / "database" / DATABASE_FILE)
        found = connection.execute("SELECT bank, count(*) FROM entry GROUP BY bank").fetchall()
        connection.close()
        counts = dict(found)
    else:
        text = (folder / "database" / "entry.copy").read_text()
        listed = [line.split("\t")[1] for line in text.splitlines()]
        counts = {number: listed.count(str(number)) for number in (1, 2)}
    return counts[1], counts[2]


@pytest.mark.parametrize(
    ("database", "names"),
    [
        ({"kind": "sqlite", "schema": 6}, ["database/egide.sqlite", "home/egide.sqlite-wal"]),
        ({"kind": "sqlite", "schema": 6}, ["database/egide.sqlite", "home/index/x.pdq"]),
        ({"kind": "sqlite", "schema": 6}, ["database/egide.sqlite", "home/spool/x"]),
        ({"kind": "sqlite", "schema": 6}, ["home/secret.key"]),
        ({"kind": "sqlite", "schema": 6}, ["database/egide.sqlite", "database/more"]),
        ({"kind": "sqlite", "schema": 999}, ["database/egide.sqlite"]),
        ({"kind": "sqlite", "schema": 5}, ["database/egide.sqlite"]),
        ({"kind": "oracle", "schema": 6}, ["database/egide.sqlite"]),
        ({"kind": "postgresql", "schema": 6}, ["database/entry.copy"]),
        (
            {"kind": "postgresql", "schema": 6, "tables": [{"name": 5}], "sequences": {}},
            ["database/entry.copy"],
        ),
    ],
)
def test_an_archive_of_other_files_is_refused(
    home: Home, tmp_path: Path, database: dict[str, object], names: list[str]
) -> None:
    copied = tmp_path / "copied"
    copy_sqlite(home.path / DATABASE_FILE, copied)
    members = tuple(Member.of(name, copied) for name in names)
    manifest = Manifest("2026-01-01T00:00:00Z", "1", database, members)
    write_archive(tmp_path / "hostile", manifest, lambda _: copied, None)

    with pytest.raises(ArchiveError) as raised:
        restore(tmp_path / "hostile", tmp_path / "restored")
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "restored").glob("*"))


def test_an_archive_of_what_is_no_database_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(1).randbytes(8192))
    member = Member.of("database/egide.sqlite", noise)
    manifest = Manifest("2026-01-01T00:00:00Z", "1", {"kind": "sqlite", "schema": 6}, (member,))
    write_archive(tmp_path / "hostile", manifest, lambda _: noise, None)

    with pytest.raises(ArchiveError, match="its database is damaged"):
        restore(tmp_path / "hostile", tmp_path / "restored")
    assert not list((tmp_path / "restored").glob("*"))


def hostile_tables() -> list[Callable[[dict[str, Any]], None]]:
    def first(**changes: Any) -> Callable[[dict[str, Any]], None]:
        return lambda taken: taken["tables"][0].update(changes)

    return [
        first(name='bank"; DROP TABLE entry; --'),
        first(name="pg_authid"),
        first(columns=["id", "key", "name"]),
        first(columns=['id"', "key"]),
        lambda taken: taken["tables"].pop(),
        lambda taken: taken["sequences"].update({"entry.seq": "nextval('x')"}),
        lambda taken: taken["sequences"].clear(),
    ]


@pytest.mark.parametrize("change", hostile_tables())
def test_tables_that_are_not_ours_are_refused(
    postgresql: Server, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    source, target = postgresql.database(), postgresql.database()
    taken = copy_postgresql(source, tmp_path)
    change(taken)

    with pytest.raises(UsageError, match="not égide's"):
        fill_postgresql(target, taken, tmp_path, force=True)

    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM moment").fetchone() == (1,)
    postgresql.drop(source)
    postgresql.drop(target)


def test_what_was_interrupted_is_finished_by_force(
    filled: tuple[Home, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, key, _ = filled
    before = rows(home)
    back_up(home.path, tmp_path / "one.egide")

    def interrupted(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("egide.operations.restore._replace_files", interrupted)
        with pytest.raises(StorageError, match="restore again with --force"):
            restore(tmp_path / "one.egide", tmp_path / "restored")
    with pytest.raises(UsageError, match="--force"):
        restore(tmp_path / "one.egide", tmp_path / "restored")
    restore(tmp_path / "one.egide", tmp_path / "restored", force=True)

    restored = Home(tmp_path / "restored")
    assert rows(restored) == before
    with Identity(restored.database, restored.path) as identity:
        assert identity.keys.authenticate(f"Bearer {key}")
    restored.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_what_root_restores_is_the_owners(home: Home, tmp_path: Path) -> None:
    home.create("known").add_all(drafts(20))
    back_up(home.path, tmp_path / "one.egide")
    place = tmp_path / "restored"
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)

    restore(tmp_path / "one.egide", place)

    assert {path.stat().st_uid for path in place.rglob("*")} == {65534}


def test_cases_and_the_log_are_restored(home: Home, tmp_path: Path) -> None:
    with Identity(home.database, home.path) as identity:
        keys = CaseKeys(identity.secret)
        with home.database.write() as connection:
            keys.make(connection, "EG-7K3M-2QXV")
            sealed = keys.seal(connection, "EG-7K3M-2QXV", b"where to write to")
    signer = open_signer(home.database, home.path)
    back_up(home.path, tmp_path / "one.egide", PASSPHRASE)

    restore(tmp_path / "one.egide", tmp_path / "restored", PASSPHRASE)

    restored = Home(tmp_path / "restored")
    with Identity(restored.database, restored.path) as identity, restored.database.read() as held:
        opened = CaseKeys(identity.secret).open(held, "EG-7K3M-2QXV", sealed)
    assert opened == b"where to write to"
    assert open_signer(restored.database, restored.path).verifier == signer.verifier
    restored.close()


def test_files_may_grow_and_the_backup_may_lie_in_the_home(home: Home, tmp_path: Path) -> None:
    home.create("known")
    (home.path / "secret.key").write_text("00" * 32)
    (home.path / "earlier.egide").touch()
    growing = home.path / "reveals.jsonl"
    growing.touch()
    stop = threading.Event()

    def grow() -> None:
        with growing.open("a") as file:
            while not stop.is_set():
                file.write("{}\n" * 100)
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        made = back_up(home.path, home.path / "one.egide")
    finally:
        stop.set()
        thread.join()

    assert verify(home.path / "one.egide") == made.manifest
    assert "home/reveals.jsonl" in {each.name for each in made.manifest.members}
    assert not [each for each in made.manifest.members if each.name.endswith(".egide")]


def test_a_secret_elsewhere_goes_where_it_belongs(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_SECRET_FILE", str(tmp_path / "mounted"))
    with Identity(home.database, home.path) as identity:
        key = identity.keys.create("uploads", ["scan:write"])
    back_up(home.path, tmp_path / "one.egide")

    monkeypatch.setenv("EGIDE_SECRET_FILE", str(tmp_path / "other" / "mounted"))
    restore(tmp_path / "one.egide", tmp_path / "restored")

    assert not (tmp_path / "restored" / "secret.key").exists()
    restored = Home(tmp_path / "restored")
    with Identity(restored.database, restored.path) as identity:
        assert identity.keys.authenticate(f"Bearer {key}")
    restored.close()


@pytest.mark.both_databases
def test_no_backup_is_made_without_the_secret_of_its_database(
    filled: tuple[Home, str, str], tmp_path: Path
) -> None:
    home, _, _ = filled
    secret = home.path / "secret.key"
    right = secret.read_bytes()
    for wrong, said in ((b"a" * 64, "is not the secret"), (None, "is not there")):
        secret.unlink()
        if wrong is not None:
            secret.write_bytes(wrong)
            secret.chmod(0o600)
        with pytest.raises(StorageError, match=said):
            back_up(home.path, tmp_path / "one.egide")
        assert not (tmp_path / "one.egide").exists()
        secret.write_bytes(right)
    secret.unlink()
    secret.mkdir()
    with pytest.raises(EgideError, match=r"secret\.key is a folder"):
        back_up(home.path, tmp_path / "one.egide")


@pytest.mark.both_databases
def test_a_backup_with_another_secret_replaces_nothing(
    filled: tuple[Home, str, str],
    elsewhere: Elsewhere,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, _, _ = filled
    secret = home.path / "secret.key"
    right = secret.read_bytes()
    secret.write_bytes(b"a" * 64)
    monkeypatch.setattr("egide.operations.backup.belongs", lambda *_: True)  # as one once was
    back_up(home.path, tmp_path / "other.egide")
    secret.unlink()
    back_up(home.path, tmp_path / "without.egide")
    secret.write_bytes(right)
    secret.chmod(0o600)
    back_up(home.path, tmp_path / "good.egide")
    place = elsewhere(home)
    restore(tmp_path / "good.egide", place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    restored = Home(place)
    entries = rows(restored)
    restored.close()

    with pytest.raises(ArchiveError, match="has not the secret"):
        restore(tmp_path / "other.egide", place, force=True)

    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    restored = Home(place)
    assert rows(restored) == entries
    restored.close()
    restore(tmp_path / "without.egide", place, force=True)  # with the secret that is there
    (place / "secret.key").unlink()
    with pytest.raises(ArchiveError, match="has not the secret"):
        restore(tmp_path / "without.egide", place, force=True)


def test_a_copy_that_cannot_be_read_is_not_taken_for_one_without_a_secret(tmp_path: Path) -> None:
    copied = tmp_path / "secret_check.copy"
    copied.write_bytes(b"")
    assert belongs(tmp_path, tmp_path / "secret.key")
    copied.write_bytes(b"1\tsomething else\n")
    with pytest.raises(StorageError, match="secret_check"):
        belongs(tmp_path, tmp_path / "secret.key")


def test_a_database_without_tables_is_not_backed_up(
    tmp_path: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.database(empty=True)
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    try:
        with pytest.raises(StorageError, match="no tables"):
            back_up(tmp_path, tmp_path / "one.egide")
    finally:
        postgresql.drop(url)


@pytest.mark.both_databases
def test_a_secret_elsewhere_that_is_in_use_is_not_replaced(
    filled: tuple[Home, str, str], elsewhere: Elsewhere, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    home, _, _ = filled
    back_up(home.path, tmp_path / "one.egide")
    place, mounted = elsewhere(home), tmp_path / "mounted"
    mounted.write_bytes(b"what another installation lives by")
    monkeypatch.setenv("EGIDE_SECRET_FILE", str(mounted))

    with pytest.raises(UsageError, match=r"mounted is there already; give another EGIDE_SECRET_F"):
        restore(tmp_path / "one.egide", place)

    assert mounted.read_bytes() == b"what another installation lives by"
    assert not place.exists()


def test_kinds_of_databases_are_not_mixed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(home.path, tmp_path / "one.egide")
    monkeypatch.setenv("EGIDE_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")

    with pytest.raises(UsageError, match="unset EGIDE_DATABASE_URL"):
        restore(tmp_path / "one.egide", tmp_path / "restored")


def test_an_older_schema_is_brought_up_to_date(
    postgresql: Server, request: pytest.FixtureRequest, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from egide.db.scripts import newest
    from egide.db.upgrade import upgrade

    source, target = postgresql.database(empty=True), postgresql.database(empty=True)
    assert upgrade(source, 4) == (0, 4)
    monkeypatch.setenv("EGIDE_DATABASE_URL", source)
    (tmp_path / "home").mkdir()
    assert back_up(tmp_path / "home", tmp_path / "old").manifest.database["schema"] == 4

    monkeypatch.setenv("EGIDE_DATABASE_URL", target)
    restore(tmp_path / "old", tmp_path / "restored")
    assert upgrade(target) == (newest(), newest())

    monkeypatch.setenv("EGIDE_DATABASE_URL", source)
    upgrade(source)
    with pytest.raises(UsageError, match=f"schema {newest()}, the backup 4"):
        restore(tmp_path / "old", tmp_path / "restored", force=True)
    postgresql.drop(source)
    postgresql.drop(target)


def test_a_home_without_a_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match="is not there"):
        back_up(tmp_path / "empty", tmp_path / "one")
    with pytest.raises(UsageError, match="no folder"):
        back_up(tmp_path / "none", tmp_path / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_a_damaged_database_is_not_backed_up(home: Home, tmp_path: Path) -> None:
    home.create("known").add_all(drafts(2000))
    home.database.compact()
    home.close()
    path = home.path / DATABASE_FILE
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 3000] = b"\xff" * 3000
    path.write_bytes(raw)

    with pytest.raises(EgideError, match=r"repair\.md") as raised:
        back_up(home.path, tmp_path / "one")
    assert str(path) in str(raised.value)
    assert not (tmp_path / "one").exists()


def test_there_must_be_space(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(home.path, tmp_path / "one")
    monkeypatch.setattr("egide.operations.restore.SPARE", 1 << 60)

    with pytest.raises(UsageError, match="MiB free"):
        restore(tmp_path / "one", tmp_path / "restored")


def test_a_short_passphrase_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="12 bytes"):
        back_up(home.path, tmp_path / "one", b"short")


def test_entries_that_are_added_find_themselves_after_restoring(home: Home, tmp_path: Path) -> None:
    home.create("known").add_all([Draft((pdq(n),)) for n in range(20)])
    back_up(home.path, tmp_path / "one")
    restore(tmp_path / "one", tmp_path / "restored")

    restored = Home(tmp_path / "restored")
    assert all(answers(restored.bank("known"), pdq(n), 0) for n in range(20))
    restored.close()


def test_the_commands_say_what_they_did(home: Home, tmp_path: Path) -> None:
    home.create("known")
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    flags = ["--passphrase-file", str(words)]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [EGIDE, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
        )

    made = run("backup", "one.egide", "--home", str(home.path), *flags)
    again = run("backup", "one.egide", "--home", str(home.path), *flags)
    checked = run("restore", "one.egide", "--check", *flags)
    restored = run("restore", "one.egide", "--home", "new", *flags)
    wrong = run("restore", "words", "--home", "other")

    assert (made.returncode, checked.returncode, restored.returncode) == (0, 0, 0)
    assert '"sealed": true' in made.stdout
    assert made.stderr == ""
    assert '"banks": 1' in restored.stdout
    assert (again.returncode, wrong.returncode) == (2, 2)
    assert "give another name" in again.stderr
    assert "no backup of égide" in wrong.stderr
    assert not (tmp_path / "other").exists()
    for done in (again, wrong):
        assert done.stderr.count("\n") == 1
