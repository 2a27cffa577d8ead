"""One desk for the tests of the console, and browsers of the people who work there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from starlette.testclient import TestClient

from tests.console import Office, office
from tests.unit.identity.conftest import quick_hashes

__all__ = ["quick_hashes"]

ORIGIN = "https://egide.example"
HEADERS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
Sits = Callable[..., TestClient]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A desk whose platform hosts one picture twice, and another one; it runs."""
    with (
        pytest.MonkeyPatch.context() as patch,
        office(tmp_path_factory.mktemp("desk"), patch) as opened,
        TestClient(opened.app, base_url=ORIGIN, headers=HEADERS) as client,
    ):
        opened.host_all(client)
        yield opened


@pytest.fixture
def sits(desk: Office, people: Iterator[int]) -> Iterator[Sits]:
    """Opens a browser of somebody new with this role."""
    opened = []

    def sit(role: str = "moderator", token: str | None = None) -> TestClient:
        # Not entered: the application runs already, and a second start would open it anew.
        client = TestClient(desk.app, base_url=ORIGIN, headers=HEADERS, follow_redirects=False)
        client.cookies.set("__Host-egide", token or desk.hired(f"r{next(people)}", role))
        opened.append(client)
        return client

    yield sit
    for client in opened:
        client.close()


@pytest.fixture(scope="module")
def people() -> Iterator[int]:
    """Numbers for names."""
    return count()
