"""People before the public pages: browsers without scripts, and a desk whose clock can be set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from egide.desk.desk import Desk
from tests.public_pages import public_app
from tests.unit.web_identity.conftest import ORIGIN, forgetful

__all__ = ["forgetful"]


class Clock:
    """The time, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


DAY = 86_400


@pytest.fixture(scope="module")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, Clock]]:
    clock = Clock()
    with public_app(tmp_path_factory.mktemp("home"), clock) as made:
        yield made, clock


@pytest.fixture
def clock(_opened: tuple[FastAPI, Clock]) -> Clock:
    """A day after the test before, so that nobody has tried anything too often."""
    _opened[1].now += DAY
    return _opened[1]


@pytest.fixture
def desk(_opened: tuple[FastAPI, Clock]) -> Desk:
    opened: Desk = _opened[0].state.desk
    return opened


@pytest.fixture
def visitor(_opened: tuple[FastAPI, Clock], clock: Clock) -> Iterator[TestClient]:
    """A browser without scripts that shows one of our pages, in English."""
    assert clock
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    with TestClient(
        _opened[0], base_url=ORIGIN, follow_redirects=False, headers=headers
    ) as browser:
        yield browser
