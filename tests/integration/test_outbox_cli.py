"""`egide outbox`, as it is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from egide.bank import Home
from egide.cli.app import app
from egide.identity.secret import open_secret
from egide.outbox import Outbox

URL = "https://hooks.example/secret-path"


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_HOME", str(tmp_path / "home"))


def egide(*args: str) -> Result:
    return CliRunner().invoke(app, ["outbox", *args])


def lines(*args: str) -> list[dict[str, object]]:
    done = egide(*args)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def added() -> str:
    (made,) = lines("add", URL, "--event", "scan.recorded")
    return str(made["webhook"])


def tell() -> None:
    home = Home()
    outbox = Outbox(home.database, open_secret(home.database, home.path))
    with home.database.write(serial=False) as connection:
        assert outbox.enqueue(connection, "scan.recorded", {"number": 1})
    home.close()


def test_a_webhook_is_added_listed_and_removed() -> None:
    (made,) = lines("add", URL)
    assert str(made["secret"]).startswith("whsec_")
    (listed,) = lines("webhooks")
    assert listed["webhook"] == made["webhook"]
    assert listed["events"] == ["*"]
    assert "secret-path" not in json.dumps(listed)
    assert egide("remove", str(made["webhook"])).exit_code == 0
    assert lines("webhooks") == []


def test_its_secret_is_changed() -> None:
    webhook = added()
    done = egide("rotate", webhook, "--overlap", "1")
    assert done.stdout.startswith("whsec_")
    assert done.stdout.count("\n") == 1
    assert lines("webhooks")[0]["secrets"] == 2


def test_it_is_disabled_and_enabled() -> None:
    webhook = added()
    assert egide("disable", webhook).exit_code == 0
    assert lines("webhooks")[0]["disabled"] is not None
    assert egide("enable", webhook).exit_code == 0
    assert lines("webhooks")[0]["disabled"] is None


def test_deliveries_are_listed_without_what_is_in_them() -> None:
    webhook = added()
    tell()
    (delivery,) = lines("list", "--state", "waiting")
    assert delivery["webhook"] == webhook
    assert delivery["type"] == "scan.recorded"
    assert "number" not in delivery
    assert lines("list", "--before", str(delivery["delivery"])) == []


def test_deliveries_are_replayed() -> None:
    added()
    tell()
    (delivery,) = lines("list")
    assert egide("replay", str(delivery["delivery"])).exit_code == 0
    done = egide("replay", "4711")
    assert done.exit_code == 1
    assert "not there, or being sent: 4711" in done.stderr
    assert "0 are sent again" in egide("replay", "--dead").stderr


@pytest.mark.parametrize(
    "args",
    [
        ["replay"],
        ["replay", "1", "--dead"],
        ["replay", "1", "--webhook", "wh_1"],
        ["list", "--state", "lost"],
        ["add", "http://hooks.example/"],
        ["add", "https://127.0.0.1/"],
        ["add", URL, "--event", "No Event"],
        ["remove", "wh_none"],
        ["rotate", "wh_none"],
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(args: list[str]) -> None:
    done = egide(*args)
    assert done.exit_code == 2
    assert done.stderr.startswith("egide: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
