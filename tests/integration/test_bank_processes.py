"""Several processes with one home, and homes that cannot be written to."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from egide.bank import Home
from egide.bank.segment import HEADER_BYTES
from egide.db.scripts import newest
from egide.db.sqlite import SqliteDatabase
from egide.errors import StorageError
from tests.conftest import (
    Asker,
    BruteForce,
    answers,
    drafts,
    forked,
    index_files,
    near,
    pdq,
    python,
    sha256,
    traces,
)

# ── what others do is seen at once ──────────────────────────────────────────────────────────────


@pytest.mark.both_databases
def test_additions_and_withdrawals_of_another_process_are_in_the_next_answer(
    home: Home, asker: Callable[[], Asker]
) -> None:
    banks = [home.create(name) for name in ("a", "b", "c")]
    ask = asker()
    for turn in range(5):
        assert ask(pdq(turn)) == {"a": [], "b": [], "c": []}
        entries = [bank.add([pdq(turn), sha256(turn)]).entry for bank in banks]
        assert ask(pdq(turn)) == {"a": entries[:1], "b": entries[1:2], "c": entries[2:]}
        for bank, entry in zip(banks, entries, strict=True):
            bank.withdraw([entry])
            assert entry not in ask(pdq(turn))[bank.name]
        assert ask(pdq(turn)) == {"a": [], "b": [], "c": []}


@pytest.mark.both_databases
def test_files_that_another_process_replaces_go_on_being_answered_from(
    home: Home, asker: Callable[[], Asker]
) -> None:
    bank = home.create("a")
    entries = [added.entry for added in bank.add_all(drafts(200))]
    bank.store_index()
    ask = asker()
    for n, draft in enumerate(drafts(200)[:20]):
        assert ask(draft.fingerprints[0]) == {"a": [entries[n]]}
        bank.withdraw([entries[n]])  # writes the files anew
        assert ask(draft.fingerprints[0]) == {"a": []}
        assert traces(home.path, draft.fingerprints[0]) == []
    bank.add([pdq(1)])
    bank.store_index()
    assert len(ask(pdq(1))["a"]) == 1


@pytest.mark.both_databases
def test_a_process_does_not_answer_from_a_bank_that_another_removed(
    home: Home, asker: Callable[[], Asker]
) -> None:
    home.create("a").add([pdq(1)])
    ask = asker()
    assert len(ask(pdq(1))["a"]) == 1
    home.remove("a")
    (said,) = ask(pdq(1))["a"]
    assert "was removed while it was being used" in said


def test_a_process_says_so_when_the_database_is_taken_away(
    home: Home, asker: Callable[[], Asker]
) -> None:
    home.create("a").add([pdq(1)])
    ask = asker()
    assert len(ask(pdq(1))["a"]) == 1
    home.close()
    for file in home.path.glob("egide.sqlite*"):
        file.unlink()
    (said,) = ask(pdq(1))["a"]
    assert "egide.sqlite was removed" in said


ADD = """
import sys
from egide.bank import Home
from tests.conftest import drafts, sha256
from egide.bank import Draft
import egide.bank.pdq_index
egide.bank.pdq_index.TAIL_LIMIT = 64
bank = Home(sys.argv[1]).bank("a")
ours, seed = drafts(150, int(sys.argv[2])), int(sys.argv[2])
for n in range(0, 150, 10):
    shared = [Draft((sha256(k),)) for k in range(n, n + 10)]
    for added in bank.add_all(ours[n : n + 10] + shared):
        print(added.entry, added.new, flush=True)
    bank.lookup(ours[n].fingerprints[0])
    bank.store_index()
