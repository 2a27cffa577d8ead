"""Several machines with one PostgreSQL: each has its own index files, all answer the same."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from egide.bank import Bank, Draft, Home
from egide.errors import BankNotFound, StorageError
from egide.fingerprint import Fingerprint
from tests.conftest import BruteForce, answers, drafts, index_files, local, pdq, python, traces
from tests.postgresql import Server

Machines = Callable[[], Home]


@pytest.fixture
def machine(database_url: str, tmp_path: Path) -> Iterator[Machines]:
    """Opens the database's home on one more machine: in a folder of its own."""
    opened: list[Home] = []

    def one_more() -> Home:
        opened.append(Home(tmp_path / f"machine-{len(opened)}"))
        return opened[-1]

    yield one_more
    for home in opened:
        home.close()


def test_what_one_machine_adds_and_withdraws_the_others_answer_at_once(machine: Machines) -> None:
    here, there = machine(), machine()
    bank, other = here.create("a"), there.bank("a")
    assert other.lookup(pdq(1)) == []
    entry = bank.add([pdq(1)]).entry
    assert answers(other, pdq(1)) == [(0, entry)]
    other.withdraw([entry])
    assert bank.lookup(pdq(1)) == []
    assert [found.state for found in bank.entries()] == ["withdrawn"]


def test_each_machine_has_its_own_files_over_the_same_fingerprints(machine: Machines) -> None:
    here, there = machine(), machine()
    bank, other = here.create("a"), there.bank("a")
    batch = drafts(300)
    bank.add_all(batch)
    bank.store_index()
    assert (len(index_files(here.path)), len(index_files(there.path))) == (1, 0)
    other.store_index()
    assert len(index_files(there.path)) == 1
    assert bank.stats()["index"]["fingerprints"] == other.stats()["index"]["fingerprints"] == 300
    brute_force = BruteForce(bank)
    for draft in batch[::50]:
        query = draft.fingerprints[0]
        assert answers(bank, query, 63) == answers(other, query, 63) == brute_force(query, 63)


def test_what_one_machine_withdraws_leaves_the_files_of_the_others(machine: Machines) -> None:
    here, there = machine(), machine()
    bank, other = here.create("a"), there.bank("a")
    entries = [bank.add([pdq(n), local(n % 6)], ref=str(n)).entry for n in range(8)]
    for one in (bank, other):
        one.store_index()
    assert traces(there.path, pdq(3)) != []
    bank.withdraw([entries[3]])
    assert traces(here.path, pdq(3)) == []
    other.refresh()  # as a service does every second
    assert traces(there.path, pdq(3)) == []
    assert len(other.lookup(pdq(4))) == 1
    before = index_files(there.path)
    other.refresh()
    assert index_files(there.path) == before  # and nothing is rewritten again


def test_a_machine_that_was_away_catches_up(machine: Machines) -> None:
    here, there = machine(), machine()
    bank = here.create("a")
    first = bank.add_all(drafts(40))
    there.bank("a").store_index()
    there.close()
    bank.withdraw([added.entry for added in first[:10]])
    bank.add_all(drafts(40, 1))
    other = Home(there.path).bank("a")
    for number, draft in enumerate(drafts(40)):
        assert len(other.lookup(draft.fingerprints[0])) == (number >= 10)
    assert all(len(other.lookup(draft.fingerprints[0])) == 1 for draft in drafts(40, 1))
    assert [d for d in drafts(10) if traces(there.path, d.fingerprints[0])] == []


def test_a_bank_that_one_machine_removed_is_gone_everywhere(machine: Machines) -> None:
    here, there = machine(), machine()
    bank = here.create("a")
    bank.add_all(drafts(20))
    other = there.bank("a")
    other.store_index()
    here.remove("a")
    with pytest.raises(BankNotFound, match="was removed"):
        other.lookup(pdq(1))
    assert len(index_files(there.path)) == 1
    there.close()
    Home(there.path).close()  # who opens a home removes what belongs to no bank
    assert index_files(there.path) == []


