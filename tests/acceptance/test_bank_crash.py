"""Processes that are killed at any moment lose nothing that they had acknowledged."""

from __future__ import annotations

import json
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from egide.bank import Bank, Home
from egide.fingerprint import Fingerprint
from tests import pictures
from tests.conftest import BruteForce, answers, drafts, index_files, pdq, traces

KILLS: Final = 9
"""How often each kind of work is killed: 45 times in all."""

ROOT: Final = Path(__file__).parents[2]

COMMAND: Final = """
import sys
import egide.bank.pdq_index, egide.cli.bank, egide.cli.fingerprinting
egide.bank.pdq_index.TAIL_LIMIT = 16
egide.cli.fingerprinting.ADD_BATCH = 2
egide.cli.bank.IMPORT_BATCH = 7
from egide.cli import main
main()
"""

LIBRARY: Final = """
import sys
import egide.bank.pdq_index
from egide.bank import Home
from tests.conftest import drafts
egide.bank.pdq_index.TAIL_LIMIT = 16
work, home, seed = sys.argv[1:]
bank = Home(home).bank("a")
say = lambda *words: print(*words, flush=True)
if work == "withdraw":
    say("begin")
    for entry in [entry.id for entry in bank.entries() if entry.state == "active"]:
        bank.withdraw([entry])
        say("withdrawn", entry)
for n, draft in enumerate(drafts(400, int(seed))):
    say("added", bank.add(draft.fingerprints).entry, draft.fingerprints[0].hex)
    if work == "store":
        bank.store_index()
        say("stored")
    elif n % 5 == 0:
        bank.lookup(draft.fingerprints[0])
"""


def start(code: str, *args: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )


def killed(
    child: subprocess.Popen[bytes], chance: random.Random, begun: Callable[[], bool]
) -> list[str]:
    """The whole lines that `child` wrote until it was killed, soon after it had begun its work."""
    assert child.stdout is not None
    until = time.monotonic() + 30
    while not begun() and child.poll() is None and time.monotonic() < until:
        if select.select([child.stdout], [], [], 0.005)[0]:
            break
    time.sleep(chance.uniform(0, 0.08))
    child.send_signal(signal.SIGKILL)
    out, err = child.communicate(timeout=30)
    assert child.returncode in (-signal.SIGKILL, 0), err.decode()
    assert err == b"" or child.returncode == 0
    whole, _, _ = out.decode().rpartition("\n")
    return whole.splitlines()


def check(path: Path, queries: Sequence[Fingerprint]) -> Bank:
    """The index answers as the database does, and nothing is there twice."""
    home = Home(path)
    bank = home.bank("a")
    brute_force = BruteForce(bank)
    for query in queries:
        assert answers(bank, query, 63) == brute_force(query, 63)
    held = [f.value for entry in bank.entries() for f in entry.fingerprints]
    assert len(held) == len(set(held))
    (row,) = home.database.fetch("PRAGMA integrity_check")
    assert row[0] == "ok"
    return bank


