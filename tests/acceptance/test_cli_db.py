"""`egide db`, and the other commands with banks in PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from egide.db.scripts import newest
from tests.conftest import index_files, pdq
from tests.postgresql import Server

EGIDE = Path(sys.executable).with_name("egide")


def egide(home: Path, *args: str | Path, url: str | None = None) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EGIDE_")}
    environment["EGIDE_HOME"] = str(home)
    if url is not None:
        environment["EGIDE_DATABASE_URL"] = url
    done = subprocess.run(
        [EGIDE, *args], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_database_is_refused_upgraded_and_used_by_two_machines(
    postgresql: Server, tmp_path: Path
) -> None:
    url = postgresql.database(empty=True)
    here, there = tmp_path / "here", tmp_path / "there"
    code, out, err = egide(here, "bank", "list", url=url)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "run `egide db upgrade`" in err

    code, out, _ = egide(here, "db", "current", url=url)
    assert (code, json.loads(out)["schema"]) == (1, 0)
    assert egide(here, "db", "upgrade", url=url) == (
        0,
        "",
        f"egide: schema 0 is now {newest()}\n",
    )
    assert egide(there, "db", "upgrade", url=url)[2] == f"egide: schema {newest()}\n"
    code, out, _ = egide(here, "db", "current", url=url)
    assert (code, json.loads(out)) == (
        0,
        {"database": "postgresql", "schema": newest(), "known": newest()},
    )

    file = tmp_path / "list.csv"
    file.write_text("type,hash\n" + "".join(f"pdq,{pdq(n).hex}\n" for n in range(50)))
    assert egide(here, "bank", "create", "ncii", url=url)[0] == 0
    assert egide(here, "bank", "import", "ncii", file, url=url)[0] == 0
    code, out, _ = egide(there, "bank", "list", url=url)
    assert (code, json.loads(out)["entries"]["active"]) == (0, 50)
    assert egide(here, "db", "compact", url=url) == (0, "", "")
    assert (len(index_files(here)), len(index_files(there))) == (1, 0)
    postgresql.drop(url)


def test_the_embedded_database_is_always_up_to_date(tmp_path: Path) -> None:
    assert egide(tmp_path, "db", "upgrade") == (0, "", f"egide: schema {newest()}\n")
    code, out, _ = egide(tmp_path, "db", "current")
    assert (code, json.loads(out)["database"]) == (0, "sqlite")
    assert egide(tmp_path, "db", "compact") == (0, "", "")


@pytest.mark.parametrize("command", [("bank", "list"), ("db", "upgrade"), ("db", "current")])
def test_a_server_that_is_away_is_one_line_without_the_password(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    url = f"postgresql://somebody:secret@/egide?host={tmp_path}"
    code, out, err = egide(tmp_path / "home", *command, url=url)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "secret" not in err
    assert "docs/how-to/postgresql.md" in err