"""


@pytest.mark.both_databases
def test_two_processes_add_while_a_third_looks_up(home: Home, asker: Callable[[], Asker]) -> None:
    bank = home.create("a")
    ask = asker()
    adders = [python(ADD, str(home.path), str(seed)) for seed in (1, 2)]
    while any(adder.poll() is None for adder in adders):
        answer = ask(drafts(1, 1)[0].fingerprints[0])["a"]
        assert len(answer) <= 1
    said = [adder.communicate()[0].decode().split() for adder in adders]
    assert [adder.returncode for adder in adders] == [0, 0]
    new = [words[n - 1] for words in said for n, word in enumerate(words) if word == "True"]
    assert len(new) == len(set(new)) == 150 + 150 + 150
    assert {entry.id for entry in bank.entries()} == set(new)
    brute_force = BruteForce(bank)
    for seed in (1, 2):
        for draft in drafts(150, seed)[::10]:
            found = answers(bank, draft.fingerprints[0], 63)
            assert len(found) == 1
            assert found == brute_force(draft.fingerprints[0], 63)


@pytest.mark.both_databases
def test_threads_share_one_bank(home: Home) -> None:
    bank = home.create("a")
    batch = drafts(40)
    bank.add_all(batch[:20])
    wrong: list[object] = []

    def look() -> None:
        wrong.extend(d for d in batch[:20] * 5 if len(bank.lookup(d.fingerprints[0])) != 1)

    def add() -> None:
        for draft in batch[20:]:
            bank.add(draft.fingerprints)
            if len(bank.lookup(draft.fingerprints[0])) != 1:
                wrong.append(draft)
        bank.store_index()

    threads = [threading.Thread(target=work) for work in (look, look, add)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_many_processes_may_make_one_home_at_once(tmp_path: Path) -> None:
    code = """
import sys, time
from egide.bank import Home
time.sleep(max(0, float(sys.argv[3]) - time.time()))
Home(sys.argv[1]).create("bank-" + sys.argv[2])
"""
    path = tmp_path / "home"
    start = str(time.time() + 1.0)
    children = [python(code, str(path), str(n), start) for n in range(6)]
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0] * 6
    home = Home(path)
    assert [bank.name for bank in home.banks()] == [f"bank-{n}" for n in range(6)]
    home.close()


@pytest.mark.both_databases
def test_a_child_of_a_fork_sees_what_its_parent_adds_later(home: Home) -> None:
    bank = home.create("a")
    bank.add([pdq(1)])
    assert len(bank.lookup(pdq(1))) == 1
    other = Home(home.path)

    def in_child() -> list[int]:
        seen = [len(bank.lookup(pdq(n))) for n in (1, 2)]
        other.bank("a").add([pdq(2)])
        return [*seen, len(bank.lookup(pdq(2)))]

    assert forked(in_child) == [1, 0, 1]
    assert len(bank.lookup(pdq(2))) == 1
    other.close()


def as_nobody(function: Callable[[], Any]) -> Any:
    return forked(function, rights=False)


# ── homes that cannot be written to ─────────────────────────────────────────────────────────────


@pytest.fixture
def readable() -> Iterator[Path]:
    """A home that a process without rights can read but not change, outside of pytest's folder."""
    folder = Path(tempfile.mkdtemp(prefix="egide-read-only-"))
    folder.chmod(0o755)
    home = Home(folder / "home")
    bank = home.create("a")
    bank.add_all(drafts(100))
    bank.store_index()
    bank.add([pdq(1)])
    home.close()
    yield folder / "home"
    home.close()
    lock(folder / "home", writable=True)
    shutil.rmtree(folder)


def lock(path: Path, *, writable: bool = False) -> None:
    """Takes the right to write away from everyone, or gives it back to the owner."""
    for file in [path, *path.rglob("*")]:
        if file.is_dir():
            file.chmod(0o755 if writable else 0o555)
        else:
            file.chmod(0o644 if writable else 0o444)


def ask(path: Path) -> Callable[[], list[int]]:
    def asked() -> list[int]:
        home = Home(path)
        bank = home.bank("a")
        found = [len(bank.lookup(near(query, 3))) for query in (pdq(1), pdq(2))]
        return [*found, *(len(bank.lookup(d.fingerprints[0])) for d in drafts(100)[::20])]

    return asked


