"""`egide desk report`, as it is used: with a real database of the Commission's kind beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from egide.bank import Home
from egide.cli.app import app
from egide.desk.statement_store import record
from tests.unit.desk.test_statement_database import NOW, REMOVED
from tests.unit.desk.transparency_database import TOKEN, TransparencyServer, transparency

__all__ = ["transparency"]

DAY = datetime.fromtimestamp(NOW / 1000, UTC).date().isoformat()
PERIOD = ("--from", DAY, "--to", DAY)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_HOME", str(tmp_path / "home"))
    for name in ("EGIDE_DSA_URL", "EGIDE_DSA_TOKEN", "EGIDE_WEBHOOK_ALLOW"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def configured(transparency: TransparencyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_DSA_URL", transparency.url)
    monkeypatch.setenv("EGIDE_DSA_TOKEN", TOKEN)
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", transparency.url)


def egide(*args: str) -> Result:
    return CliRunner().invoke(app, ["desk", "report", *args])


def keep(count: int) -> list[str]:
    home = Home()
    with home.database.write() as connection:
        made = [str(record(connection, REMOVED, NOW + number)) for number in range(count)]
    home.close()
    return made


def test_statements_are_printed_in_batches() -> None:
    puids = keep(101)
    done = egide("dsa", *PERIOD)

    assert done.exit_code == 0, done.output
    batches = [json.loads(line)["statements"] for line in done.stdout.splitlines()]
    assert [len(each) for each in batches] == [100, 1]
    assert [each["puid"] for batch in batches for each in batch] == puids


def test_a_period_without_any_prints_nothing() -> None:
    keep(1)
    done = egide("dsa", "--from", "2020-01-01", "--to", "2020-12-31")

    assert (done.exit_code, done.stdout) == (0, "")


def test_a_statement_that_is_wrong_is_named_and_not_printed() -> None:
    (puid, other) = keep(2)
    home = Home()
    with home.database.write() as connection:
        connection.execute("UPDATE desk_statement SET body = '{}' WHERE puid = ?", (puid,))
    home.close()
    done = egide("dsa", *PERIOD)

    assert done.exit_code == 1
    assert [each["puid"] for each in json.loads(done.stdout)["statements"]] == [other]
    assert f"statement {puid}: the statement: not as required asks" in done.stderr


def test_nothing_is_sent_until_it_is_configured() -> None:
    keep(1)
    done = egide("dsa", *PERIOD, "--send")

    assert done.exit_code == 2
    assert "set EGIDE_DSA_URL and EGIDE_DSA_TOKEN" in done.stderr


@pytest.mark.usefixtures("configured")
def test_statements_are_sent_once(transparency: TransparencyServer) -> None:
    puids = keep(3)
    first = egide("dsa", *PERIOD, "--send")
    second = egide("dsa", *PERIOD, "--send")

    assert json.loads(first.stdout) == {"sent": 3, "refused": 0, "waiting": 0}
    assert json.loads(second.stdout) == {"sent": 0, "refused": 0, "waiting": 0}
    assert list(transparency.kept) == puids
    assert TOKEN not in first.output + second.output


@pytest.mark.usefixtures("configured")
def test_what_waits_is_told_by_the_exit_code(
    transparency: TransparencyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.desk.statement_sending.WAITS", (0.0,))
    keep(2)
    transparency.moods = [503, 503]
    done = egide("dsa", *PERIOD, "--send")

    assert done.exit_code == 3
    assert json.loads(done.stdout)["waiting"] == 2
    assert "2 statements wait: answered 503; run it again later" in done.stderr
    assert egide("dsa", *PERIOD, "--send").exit_code == 0


def test_tables_are_written(tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = egide("transparency", *PERIOD, "--out", str(out))

    assert done.exit_code == 0, done.output
    assert next(Path(line).name for line in done.stdout.splitlines()) == "summary.csv"
    assert (out / "complaints.csv").read_text(encoding="utf-8").startswith("by,complaints")


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("2026-02-30", DAY, "--from takes a day"),
        (DAY, "tomorrow", "--to takes a day"),
        (DAY, "2020-01-01", "is before"),
        ("0001-01-01", DAY, "out of range"),
        ("9999-12-31", "9999-12-31", "out of range"),
        ("2026-01-01\x1b[31m", DAY, "--from takes a day"),
    ],
)
def test_days_are_checked(begin: str, end: str, said: str) -> None:
    done = egide("dsa", "--from", begin, "--to", end)

    assert done.exit_code == 2
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
