"""`egide gazetteer` as its users meet it: what it prints, what it keeps to itself, how it ends."""

from __future__ import annotations

import bz2
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egide.hub import gazetteer_build

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SAMPLE = Path(gazetteer_build.__file__).parent / "data" / "sample-people.json"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("info", file)` runs `egide gazetteer info FILE` in an empty folder."""
    egide = Path(sys.executable).with_name("egide")

    def run(*args: str | Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [egide, "gazetteer", *args],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, **env},
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_dump_becomes_a_gazetteer(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dump.json.bz2").write_bytes(bz2.compress(SAMPLE.read_bytes()))
    done = run("build", "dump.json.bz2", "--out", "people", "--min-articles", "9")

    assert (done.returncode, done.stderr) == (0, "")
    [line] = lines(done)
    assert (line["entities"], line["people"], line["fictional"], line["corrupt"]) == (54, 30, 6, 0)
    [info] = lines(run("info", "people"))
    assert info["people"] == 7
    assert "Quintane" not in json.dumps(info)


def test_a_dump_with_broken_lines_is_incomplete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(SAMPLE.read_bytes().replace(b"\n]", b"\nbroken\n]"))
    done = run("build", "dump", "--out", "people")

    assert done.returncode == 3
    assert "1 lines of dump" in done.stderr
    assert lines(run("info", "people"))[0]["people"] == 36


def test_a_dump_that_is_cut_off_is_incomplete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(b"[\n" + SAMPLE.read_bytes()[:9_000])
    whole = bz2.compress((tmp_path / "dump").read_bytes()) + bz2.compress(b"more\n")[:-9]
    (tmp_path / "dump").write_bytes(whole)
    done = run("build", "dump", "--out", "people")

    assert done.returncode == 3
    assert "it ends in the middle" in done.stderr


def test_names_are_protected_and_released(run: Run) -> None:
    done = run("add", "-", "--gazetteer", "people", stdin="Zefrin Oulde\n\nNimra Vance\n")
    assert lines(done) == [{"id": "added-1"}, {"id": "added-2"}]
    done = run(
        "add",
        "Ilvira Tasmore",
        "--alias",
        "Tasmarelle",
        "--gender",
        "woman",
        EGIDE_GAZETTEER="people",
    )
    assert lines(done) == [{"id": "added-3"}]
    assert lines(run("info", "people"))[0]["added_by_hand"] == 3

    assert lines(run("remove", "tasmarelle", "-g", "people")) == [{"id": "added-3"}]
    assert lines(run("remove", "-", "-g", "people", stdin="added-1\n")) == [{"id": "added-1"}]
    assert lines(run("info", "people"))[0]["people"] == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["info", "none"], "No such file"),
        (["remove", "Nobody", "-g", "none"], "No such file"),
        (["add", "x", "-g", "people"], "letters"),
        (["add", "Zefrin Oulde", "--gender", "x", "-g", "people"], "--gender"),
        (["add", "-", "-g", "people"], "standard input"),
        (["build", "none", "--out", "people"], "No such file"),
        (["add", "-", "--alias", "B C", "-g", "people"], "standard input"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, args: list[str], message: str) -> None:
    done = run(*args)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_sample_is_described(run: Run) -> None:
    assert lines(run("info", "sample"))[0]["people"] == 36