def test_a_home_that_cannot_be_written_to_answers_all_the_same(readable: Path) -> None:
    lock(readable)
    before = sorted(readable.rglob("*"))
    assert as_nobody(ask(readable)) == [1, 0, 1, 1, 1, 1, 1]
    assert sorted(readable.rglob("*")) == before


def test_it_answers_from_the_database_when_its_index_is_damaged(readable: Path) -> None:
    (file,) = index_files(readable)
    with file.open("r+b") as handle:
        handle.seek(HEADER_BYTES)
        handle.write(bytes(500))
    lock(readable)
    assert as_nobody(ask(readable)) == [1, 0, 1, 1, 1, 1, 1]
    lock(readable, writable=True)
    shutil.rmtree(readable / "index")
    lock(readable)
    assert as_nobody(ask(readable)) == [1, 0, 1, 1, 1, 1, 1]


def test_it_sees_what_the_owner_does_meanwhile(readable: Path) -> None:
    if os.getuid() != 0:
        return  # there is no second user to be

    def watch() -> list[int]:
        home = Home(readable)
        bank = home.bank("a")
        seen = [len(bank.lookup(pdq(5)))]
        os.write(told, b"x")
        os.read(changed, 1)
        seen.append(len(bank.lookup(pdq(5))))
        return seen

    lock(readable)
    tell, told = os.pipe()
    changed, change = os.pipe()

    def owner() -> None:
        os.read(tell, 1)
        home = Home(readable)
        home.bank("a").add([pdq(5)])
        home.close()
        os.write(change, b"x")

    thread = threading.Thread(target=owner)
    thread.start()
    assert as_nobody(watch) == [0, 1]
    thread.join()
    for descriptor in (tell, told, changed, change):
        os.close(descriptor)


@pytest.mark.parametrize("work", ["add", "withdraw", "create", "store_index", "remove"])
def test_changing_it_says_in_one_line_that_it_cannot_be_changed(readable: Path, work: str) -> None:
    lock(readable)

    def change() -> None:
        home = Home(readable)
        bank = home.bank("a")
        changes: dict[str, Callable[[], object]] = {
            "add": lambda: bank.add([pdq(7)]),
            "withdraw": lambda: bank.withdraw([next(e.id for e in bank.entries())]),
            "create": lambda: home.create("b"),
            "store_index": bank.store_index,
            "remove": lambda: home.remove("a"),
        }
        changes[work]()

    said = as_nobody(change)
    assert said.startswith("StorageError: The bank's storage cannot be used: ")
    assert "\n" not in said


def test_a_home_that_cannot_be_made_or_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(StorageError, match="give another --home"):
            Home(path)
    folder = Path(tempfile.mkdtemp(prefix="egide-closed-"))
    Home(folder / "home").close()
    (folder / "home").chmod(0o000)
    assert as_nobody(lambda: len(Home(folder / "home").banks())).startswith("StorageError: ")
    (folder / "home").chmod(0o700)
    shutil.rmtree(folder)


# ── disks that are full ─────────────────────────────────────────────────────────────────────────

FILL = """
import json, resource, sys
from egide.bank import Home
from egide.errors import StorageError
from tests.conftest import drafts
bank = Home(sys.argv[1]).bank("a")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
for seed in range(1000):
    try:
        for added in bank.add_all(drafts(20, seed)):
            print(added.entry, flush=True)
        if seed % 5 == 4:
            bank.store_index()
    except StorageError as error:
        print(json.dumps(str(error)), flush=True)
        break
try:
    bank.add_all(drafts(2000, 5000))
except StorageError as error:
    print(json.dumps(str(error)), flush=True)
"""


