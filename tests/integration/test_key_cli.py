"""`egide key` and `egide account`: what they print, and what they leave behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from egide.bank import Home
from egide.errors import NotAuthenticated
from egide.identity import Identity

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def ran(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("egide"), *args],
            env={"EGIDE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return ran


def test_a_key_is_printed_alone_and_opens(run: Run, tmp_path: Path) -> None:
    made = run("key", "create", "uploads", "--scope", "scan:write", "--scope", "bank:read")

    assert (made.returncode, made.stderr) == (0, "")
    assert re.fullmatch(r"egide_[0-9a-f]{12}_[0-9A-Za-z]{49}\n", made.stdout)
    home = Home(tmp_path / "home")
    with Identity(home.database, home.path) as identity:
        principal = identity.keys.authenticate(f"Bearer {made.stdout.strip()}")
        assert principal.scopes == {"scan:write", "bank:read"}
        run("key", "revoke", "uploads")
        time.sleep(1.2)  # other processes see it within a second
        with pytest.raises(NotAuthenticated):
            identity.keys.authenticate(f"Bearer {made.stdout.strip()}")
    home.close()


def test_keys_are_listed_without_themselves(run: Run) -> None:
    old = run("key", "create", "uploads", "--scope", "scan:write", "--days", "30").stdout.strip()
    new = run("key", "rotate", "uploads", "--overlap", "2").stdout.strip()
    listed = run("key", "list").stdout
    rows = [json.loads(line) for line in listed.splitlines()]

    assert sorted((row["name"], row["current"]) for row in rows) == [
        ("uploads", False),
        ("uploads", True),
    ]
    before, now = sorted(rows, key=lambda row: row["current"])
    assert before["expires"] == now["created"] + 7200
    assert now["expires"] == now["created"] + 30 * 86_400
    assert old.rpartition("_")[2] not in listed
    assert new.rpartition("_")[2] not in listed


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("key", "create", "a b", "--scope", "scan:write"), "cannot be a key's name"),
        (("key", "create", "a", "--scope", "root"), "is no scope of a key"),
        (("key", "create", "a", "--scope", "scan:write", "--days", "nan"), "between 0 and"),
        (("key", "rotate", "a"), "No such API key"),
        (("key", "revoke", "a"), "No such API key"),
        (("account", "invite", "--role", "root"), "is no role"),
        (("account", "close", "nobody"), "No such account"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, args: tuple[str, ...], message: str) -> None:
    done = run(*args)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_link_makes_an_account_that_the_console_can_change(run: Run, tmp_path: Path) -> None:
    link = run("account", "invite", "--role", "auditor", EGIDE_PUBLIC_URL="https://a.example/")
    found = re.fullmatch(r"https://a\.example/welcome#([\w-]{43})\n", link.stdout)
    assert found is not None
    home = Home(tmp_path / "home")
    with Identity(home.database, home.path) as identity:
        identity.people.accept(found[1], "ada", "neutral words for a test")
    home.close()

    assert run("account", "role", "ada", "moderator").returncode == 0
    assert run("account", "close", "ada").returncode == 0
    listed = json.loads(run("account", "list").stdout)
    assert (listed["name"], listed["role"], listed["second_factor"]) == ("ada", "moderator", False)
    assert listed["closed"] is not None
    assert run("account", "open", "ada").returncode == 0
    assert json.loads(run("account", "list").stdout)["closed"] is None
