"""A service in this process: the application with its confined workers, and keys to ask it with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from egide.bank import Home
from egide.identity import Identity
from egide.web.app import create_app
from egide.web.settings import ServeSettings
from egide.web.state import Service
from tests import pictures

ALL = ("scan:write", "scan:read", "bank:read", "bank:write", "library:read", "audit:read")
KNOWN = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
COPY = pictures.encode(pictures.smooth_noise(seed=1), "JPEG")
OTHER = pictures.encode(pictures.smooth_noise(seed=2), "JPEG")


@dataclass
class Serving:
    """The service as its users see it: `ask` sends a request with a key for everything."""

    client: TestClient
    home: Home
    keys: dict[str, str]

    def key(self, *scopes: str) -> str:
        """An API key with `scopes`."""
        name = hashlib.sha256(".".join(scopes).encode()).hexdigest()[:16]
        if name not in self.keys:
            with Identity(self.home.database, self.home.path) as identity:
                self.keys[name] = identity.keys.create(name, scopes)
        return self.keys[name]

    def ask(
        self,
        method: str,
        path: str,
        *,
        scopes: tuple[str, ...] = ALL,
        headers: dict[str, str] | None = None,
        **given: Any,
    ) -> httpx.Response:
        """The answer to one request."""
        headers = {"Authorization": f"Bearer {self.key(*scopes)}", **(headers or {})}
        return self.client.request(method, path, headers=headers, **given)

    def scan(self, data: bytes = OTHER, name: str = "a.jpg", **fields: str) -> httpx.Response:
        """The answer to an upload."""
        return self.ask("POST", "/v1/scan", files={"file": (name, data)}, data=fields)

    def text(self, text: str, **fields: Any) -> httpx.Response:
        """The answer to a text."""
        return self.ask("POST", "/v1/scan", json={"kind": "text", "text": text, **fields})

    @property
    def service(self) -> Service:
        """What the routes work with."""
        service: Service = self.client.app.state.service  # type: ignore[attr-defined]
        return service


Opens = Callable[..., Serving]


@pytest.fixture(scope="session")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One service for most tests: its workers take a while to start."""
    yield from _serving(tmp_path_factory.mktemp("home"))


@pytest.fixture
def serving(_opened: Serving) -> Serving:
    """A service with a block bank `known` that holds one picture."""
    return _opened


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    """Opens a service of its own, with settings that differ from the defaults."""
    ends: list[Iterator[Serving]] = []

    def open_(**settings: Any) -> Serving:
        ends.append(_serving(tmp_path / "home", **settings))
        return next(ends[-1])

    yield open_
    for end in ends:
        next(end, None)


def _serving(path: Path, **settings: Any) -> Iterator[Serving]:
    from egide import Item, fingerprints_of

    home = Home(path)
    home.create("known").add(fingerprints_of(Item.from_bytes(KNOWN)), ref="case 17")
    given = ServeSettings(home=path, workers=1, **{"max_upload": 1 << 22, **settings})
    with TestClient(create_app(given), client=("127.0.0.1", 5000)) as client:
        yield Serving(client, home, {})
    home.close()
