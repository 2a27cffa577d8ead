"""PostgreSQL is stopped and started again under `egide serve`, while clients go on asking.

What was answered is there once, what was refused was refused soon and clearly, and the service goes
on by itself.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from egide.bank import Home
from tests.load import Load, prepare
from tests.postgresql import Server
from tests.served import Clients, Served, admitted, told

STOPS = (signal.SIGINT, signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT)
"""PostgreSQL's fast mode, which ends it in good order, and its immediate one, as in a crash."""
AWAY_SECONDS = 0.6
BETWEEN_SECONDS = 1.0
MOST_SECONDS = 20.0
"""For a refusal, on a machine whose cores are all taken."""


class Scene:
    """A server of PostgreSQL, two machines that serve, and their clients."""

    def __init__(self, server: Server, served: list[Served], load: Load) -> None:
        self.server = server
        self.served = served
        self.load = load

    def look(self, client: httpx.Client) -> list[int]:
        """What the machines say to whether they are ready."""
        answers = [client.get(each.url + "/readyz") for each in self.served]
        for answer in answers:
            assert answer.json()["checks"]["database"] is (answer.status_code == 200)
        return [answer.status_code for answer in answers]

    def restart(self, client: httpx.Client, sign: signal.Signals, number: int) -> None:
        """Takes the database away for a while; both machines notice, and go on by themselves."""
        self.server.halt(sign)
        assert self.look(client) == [503, 503]
        time.sleep(AWAY_SECONDS)
        assert self.look(client) == [503, 503]
        self.server.resume()
        assert self.look(client) == [200, 200]  # at once
        self.load.check_fresh(number)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two machines that serve one database of a server of their own, with their banks."""
    server = Server()
    with ExitStack() as held:
        held.callback(server.stop)
        platform = held.enter_context(told())
        monkeypatch.setenv("EGIDE_DATABASE_URL", server.database())
        monkeypatch.setenv("EGIDE_SECRET_FILE", str(tmp_path / "secret.key"))
        monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", platform.url)
        monkeypatch.setenv("EGIDE_DESK_UNDO_SECONDS", "0")
        home = Home(tmp_path / "here")
        held.callback(home.close)
        prepare(home, platform)
        folders = [home.path, tmp_path / "there"]
        served = [Served(folder, folder.with_suffix(".log")) for folder in folders]
        for each in served:
            held.callback(each.end)
        for each in served:
            each.wait()
        clients = Clients([each.url for each in served], *admitted(home))
        held.callback(clients.close)
        yield Scene(server, served, Load(home, clients, platform))


@pytest.mark.slow
def test_a_database_that_comes_and_goes_costs_refusals_and_nothing_else(scene: Scene) -> None:
    load = scene.load
    load.begin()
    with httpx.Client(timeout=60, trust_env=False) as client:
        try:
            for number, sign in enumerate(STOPS):
                time.sleep(BETWEEN_SECONDS)
                scene.restart(client, sign, number)
        finally:
            load.end()

    assert load.clients.check_refusals(status=(503,), most_seconds=MOST_SECONDS) > 20
    load.check()
    for each in scene.served:
        assert each.process.poll() is None
        each.check_log()
    assert [each.end() for each in scene.served] == [0, 0]
