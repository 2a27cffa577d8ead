"""`egide bank` as its users meet it: what it prints, what it keeps to itself, how it ends."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egide.bank import Home
from egide.fingerprint import FingerprintType
from egide.item import Item
from egide.media.fingerprint import fingerprints_of
from tests import pictures
from tests.conftest import drafts, near, pdq, sha256

PICTURE = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.both_databases


@pytest.fixture
def run(home: Home) -> Run:
    """`run("list")` runs `egide bank list` in that home."""
    egide = Path(sys.executable).with_name("egide")

    def run(*args: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [egide, "bank", *args],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "EGIDE_HOME": str(home.path)},
            timeout=60,
            check=False,
        )

    return run


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pictures_are_added_listed_withdrawn_and_nothing_of_them_is_shown(
    run: Run, home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PICTURE)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    held = fingerprints_of(Item.from_bytes(PICTURE))
    said = [run("create", "demo")]
    said.append(run("add", "demo", path, tmp_path / "broken.jpg", "--ref", "case 17"))
    (added,) = lines(said[-1])
    assert (added["ref"], added["new"], said[-1].returncode) == (str(path), True, 3)
    assert "broken.jpg: not added" in said[-1].stderr
    said.append(run("add", "demo", path))
    assert lines(said[-1]) == [{"ref": str(path), "entry": added["entry"], "new": False}]
    said.append(run("show", "demo"))
    assert lines(said[-1])[0]["ref"] == "***"
    said.append(run("show", added["entry"]))
    said.append(run("stats", "demo"))
    said.append(run("list"))
    assert lines(said[-1])[0]["entries"] == {"active": 1, "disputed": 0, "withdrawn": 0}
    said.append(run("dispute", added["entry"]))
    assert lines(run("show", added["entry"]))[0]["state"] == "disputed"
    said.append(run("restore", added["entry"]))
    said.append(run("withdraw", added["entry"]))
    said.append(run("restore", added["entry"]))
    assert said[-1].returncode == 2
    assert "was withdrawn" in said[-1].stderr
    everything = "".join(done.stdout + done.stderr for done in said)
    assert not any(f.hex[:8] in everything.lower() for f in held)
    assert home.bank("demo").lookup(held[1]) == []


def test_reveal_shows_hashes_and_references(run: Run, home: Home) -> None:
    home.create("demo").add([pdq(1)], ref="case 17")
    (entry,) = lines(run("show", "demo", "--reveal"))
    assert entry["fingerprints"][0]["hash"] == pdq(1).hex
    assert entry["ref"] == "case 17"


def test_import_names_bad_lines_without_showing_them(run: Run, home: Home, tmp_path: Path) -> None:
    bank = home.create("demo")
    file = tmp_path / "list.csv"
    bad = "".join(f"{pdq(n).hex},pdq\n" for n in range(15))
    file.write_text(f"type,hash\npdq,{pdq(99).hex}\n{bad}pdq,{pdq(98).hex}\n")
    done = run("import", "demo", file)
    assert done.returncode == 3
    assert lines(done) == [{"bank": "demo", "new": 2, "known": 0, "unreadable": 15}]
    assert done.stderr.count("left out") == 10
    assert "5 more lines" in done.stderr
    assert not any(pdq(n).hex[:8] in done.stderr for n in range(15))
    assert len(bank.lookup(pdq(98))) == 1
    again = run("import", "demo", "-", stdin=f"pdq {pdq(99).hex}\n")
    assert lines(again) == [{"bank": "demo", "new": 0, "known": 1, "unreadable": 0}]


@pytest.mark.parametrize("content", ["", "nonsense\n", "\0" * 100])
def test_import_of_what_is_no_list_is_wrong_usage(
    run: Run, home: Home, tmp_path: Path, content: str
) -> None:
    home.create("demo")
    file = tmp_path / "list.csv"
    file.write_text(content)
    done = run("import", "demo", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_a_bank_goes_through_an_export_into_another_home(
    run: Run, home: Home, tmp_path: Path
) -> None:
    bank = home.create("demo")
    bank.add_all(drafts(30))
    gone = bank.add([pdq(1), sha256(1)], "word", "case").entry
    out = tmp_path / "out.jsonl"
    out.write_text("before")
    out.chmod(0o644)
    other = Home(tmp_path / "other")
    target = other.create("copy")
    before = os.umask(0)
    try:
        assert run("export", "demo", "--out", out).returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert lines(run("import", "copy", out, "--home", other.path))[0]["new"] == 31
    assert target.lookup(pdq(1))[0].ref == "case"
    bank.withdraw([gone])
    assert run("export", "demo", "--out", out).returncode == 0
    again = run("import", "copy", out, "--home", other.path)
    assert lines(again) == [{"bank": "copy", "new": 0, "known": 31, "unreadable": 0}]
    assert target.lookup(pdq(1)) == []
    assert not target.holds(FingerprintType.SHA256)
    other.close()


@pytest.mark.parametrize("format_", ["csv", "threatexchange"])
def test_tables_are_written_and_read(run: Run, home: Home, tmp_path: Path, format_: str) -> None:
    home.create("demo").add([pdq(1), sha256(1)], "=1+1", "a\nb")
    out = run("export", "demo", "--format", format_).stdout
    home.create("copy")
    assert lines(run("import", "copy", "-", stdin=out))[0]["new"] == 2
    assert len(home.bank("copy").lookup(near(pdq(1), 31))) == 1


def test_withdrawing_what_is_not_there_changes_nothing(run: Run, home: Home) -> None:
    entry = home.create("demo").add([pdq(1)]).entry
    for missing in ("nonsense", "0123abcd-1", f"{entry}0"):
        done = run("withdraw", entry, missing)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert len(home.bank("demo").lookup(pdq(1))) == 1


def test_rm_removes_a_bank_and_its_files(run: Run, home: Home) -> None:
    bank = home.create("demo")
    bank.add([pdq(1)])
    bank.store_index()
    assert run("rm", "demo", "--yes").returncode == 0
    assert run("show", "demo").returncode == 2
    assert list((home.path / "index").iterdir()) == []
    assert lines(run("list")) == []
