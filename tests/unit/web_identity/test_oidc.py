"""Whom an OpenID provider names is let in when somebody invited them, and nobody else is."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from egide.errors import UsageError
from egide.identity import Identity
from egide.identity.oidc import Provider
from tests.oidc_provider import CLIENT, SECRET, OidcProvider, rsa_key
from tests.unit.identity.conftest import Clock
from tests.unit.web_identity.conftest import PASSWORD, Browser, code_now, joined

Browse = Callable[[], Browser]
CALLBACK = "/signin/oidc/callback"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock) -> Iterator[OidcProvider]:
    opened = OidcProvider()
    opened.claims = {"iat": int(clock()), "exp": int(clock()) + 300}
    found = Provider(opened.issuer, CLIENT, SECRET, clock)
    for module in ("identity_oidc", "identity_pages"):
        monkeypatch.setattr(f"egide.web.{module}.provider", lambda: found)
    yield opened
    opened.close()


def invited(identity: Identity, browser: Browser, there: OidcProvider, subject: str) -> Any:
    form = {"code": identity.people.invite("moderator"), "name": f"{subject}-here", "password": ""}
    onward = browser.post("/welcome/oidc", data=form)
    address = html.unescape(re.findall(r'<a href="([^"]+)">Sign in there', onward.text)[0])
    return browser.get(CALLBACK, params=there.authorised(address, subject))


def signed_in(browser: Browser, there: OidcProvider, subject: str) -> Any:
    leaving = browser.get("/signin/oidc", params={"next": "/account"})
    assert leaving.status_code == 303
    return browser.get(CALLBACK, params=there.authorised(leaving.headers["location"], subject))


def test_who_was_invited_comes_in_by_the_provider(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    assert invited(identity, browse(), there, "4711").headers["location"] == "/account"

    browser = browse()
    assert signed_in(browser, there, "4711").headers["location"] == "/account"
    assert browser.get("/v1/whoami").json()["role"] == "moderator"


def test_who_was_not_invited_stays_outside(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    browser = browse()
    answer = signed_in(browser, there, "4712")
    assert answer.status_code == 401
    assert "ask for an invitation" in answer.text
    assert browser.cookies.get("__Host-egide") is None
    assert identity.people.accounts() == []


def test_an_account_is_linked_and_then_opened(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    onward = browser.post("/account/oidc")
    address = html.unescape(re.findall(r'<a href="([^"]+)">Sign in there', onward.text)[0])
    assert browser.get(CALLBACK, params=there.authorised(address, "1")).status_code == 303

    other = browse()
    signed_in(other, there, "1")
    assert other.get("/v1/whoami").json()["name"] == "ada"


def test_beside_the_provider_a_password_alone_opens_nothing(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    browser = browse()
    invited(identity, browser, there, "1")
    assert browser.post("/account/password", data={"new": PASSWORD}).status_code == 303

    thief = browse()
    form = {"name": "1-here", "password": PASSWORD, "code": ""}
    assert thief.post("/signin", data=form).status_code == 401
    assert thief.get("/account").status_code == 303
    assert signed_in(browse(), there, "1").status_code == 303


def test_beside_the_provider_a_password_and_a_code_sign_in(
    identity: Identity, browse: Browse, there: OidcProvider, clock: Clock
) -> None:
    browser = browse()
    secret = joined(identity, browser, "ada", "administrator")
    identity.signin.link(identity.sessions.resume(browser.cookies["__Host-egide"]), "issuer", "1")
    clock.pass_(30)

    form = {"name": "ada", "password": PASSWORD, "code": code_now(identity, secret)}
    assert browse().post("/signin", data=form).status_code == 303


def test_without_tls_nobody_leaves_for_the_provider_or_comes_back(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    browser = browse()
    code = identity.people.invite("moderator")
    onward = browser.post("/welcome/oidc", data={"code": code, "name": "ada"})
    address = html.unescape(re.findall(r'<a href="([^"]+)">Sign in there', onward.text)[0])
    brought = there.authorised(address, "1")
    plain, cookie = "http://egide.example", {"Cookie": f"egide-oidc={brought['state']}"}

    assert browser.get(f"{plain}/signin/oidc").status_code == 403
    assert browser.get(f"{plain}{CALLBACK}", params=brought, headers=cookie).status_code == 403
    assert identity.people.accounts() == []
    assert browser.get(CALLBACK, params=brought).status_code == 303


def test_a_sign_in_begun_elsewhere_does_not_end_here(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    invited(identity, browse(), there, "1")
    thief, browser = browse(), browse()
    leaving = thief.get("/signin/oidc")
    brought = there.authorised(leaving.headers["location"], "1")

    answer = browser.get(CALLBACK, params=brought)
    assert answer.status_code == 401
    assert browser.cookies.get("__Host-egide") is None


def test_what_was_brought_back_is_good_once(
    identity: Identity, browse: Browse, there: OidcProvider
) -> None:
    browser = browse()
    invited(identity, browser, there, "1")
    other = browse()
    leaving = other.get("/signin/oidc")
    state = other.cookies["__Host-egide-oidc"]
    brought = there.authorised(leaving.headers["location"], "1")
    assert other.get(CALLBACK, params=brought).headers["location"] == "/account"
    other.cookies.clear()
    other.cookies.set("__Host-egide-oidc", state)
    assert other.get(CALLBACK, params=brought).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"aud": ["egide", "another"], "azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"iat": 1 << 40},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
    ],
)
def test_a_token_that_does_not_hold_opens_nothing(
    identity: Identity, browse: Browse, there: OidcProvider, claims: dict[str, Any]
) -> None:
    invited(identity, browse(), there, "1")
    there.claims |= claims
    browser = browse()
    assert signed_in(browser, there, "1").status_code == 401
    assert browser.cookies.get("__Host-egide") is None


def test_a_token_of_another_key_opens_nothing_until_the_provider_names_the_key(
    identity: Identity, browse: Browse, there: OidcProvider, clock: Clock
) -> None:
    invited(identity, browse(), there, "1")
    published = there.get("/keys")
    assert published is not None
    there.key = rsa_key("2")
    there.header = {"alg": "RS256", "kid": "2"}
    there.answers["/keys"] = published
    browser = browse()
    assert signed_in(browser, there, "1").status_code == 401

    clock.pass_(60)
    there.claims = {"iat": int(clock()), "exp": int(clock()) + 300}
    del there.answers["/keys"]
    assert signed_in(browser, there, "1").headers["location"] == "/account"


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"nonsense", b'{"issuer": "https://elsewhere.example"}', b" " * (1 << 21)],
)
def test_what_is_no_provider_is_told_so(
    identity: Identity, browse: Browse, there: OidcProvider, answer: bytes
) -> None:
    there.answers["/.well-known/openid-configuration"] = answer
    assert browse().get("/signin/oidc").status_code == 401


@pytest.mark.parametrize("issuer", ["http://elsewhere.example", "file:///etc/passwd", "elsewhere"])
def test_a_provider_is_asked_over_https_alone(issuer: str) -> None:
    with pytest.raises(UsageError, match="must be an https address"):
        Provider(issuer, CLIENT, SECRET)


def test_without_a_provider_there_is_no_way_to_one(identity: Identity, browse: Browse) -> None:
    assert browse().get("/signin/oidc").status_code == 422
    assert "organisation" not in browse().get("/signin").text
