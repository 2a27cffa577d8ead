"""Notices, decisions, webhooks, acknowledgements: in processes that are killed 200 times.

Nothing that was acknowledged is lost, nothing is there twice, no deadline moves.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from egide.bank import Home
from egide.identity import Identity
from egide.match import Purpose
from egide.outbox import Outbox
from egide.records import Content, Hosted
from tests.killed import NOTICES, place_of, print_of

KILLS = 100
"""On each database."""
LONGEST_LIFE = 0.25
SHORTEST_LIFE = 0.01
STEPS = 3 * NOTICES
"""What is acknowledged when all is done: notices, decisions, removals."""
EGIDE = Path(sys.executable).with_name("egide")
ROOT = Path(__file__).parents[2]
HOURS_48 = 48 * 3_600_000


class Platform:
    """A webhook that takes what comes, and notes which copies it was told to remove."""

    def __init__(self, told: Path) -> None:
        self.told = told
        self.told.touch()
        self.messages: dict[str, dict[str, Any]] = {}
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                platform.note(self.headers["webhook-id"], body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self._lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, id_: str, message: dict[str, Any]) -> None:
        """Takes a message in; the same one may come again, and says the same."""
        with self._lock:
            assert self.messages.setdefault(id_, message) == message
            if message["type"] == "content.remove":
                with self.told.open("a") as file:
                    file.write(message["data"]["copy"] + "\n")


class Works:
    """The processes that do the work, one after the other."""

    def __init__(self, home: Path, told: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.killed", str(home), str(told)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[dict[str, Any]] = []
        self._lines: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def killed_after(self, seconds: float) -> None:
        """Begins the work, and kills the process that does it."""
        process = self._begin("go")
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
        self._until("gone")

    def steps(self) -> int:
        """How much was acknowledged so far."""
        return sum("done" in each for each in self.said)

    def finish(self) -> None:
        """Lets the work be done."""
        self._begin("ahead")
        self._until("gone")
        assert self.said[-2] == {"done": "everything"}

    def close(self) -> None:
        """Ends what is left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0
        self._reader.join()

    def _begin(self, word: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return int(self._until("began"))

    def _until(self, word: str) -> Any:
        while True:
            said = self._lines.get(timeout=240)
            self.said.append(said)
            if word in said:
                return said[word]

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform whose webhook is told everything."""
    platform = Platform(tmp_path / "told")
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", platform.url)
    yield platform
    platform.server.shutdown()
    platform.server.server_close()


@pytest.mark.slow
@pytest.mark.both_databases
def test_whoever_is_killed_loses_and_doubles_nothing(home: Home, platform: Platform) -> None:
    library, hosted = home.create("library", Purpose.LIBRARY), Hosted(home.database)
    with home.database.write() as connection:
        for number in range(NOTICES):
            content = Content(f"c-{number}", place_of(number))
            hosted.add(connection, library, content, [print_of(number)])
    with Identity(home.database, home.path) as identity:
        Outbox(home.database, identity.secret).add(platform.url)
    works = Works(home.path, platform.told)
    for number in range(KILLS):
        # Work that is ahead of the kills has to wait for them: the last is to find some left.
        ahead = works.steps() / STEPS > number / KILLS
        longest = SHORTEST_LIFE if ahead else LONGEST_LIFE
        works.killed_after(random.uniform(SHORTEST_LIFE, longest))
    works.finish()
    works.close()
    acknowledged = [each for each in works.said if "done" in each]
    check_cases(home, acknowledged)
    check_messages(home, platform)
    command = [str(EGIDE), "desk", "log", "verify", "--home", str(home.path)]
    assert subprocess.run(command, check=False).returncode == 0
    assert len([each for each in works.said if "gone" in each]) == KILLS + 1


def check_cases(home: Home, acknowledged: list[dict[str, Any]]) -> None:
    """Every notice is there once, with the deadline that was told; every decision once."""
    rows = home.database.fetch("SELECT number, opened, deadline, state FROM desk_case")
    assert [row["state"] for row in rows] == ["removed"] * NOTICES
    assert all(row["deadline"] == row["opened"] + HOURS_48 for row in rows)
    deadlines = {row["number"]: row["deadline"] for row in rows}
    events = happened(home)
    told = Counter(each["done"] for each in acknowledged)
    assert told.keys() >= {"notice", "decision", "acknowledgement"}
    for each in acknowledged:
        if each["done"] == "notice":
            assert deadlines[each["case"]] == each["deadline"]
        elif each["done"] == "decision":
            assert events[each["case"]]["decided"] == 1
    for kinds in events.values():
        once = ("received", "accepted", "decided", "effective", "told", "acknowledged")
        assert [kinds[kind] for kind in once] == [1] * len(once), kinds


def check_messages(home: Home, platform: Platform) -> None:
    """Every copy was told once, in a message that arrived; and nothing else was told twice."""
    told = Counter(
        (message["type"], message["data"]["case"]) for message in platform.messages.values()
    )
    assert set(told.values()) == {1}
    kinds = Counter(kind for kind, _ in told)
    assert kinds["content.remove"] == kinds["case.received"] == kinds["case.decided"] == NOTICES
    (row,) = home.database.fetch("SELECT count(*) AS left FROM delivery WHERE state <> 'delivered'")
    assert row["left"] == 0


def happened(home: Home) -> dict[str, Counter[str]]:
    """How often each kind of event is in each case."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in home.database.fetch("SELECT number, kind FROM desk_event"):
        found[row["number"]][row["kind"]] += 1
    return found
