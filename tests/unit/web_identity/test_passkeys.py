"""A passkey stands for both factors; one of another site, or without its person, for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from egide.identity import Identity
from tests.authenticator import PRESENT, Authenticator
from tests.unit.identity.conftest import Clock
from tests.unit.web_identity.conftest import ORIGIN, PASSWORD, Browser, joined

pytestmark = pytest.mark.both_databases

Browse = Callable[[], Browser]


def newcomer(identity: Identity, browser: Browser, name: str = "ada") -> None:
    code = identity.people.invite("administrator")
    browser.post("/welcome", data={"code": code, "name": name, "password": PASSWORD})


def add(browser: Browser, authenticator: Authenticator) -> Any:
    offer = browser.post("/account/passkeys/options", json={}).json()
    response = authenticator.create(offer["options"])
    body = {"ticket": offer["ticket"], "response": response, "name": "key ring"}
    return browser.post("/account/passkeys", json=body)


def sign_in(browser: Browser, authenticator: Authenticator) -> Any:
    offer = browser.post("/signin/passkey/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": authenticator.get(offer["options"])}
    return browser.post("/signin/passkey", json=body)


def test_a_passkey_alone_signs_in(identity: Identity, browse: Browse) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    newcomer(identity, browser)
    assert browser.get("/keys").status_code == 403
    added = add(browser, authenticator)
    assert (added.status_code, len(added.json()["codes"])) == (200, 10)
    assert browser.get("/keys").status_code == 200

    other = browse()
    answer = sign_in(other, authenticator)
    assert (answer.status_code, answer.json()) == (200, {"next": "/account"})
    assert other.get("/keys").status_code == 200
    assert "key ring" in other.get("/account").text


def test_beside_a_passkey_a_password_is_not_enough(identity: Identity, browse: Browse) -> None:
    browser = browse()
    newcomer(identity, browser)
    codes = add(browser, Authenticator(ORIGIN)).json()["codes"]
    form = {"name": "ada", "password": PASSWORD}

    assert browse().post("/signin", data=form).status_code == 401
    assert browse().post("/signin", data=form | {"code": codes[0]}).status_code == 303


def test_a_challenge_is_good_once_and_for_a_while(
    identity: Identity, browse: Browse, clock: Clock
) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    newcomer(identity, browser)
    add(browser, authenticator)
    offer = browser.post("/signin/passkey/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": authenticator.get(offer["options"])}

    assert browse().post("/signin/passkey", json=body).status_code == 200
    assert browse().post("/signin/passkey", json=body).status_code == 401
    offer = browser.post("/signin/passkey/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": authenticator.get(offer["options"])}
    clock.pass_(300)
    assert browse().post("/signin/passkey", json=body).status_code == 401


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://egide.example"])
def test_a_passkey_used_on_another_page_opens_nothing(
    identity: Identity, browse: Browse, origin: str
) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    newcomer(identity, browser)
    assert add(browser, Authenticator(origin)).status_code == 422
    add(browser, authenticator)

    authenticator.origin = origin
    assert sign_in(browse(), authenticator).status_code == 401


def test_a_passkey_without_its_person_opens_nothing(identity: Identity, browse: Browse) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    newcomer(identity, browser)
    assert add(browser, Authenticator(ORIGIN, PRESENT)).status_code == 422
    add(browser, authenticator)

    authenticator.flags = PRESENT
    assert sign_in(browse(), authenticator).status_code == 401


def test_a_copied_passkey_is_noticed_by_its_counter(identity: Identity, browse: Browse) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    newcomer(identity, browser)
    add(browser, authenticator)
    authenticator.counter = 10
    assert sign_in(browse(), authenticator).status_code == 200

    authenticator.counter = 5
    assert sign_in(browse(), authenticator).status_code == 401


def test_an_offer_is_not_for_somebody_else(identity: Identity, browse: Browse) -> None:
    ada, eve = browse(), browse()
    newcomer(identity, ada)
    newcomer(identity, eve, "eve")
    offer = ada.post("/account/passkeys/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": Authenticator(ORIGIN).create(offer["options"])}

    assert eve.post("/account/passkeys", json=body).status_code == 401
    assert identity.people.named("eve").passkeys == 0


@pytest.mark.parametrize(
    "response",
    [
        *("", "[]", "{}", '{"id": 3}', '{"id": "AA"}', "\x00", "9" * 19_000),
        *("[" * 5_000, '{"id":' + "[" * 5_000, '{"id":' + "[" * 800 + "]" * 800 + "}"),
    ],
    ids=lambda response: ascii(response[:20]),
)
def test_what_is_no_answer_of_a_browser_opens_nothing(
    identity: Identity, browse: Browse, response: str
) -> None:
    browser = browse()
    newcomer(identity, browser)
    offer = browser.post("/account/passkeys/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": response}
    assert browser.post("/account/passkeys", json=body).status_code == 422
    offer = browser.post("/signin/passkey/options", json={}).json()
    body = {"ticket": offer["ticket"], "response": response}
    assert browser.post("/signin/passkey", json=body).status_code == 401


def test_the_last_second_factor_stays(identity: Identity, browse: Browse) -> None:
    browser, authenticator = browse(), Authenticator(ORIGIN)
    joined(identity, browser, "ada", "administrator")
    assert browser.post("/account/totp/remove").status_code == 422
    add(browser, authenticator)
    assert browser.post("/account/totp/remove").status_code == 303
    passkey = identity.passkeys.of(identity.people.named("ada").id)[0]
    assert browser.post("/account/passkeys/remove", data={"id": passkey.id}).status_code == 422
    assert sign_in(browse(), authenticator).status_code == 200