def test_a_full_disk_is_one_clear_line_and_costs_nothing_that_was_acknowledged(home: Home) -> None:
    bank = home.create("a")
    child = python(FILL, str(home.path), stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err.decode()
    lines = out.decode().splitlines()
    complaints = [json.loads(line) for line in lines if line.startswith('"')]
    assert len(complaints) == 2
    for complaint in complaints:
        assert complaint.startswith("The bank's storage cannot be used: ")
        assert "\n" not in complaint
        assert "transaction" not in complaint
    acknowledged = {line for line in lines if not line.startswith('"')}
    assert len(acknowledged) > 100
    assert acknowledged <= {entry.id for entry in bank.entries()}
    assert bank.add([pdq(1)]).new
    bank.store_index()
    brute_force = BruteForce(bank)
    for draft in drafts(20, 3):
        assert answers(bank, draft.fingerprints[0]) == brute_force(draft.fingerprints[0])
    (row,) = SqliteDatabase(home.path / "egide.sqlite").connection.execute("PRAGMA integrity_check")
    assert row[0] == "ok"
    assert len(index_files(home.path)) == bank.stats()["index"]["files"]


def test_an_index_file_that_does_not_fit_leaves_nothing_behind(home: Home) -> None:
    bank = home.create("a")
    bank.add_all(drafts(2000))
    home.close()

    def store() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        bank.store_index()

    said = forked(store)
    assert said.startswith("StorageError: ")
    assert "File too large; the bank itself is whole" in said
    assert index_files(home.path) == []
    assert len(bank.lookup(drafts(1)[0].fingerprints[0])) == 1


@pytest.mark.both_databases
def test_an_index_that_cannot_be_written_does_not_stop_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = home.create("a")
    bank.add_all(drafts(50))
    monkeypatch.setattr("egide.bank.pdq_index.TAIL_LIMIT", 10)
    (home.path / "index").write_bytes(b"in the way")
    assert len(bank.lookup(drafts(1)[0].fingerprints[0])) == 1
    with pytest.raises(StorageError, match="make it writable"):
        bank.store_index()
    (home.path / "index").unlink()
    bank.store_index()
    assert len(index_files(home.path)) == 1


# ── databases that are none of ours ─────────────────────────────────────────────────────────────


def refusal(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(StorageError) as error:
        Home(path.parent).banks()
    assert path.read_bytes() == before
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("version", [0, 1, 77])
def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "egide.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    assert "no égide database" in refusal(path)
    assert [p.name for p in tmp_path.iterdir()] == ["egide.sqlite"]


def test_a_newer_schema_is_refused(home: Home) -> None:
    home.close()
    path = home.path / "egide.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert f"newer égide (schema 99, known {newest()}); upgrade" in refusal(path)


@pytest.mark.parametrize("lost", ["missing", "empty"])
def test_an_index_whose_database_is_lost_is_no_new_home(home: Home, lost: str) -> None:
    bank = home.create("a")
    bank.add([pdq(1)])
    bank.store_index()
    home.close()
    for file in home.path.glob("egide.sqlite*"):
        file.unlink()
    if lost == "empty":
        (home.path / "egide.sqlite").touch()
    with pytest.raises(StorageError, match="is missing or empty") as error:
        Home(home.path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 8192, b"{}"]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "egide.sqlite"
    path.write_bytes(content)
    assert refusal(path).startswith("The bank's storage cannot be used: ")


def test_a_database_damaged_inside_is_one_clear_line(home: Home) -> None:
    bank = home.create("a")
    bank.add_all(drafts(2000))
    home._database.scrub()
    home.close()
    path = home.path / "egide.sqlite"
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 4096):
        content[at : at + 200] = os.urandom(200)
    path.write_bytes(content)
    seen = 0
    for work in (
        lambda: Home(home.path).bank("a").lookup(pdq(1)),
        lambda: list(Home(home.path).bank("a").entries()),
        lambda: Home(home.path).bank("a").add([pdq(1)]),
        lambda: Home(home.path).bank("a").stats(),
    ):
        with pytest.raises(StorageError) as error:
            work()
        assert "\n" not in str(error.value)
        seen += str(path) in str(error.value)
    assert seen == 4


def test_a_command_says_it_in_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "egide.sqlite").write_bytes(b"x" * 5000)
    egide = Path(sys.executable).with_name("egide")
    done = subprocess.run(
        [egide, "bank", "list", "--home", tmp_path], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"file is not a database" in done.stderr
