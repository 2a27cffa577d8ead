"""A service that several files of tests ask: it takes seconds to start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from egide import Item, fingerprints_of
from egide.bank import Home
from egide.identity import Identity
from tests.integration.test_serve import KNOWN, Server

SCOPES = ["scan:write", "scan:read", "bank:read", "bank:write", "library:read", "notice:write"]


class Running:
    """A home, a key to everything in it, and servers on it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.create("known").add(fingerprints_of(Item.from_bytes(KNOWN)), ref="case 17")
        with Identity(self.home.database, self.home.path) as identity:
            self.key = identity.keys.create("all", SCOPES)
            self.reader = identity.keys.create("reader", ["bank:read"])
        self.servers: list[Server] = []

    def start(self, *flags: str, port: int | None = None) -> Server:
        """A server that is ready, on a `port` of its own or a given one."""
        given = () if port is None else ("--port", str(port))
        server = Server(self.home, self.key, *flags, *given)
        self.servers.append(server)
        if port is not None:
            server.client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        server.wait()
        return server

    def close(self) -> None:
        """Ends all."""
        for server in self.servers:
            server.client.close()
            server.end(signal.SIGKILL)
        self.home.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("client"))
    running.start("--max-upload", "1")
    yield running
    running.close()
