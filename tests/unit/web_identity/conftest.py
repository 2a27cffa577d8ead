"""An application with nothing but identity, and browsers that behave like browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from egide.errors import EgideError
from egide.identity import Identity
from egide.identity.totp import STEP, code_at
from egide.web.identity import install
from egide.web.identity_access import public_url
from egide.web.problems import Problem
from tests.unit.identity.conftest import clock, database, identity, quick_hashes

__all__ = ["clock", "database", "identity", "quick_hashes"]

ORIGIN = "https://egide.example"
PASSWORD = "neutral words for a test"

Browser = TestClient


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """What was read of the environment is read again."""
    yield
    public_url.cache_clear()


@pytest.fixture
def app(identity: Identity) -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.state.identity = identity
    install(made)

    @made.exception_handler(EgideError)
    def problem(_: Request, error: EgideError) -> Response:
        return Problem.of(error).response("request")

    return made


@pytest.fixture
def browse(app: FastAPI) -> Iterator[Callable[[], Browser]]:
    """Opens one more browser, with cookies of its own."""
    opened: list[Browser] = []

    def open_one() -> Browser:
        opened.append(open_browser(app))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()


def open_browser(app: FastAPI) -> Browser:
    """A browser that shows pages of ours, and says so with what it sends."""
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    return Browser(app, base_url=ORIGIN, follow_redirects=False, headers=headers)


def joined(identity: Identity, browser: Browser, name: str, role: str) -> bytes:
    """Accepts an invitation and sets up codes; the secret of the codes."""
    code = identity.people.invite(role)
    answer = browser.post("/welcome", data={"code": code, "name": name, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    offer = browser.post("/account/totp")
    ticket = offer.text.partition('name="ticket" value="')[2].partition('"')[0]
    secret = identity.signin.offered_totp(
        identity.sessions.resume(browser.cookies["__Host-egide"]), ticket
    )
    confirmed = browser.post(
        "/account/totp/confirm", data={"ticket": ticket, "code": code_now(identity, secret)}
    )
    assert confirmed.status_code == 200
    return secret


def code_now(identity: Identity, secret: bytes) -> str:
    return code_at(secret, int(identity.clock()) // STEP)