# ── another database in the place of this one ───────────────────────────────────────────────────


def test_files_of_a_time_that_a_backup_does_not_know_are_not_believed(
    machine: Machines, postgresql: Server, database_url: str
) -> None:
    home = machine()
    bank = home.create("a")
    bank.add_all(drafts(30))
    home.close()
    backup = postgresql.copy(database_url)
    bank.add_all(drafts(30, 1))
    bank.store_index()
    bank.lookup(pdq(1))
    home.close()
    postgresql.rename(backup, database_url)
    # Other pictures get the numbers that the lost ones had, and as many changes are made.
    restored = Home(home.path.with_name("elsewhere")).bank("a")
    restored.add_all(drafts(30, 2))
    restored.add_all(drafts(3, 3))
    for seen in (bank, Home(home.path).bank("a")):  # a process that went on, and one begun anew
        found = [len(seen.lookup(d.fingerprints[0])) for seed in (0, 2, 3) for d in drafts(3, seed)]
        assert found == [1] * 9
        assert [d for d in drafts(30, 1) if seen.lookup(d.fingerprints[0])] == []
    restored._database.close()


def test_a_home_used_with_another_database_answers_from_that(
    machine: Machines, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = machine()
    home.create("a").add_all(drafts(30))
    home.bank("a").store_index()
    home.close()
    url = postgresql.database()
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    other = Home(home.path)
    bank = other.create("a")
    bank.add_all(drafts(30, 1))
    assert bank.lookup(drafts(1)[0].fingerprints[0]) == []
    assert len(bank.lookup(drafts(1, 1)[0].fingerprints[0])) == 1
    other.close()
    postgresql.drop(url)


def test_a_home_of_postgresql_is_no_new_embedded_one(
    machine: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = machine()
    monkeypatch.delenv("EGIDE_DATABASE_URL")
    with pytest.raises(StorageError, match="set EGIDE_DATABASE_URL"):
        Home(home.path)


# ── numbers come in their order ─────────────────────────────────────────────────────────────────

ADD = """
import sys
from egide.bank import Draft, Home
from tests.conftest import drafts, sha256
import egide.bank.pdq_index
egide.bank.pdq_index.TAIL_LIMIT = 64
bank = Home(sys.argv[1]).bank("a")
for n, draft in enumerate(drafts(200, int(sys.argv[2]))):
    shared = Draft((sha256(n),))
    for added in bank.add_all([draft, shared]):
        print(added.entry, added.new, flush=True)
"""


def test_machines_that_add_at_once_miss_nothing_of_each_other(machine: Machines) -> None:
    home = machine()
    bank = home.create("a")
    adders = [python(ADD, str(machine().path), str(seed)) for seed in (1, 2, 3)]
    seen: set[str] = set()
    while any(adder.poll() is None for adder in adders):
        for seed in (1, 2, 3):
            bank.search([draft.fingerprints[0] for draft in drafts(20, seed)], 0)
    for adder in adders:
        words = adder.communicate()[0].decode().split()
        new = {words[n - 1] for n, word in enumerate(words) if word == "True"}
        assert not new & seen  # a digest that all of them add becomes one entry
        seen |= new
    assert [adder.returncode for adder in adders] == [0, 0, 0]
    assert len(seen) == 200 * 3 + 200
    missed = [d for seed in (1, 2, 3) for d in drafts(200, seed) if not found(bank, d)]
    assert missed == []


def found(bank: Bank, draft: Draft) -> bool:
    return len(bank.lookup(draft.fingerprints[0], 0)) == 1


# ── processes and servers that are killed ───────────────────────────────────────────────────────

WORK = """
import sys
import egide.bank.pdq_index
from egide.bank import Home
from egide.errors import StorageError
from tests.conftest import drafts
egide.bank.pdq_index.TAIL_LIMIT = 16
bank = Home(sys.argv[1]).bank("a")
for draft in drafts(2000, int(sys.argv[2])):
    try:
        print(bank.add(draft.fingerprints).entry, draft.fingerprints[0].hex, flush=True)
        entry = bank.add(draft.fingerprints, ref="second").entry
        bank.withdraw([entry])
        print("withdrawn", entry, flush=True)
    except StorageError:
        pass
"""


def acknowledged(
    process: subprocess.Popen[bytes], said: bytes = b""
) -> tuple[dict[str, Fingerprint], set[str]]:
    """What the lines that a process wrote whole say: entries added, and entries withdrawn.

    `said` is what was read of them before.
    """
    out, _ = process.communicate(timeout=60)
    lines = [line.split() for line in (said + out).decode().rpartition("\n")[0].splitlines()]
    gone = {words[1] for words in lines if words[0] == "withdrawn"}
    there = {words[0]: pdq(bytes.fromhex(words[1])) for words in lines if words[0] != "withdrawn"}
    return there, gone


def check(home: Home, there: dict[str, Fingerprint], gone: set[str]) -> None:
    bank = home.bank("a")
    states = {entry.id: entry.state for entry in bank.entries()}
    assert there.keys() <= {entry for entry, state in states.items() if state == "active"}
    assert gone <= {entry for entry, state in states.items() if state == "withdrawn"}
    for entry, query in list(there.items())[-5:]:
        assert (0, entry) in answers(bank, query, 0)
    brute_force = BruteForce(bank)
    for query in list(there.values())[::20]:
        assert answers(bank, query, 63) == brute_force(query, 63)


def test_a_killed_process_loses_nothing_that_it_acknowledged(machine: Machines) -> None:
    home, path = machine(), machine().path
    home.create("a")
    chance = random.Random(1)
    written = 0
    for turn in range(12):
        process = python(WORK, str(path), str(turn))
        assert process.stdout is not None
        # However slow the machine is, some of them have come to a second and a third entry.
        said = b"".join(process.stdout.readline() for _ in range(chance.randint(1, 9)))
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        there, gone = acknowledged(process, said)
        written += len(there) - 1
        check(home, there, gone)
    assert written > 12
    # The lock of writers was not left behind by any of them.
    assert home.bank("a").add([pdq(1)]).new


@pytest.mark.slow
def test_a_server_that_fails_under_load_costs_errors_and_no_wrong_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    monkeypatch.setenv("EGIDE_DATABASE_URL", server.url("template"))
    home = Home(tmp_path / "home")
    bank = home.create("a")
    kept = bank.add_all(drafts(50))
    bank.store_index()
    process = python(WORK, str(tmp_path / "other"), "9")
    assert process.stdout is not None
    process.stdout.readline()
    wrong: list[object] = []
    errors: list[str] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            for draft, added in zip(drafts(50), kept, strict=True):
                try:
                    if answers(bank, draft.fingerprints[0], 0) != [(0, added.entry)]:
                        wrong.append(draft)
                except StorageError as error:
                    errors.append(str(error))
                    time.sleep(0.02)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(4):
        time.sleep(0.5)
        server.halt()
        time.sleep(0.2)
        server.resume()
    ended.set()
    for reader in readers:
        reader.join()
    process.send_signal(signal.SIGTERM)
    there, gone = acknowledged(process)
    assert wrong == []
    assert errors
    assert [line for line in errors if "\n" in line or "docs/how-to" not in line] == []
    check(home, there, gone)
    assert bank.add([pdq(1)]).new
    home.close()
    server.stop()


def test_a_server_that_is_away_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"postgresql://somebody:secret@/egide?host={tmp_path}"
    monkeypatch.setenv("EGIDE_DATABASE_URL", url)
    with pytest.raises(StorageError) as error:
        Home(tmp_path / "home")
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert "docs/how-to/postgresql.md" in str(error.value)