def log_size(path: Path) -> Callable[[], bool]:
    """Whether something was written to the database since this was called."""
    log = path / "egide.sqlite-wal"
    before = log.stat().st_size if log.exists() else -1
    return lambda: log.exists() and log.stat().st_size not in (before, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    home = Home(tmp_path / "home")
    home.create("a")
    home.close()
    return tmp_path / "home"


def never() -> bool:
    return False


def test_bank_add_keeps_what_it_printed(path: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(120):
        data = pictures.encode(pictures.smooth_noise(96, 72, n), "BMP")
        (folder / f"{n:03}.bmp").write_bytes(data)
    args = ("bank", "add", "a", folder, "--home", path, "--jobs", "1")
    interrupted = 0
    for _ in range(KILLS):
        lines = [json.loads(line) for line in killed(start(COMMAND, *args), chance, never)]
        interrupted += len(lines) < 120
        bank = check(path, [])
        there = {entry.id for entry in bank.entries()}
        assert {line["entry"] for line in lines} <= there
        assert len(there) <= 120
    assert interrupted > KILLS // 2
    done = start(COMMAND, *args)
    out, err = done.communicate(timeout=60)
    assert (done.returncode, err) == (0, b"")
    assert len({json.loads(line)["entry"] for line in out.splitlines()}) == 120
    bank = check(path, [])
    assert bank.stats()["entries"]["active"] == 120
    held = bank.stats()["fingerprints"]
    assert bank.stats()["index"]["fingerprints"] == held["pdq"] + held["local"]


def test_bank_import_can_be_done_again_until_it_ends(path: Path, tmp_path: Path) -> None:
    chance = random.Random(2)
    wanted = [draft.fingerprints[0] for draft in drafts(6000)]
    file = tmp_path / "list.csv"
    file.write_text("type,hash\n" + "".join(f"pdq,{f.hex}\n" for f in wanted))
    args = ("bank", "import", "a", file, "--home", path)
    counts = []
    for _ in range(KILLS):
        child = start(COMMAND, *args)
        killed(child, chance, log_size(path))
        bank = check(path, wanted[::2000])
        counts.append(bank.stats()["entries"]["active"])
        assert counts[-1] % 7 in (0, 6000 % 7)  # whole batches or nothing of them
    assert counts == sorted(counts)
    assert any(0 < count < 6000 for count in counts)
    done = start(COMMAND, *args)
    out, err = done.communicate(timeout=60)
    assert (done.returncode, err) == (0, b"")
    said = json.loads(out)
    assert (said["new"] + said["known"], said["known"]) == (6000, counts[-1])
    assert check(path, wanted[::600]).stats()["entries"]["active"] == 6000


@pytest.mark.parametrize("work", ["add", "store"])
def test_every_acknowledged_addition_is_found(path: Path, work: str) -> None:
    chance = random.Random(work)
    acknowledged: dict[str, str] = {}
    for turn in range(KILLS):
        lines = killed(start(LIBRARY, work, path, str(turn)), chance, never)
        new = {line.split()[1]: line.split()[2] for line in lines if line.startswith("added")}
        acknowledged |= new
        bank = check(path, [pdq(bytes.fromhex(digits)) for digits in list(new.values())[-3:]])
        there = {entry.id: entry.fingerprints[0].hex for entry in bank.entries()}
        assert acknowledged.items() <= there.items()
        for entry, digits in list(new.items())[-3:]:
            assert answers(bank, pdq(bytes.fromhex(digits)), 0) == [(0, entry)]
    assert len(acknowledged) > KILLS


def test_every_acknowledged_withdrawal_is_final(path: Path) -> None:
    chance = random.Random(3)
    for turn in range(KILLS):
        home = Home(path)
        bank = home.bank("a")
        held = {
            added.entry: draft.fingerprints[0]
            for draft, added in zip(
                drafts(60, 1000 + turn), bank.add_all(drafts(60, 1000 + turn)), strict=True
            )
        }
        bank.store_index()
        home.close()
        lines = killed(start(LIBRARY, "withdraw", path, str(turn)), chance, never)
        gone = [line.split()[1] for line in lines if line.startswith("withdrawn")]
        bank = check(path, list(held.values())[::10])
        for entry in gone:
            assert bank.entry(entry).state == "withdrawn"
            if entry in held:
                assert answers(bank, held[entry], 0) == []
                assert traces(path, held[entry]) == []
        # Of the one that was under way nothing is left either, once it is done again.
        states = {entry.id: entry.state for entry in bank.entries()}
        unsaid = [e for e in held if states[e] == "withdrawn" and e not in gone]
        assert len(unsaid) <= 1
        bank.withdraw(unsaid)
        assert [e for e in unsaid if traces(path, held[e])] == []
        bank.store_index()
        assert len(index_files(path)) == bank.stats()["index"]["files"]
