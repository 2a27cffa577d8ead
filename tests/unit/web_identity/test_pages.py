"""People are invited, set up what they sign in with, sign in, and cannot be impersonated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from egide.errors import UsageError
from egide.identity import Identity
from egide.identity.sessions import FRESH_SECONDS, IDLE_SECONDS, LONGEST_SECONDS
from egide.identity.tickets import TicketKind
from egide.web.identity import install
from egide.web.identity_access import public_url
from tests.unit.identity.conftest import Clock
from tests.unit.web_identity.conftest import ORIGIN, PASSWORD, Browser, code_now, joined

pytestmark = pytest.mark.both_databases

Browse = Callable[[], Browser]


def sign_in(browser: Browser, name: str, code: str, password: str = PASSWORD) -> int:
    answer = browser.post("/signin", data={"name": name, "password": password, "code": code})
    return answer.status_code


def test_the_first_administrator_comes_by_the_link_and_there_is_no_second(
    identity: Identity, browse: Browse
) -> None:
    one, other = identity.people.invite_first(), identity.people.invite_first()
    assert len({one, other, None}) == 3

    made = browse().post("/welcome", data={"code": one, "name": "Ada", "password": PASSWORD})
    again = browse().post("/welcome", data={"code": one, "name": "eve", "password": PASSWORD})
    late = browse().post("/welcome", data={"code": other, "name": "eve", "password": PASSWORD})

    assert (made.status_code, again.status_code, late.status_code) == (303, 401, 401)
    assert "There is an administrator already" in late.text
    assert [(a.name, a.role) for a in identity.people.accounts()] == [("ada", "administrator")]
    assert identity.people.invite_first() is None


def test_an_invitation_survives_a_mistake_and_ends_after_two_days(
    identity: Identity, browse: Browse, clock: Clock
) -> None:
    code, late = identity.people.invite("auditor"), identity.people.invite("auditor")
    browser = browse()
    form = {"code": code, "name": "bo", "password": "short"}

    assert browser.post("/welcome", data=form).status_code == 422
    assert browser.post("/welcome", data=form | {"password": "a" * 20}).status_code == 422
    assert (
        browser.post("/welcome", data=form | {"name": "<b>", "password": PASSWORD}).status_code
        == 422
    )
    assert browser.post("/welcome", data=form | {"password": PASSWORD}).status_code == 303
    clock.pass_(2 * 86_400)
    form = {"code": late, "name": "cy", "password": PASSWORD}
    assert browser.post("/welcome", data=form).status_code == 401


def test_an_invitation_ends_with_the_account_that_made_it(
    identity: Identity, browse: Browse
) -> None:
    admin = browse()
    joined(identity, admin, "ada", "administrator")
    joined(identity, browse(), "cy", "administrator")
    codes = []
    for _ in range(2):
        page = admin.post("/accounts/invite", data={"role": "administrator"}).text
        codes += re.findall(r"/welcome#([\w-]+)", page)
    ada = identity.people.named("ada").id

    def accepted(code: str, name: str) -> int:
        form = {"code": code, "name": name, "password": PASSWORD}
        return browse().post("/welcome", data=form).status_code

    identity.people.disable(ada)
    assert accepted(codes[0], "bo") == 401
    identity.people.enable(ada)
    assert accepted(codes[0], "bo") == 303
    identity.people.set_role(ada, "auditor")
    assert accepted(codes[1], "di") == 401


def test_an_invitation_of_an_earlier_version_is_good(identity: Identity, browse: Browse) -> None:
    body = {"role": "auditor", "first": False}
    code = identity.tickets.issue(TicketKind.INVITATION, body)
    form = {"code": code, "name": "bo", "password": PASSWORD}

    assert browse().post("/welcome", data=form).status_code == 303


def test_a_password_alone_opens_nothing_but_the_way_to_a_second_factor(
    identity: Identity, browse: Browse
) -> None:
    browser = browse()
    code = identity.people.invite("administrator")
    browser.post("/welcome", data={"code": code, "name": "ada", "password": PASSWORD})

    assert browser.get("/account").status_code == 200
    for path in ("/accounts", "/keys", "/audit"):
        assert browser.get(path).status_code == 403
    assert browser.post("/accounts/invite", data={"role": "administrator"}).status_code == 403
    assert browser.get("/v1/keys").status_code == 403


def test_with_codes_set_up_a_password_is_not_enough(identity: Identity, browse: Browse) -> None:
    joined(identity, browse(), "ada", "administrator")
    browser = browse()

    assert sign_in(browser, "ada", "") == 401
    assert sign_in(browser, "ada", "000000") == 401
    assert sign_in(browser, "ada", "é") == 401
    assert browser.get("/keys").status_code == 303


def test_a_code_works_once(identity: Identity, browse: Browse, clock: Clock) -> None:
    secret = joined(identity, browse(), "ada", "administrator")
    assert sign_in(browse(), "ada", code_now(identity, secret)) == 401, (
        "it confirmed the setting up"
    )

    clock.pass_(30)
    code = code_now(identity, secret)
    browser = browse()
    assert sign_in(browser, "ADA ", code) == 303
    assert browser.get("/keys").status_code == 200
    assert sign_in(browse(), "ada", code) == 401


def test_a_recovery_code_works_once(identity: Identity, browse: Browse) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    codes = re.findall(r"<code>(.*)</code>", browser.post("/account/recovery").text)
    assert len(codes) == 10

    other = browse()
    assert sign_in(other, "ada", codes[0].upper().replace("-", " ")) == 303
    assert sign_in(other, "ada", codes[0]) == 401
    assert identity.people.named("ada").recovery == 9


def test_nothing_tells_whether_a_name_exists(identity: Identity, browse: Browse) -> None:
    joined(identity, browse(), "ada", "moderator")
    bodies = []
    for name in ("ada", "eve"):
        answer = browse().post("/signin", data={"name": name, "password": "wrong", "code": ""})
        bodies.append((answer.status_code, answer.text.replace(name, "")))

    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_guessing_is_slowed_down_by_name(
    identity: Identity, browse: Browse, name: str, clock: Clock
) -> None:
    secret = joined(identity, browse(), "ada", "moderator")
    clock.pass_(3600)
    browser = browse()
    statuses = [sign_in(browser, name, "", "wrong") for _ in range(9)]

    assert statuses == [401] * 8 + [429]
    answer = browser.post(
        "/signin", data={"name": name, "password": PASSWORD, "code": code_now(identity, secret)}
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")
    clock.pass_(300)
    right = sign_in(browser, name, code_now(identity, secret))
    assert right == (303 if name == "ada" else 401)


def test_a_session_ends_when_nobody_is_there_and_in_any_case(
    identity: Identity, browse: Browse, clock: Clock
) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    clock.pass_(IDLE_SECONDS)
    assert browser.get("/account").headers["location"] == "/signin?next=/account"

    browser = browse()
    joined(identity, browser, "bo", "administrator")
    for _ in range(LONGEST_SECONDS // 1800 - 1):
        clock.pass_(1800)
        assert browser.get("/account").status_code == 200
    clock.pass_(1800)
    assert browser.get("/account").status_code == 303


def test_what_changes_who_gets_in_wants_a_fresh_session(
    identity: Identity, browse: Browse, clock: Clock
) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    assert browser.post("/keys", data={"name": "a", "scope": "scan:write"}).status_code == 200

    clock.pass_(FRESH_SECONDS)
    assert browser.post("/keys", data={"name": "b", "scope": "scan:write"}).status_code == 401
    assert browser.post("/accounts/invite", data={"role": "auditor"}).status_code == 401
    assert browser.post("/v1/keys", json={"name": "c", "scopes": ["scan:write"]}).status_code == 401
    assert browser.delete("/v1/keys/a").status_code == 401
    assert browser.get("/v1/keys").status_code == 200
    assert browser.get("/keys").status_code == 200
    assert [key.name for key in identity.keys.records()] == ["a"]


def test_signing_out_ends_the_session_itself(identity: Identity, browse: Browse) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    token = browser.cookies["__Host-egide"]

    assert browser.post("/signout").headers["location"] == "/signin"
    thief = browse()
    thief.cookies.set("__Host-egide", token)
    assert thief.get("/account").status_code == 303


def test_closing_an_account_or_changing_its_role_signs_it_out(
    identity: Identity, browse: Browse
) -> None:
    admin, browser = browse(), browse()
    joined(identity, admin, "ada", "administrator")
    joined(identity, browser, "bo", "moderator")
    bo = identity.people.named("bo").id

    assert admin.post(f"/accounts/{bo}/role", data={"role": "auditor"}).status_code == 303
    assert browser.get("/account").status_code == 303
    assert identity.people.named("bo").role == "auditor"
    assert admin.post(f"/accounts/{bo}/disable").status_code == 303
    assert sign_in(browser, "bo", "") == 401
    assert admin.post(f"/accounts/{bo}/role", data={"role": "root"}).status_code == 422


def test_the_last_administrator_stays(identity: Identity, browse: Browse) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    ada = identity.people.named("ada").id

    assert browser.post(f"/accounts/{ada}/disable").status_code == 403
    assert browser.post(f"/accounts/{ada}/role", data={"role": "auditor"}).status_code == 403
    assert identity.people.named("ada").disabled is None


def test_a_new_password_ends_the_other_sessions(
    identity: Identity, browse: Browse, clock: Clock
) -> None:
    here, there = browse(), browse()
    secret = joined(identity, here, "ada", "moderator")
    clock.pass_(30)
    assert sign_in(there, "ada", code_now(identity, secret)) == 303

    form = {"old": "wrong", "new": "other words for a test"}
    assert here.post("/account/password", data=form).status_code == 403
    assert here.post("/account/password", data=form | {"old": PASSWORD}).status_code == 303
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_the_cookie_is_of_this_host_out_of_scripts_reach_and_over_tls_alone(
    identity: Identity, browse: Browse
) -> None:
    code = identity.people.invite("auditor")
    answer = browse().post("/welcome", data={"code": code, "name": "bo", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]

    assert cookie.startswith("__Host-egide=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} == set(cookie.split("; ")[1:])


def test_nobody_signs_in_over_a_network_without_tls(identity: Identity, browse: Browse) -> None:
    code = identity.people.invite("auditor")
    form = {"code": code, "name": "bo", "password": PASSWORD}
    browser = browse()
    plain = "http://egide.example"
    far = browser.post(f"{plain}/welcome", data=form, headers={"Origin": plain})
    assert far.status_code == 403
    assert "EGIDE_PUBLIC_URL" in far.text
    assert identity.people.accounts() == []
    assert browser.post("/welcome", data=form).status_code == 303


def test_without_tls_no_code_is_used_up(identity: Identity, browse: Browse) -> None:
    browser, plain = browse(), "http://egide.example"
    joined(identity, browser, "ada", "moderator")
    page = browser.post("/account/recovery").text
    (recovery, *_) = re.findall(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", page)
    form = {"name": "ada", "password": PASSWORD, "code": recovery}

    assert browse().post(f"{plain}/signin", data=form, headers={"Origin": plain}).status_code == 403
    assert len(identity.sessions.of(identity.people.named("ada").id)) == 1
    assert sign_in(browse(), "ada", recovery) == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": f"{ORIGIN}.elsewhere.example"},
        {"Origin": "http://egide.example"},
        {},
    ],
)
def test_what_another_site_sends_is_refused(
    identity: Identity, browse: Browse, headers: dict[str, str]
) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    for name in ("origin", "sec-fetch-site"):
        del browser.headers[name]

    for path in ("/keys", "/v1/keys", "/signout", "/signin", "/welcome"):
        assert browser.post(path, headers=headers).status_code == 403, path
    assert browser.delete("/v1/keys/uploads", headers=headers).status_code == 403
    assert identity.keys.records() == []
    assert browser.get("/account", headers=headers).status_code == 200


def test_pages_do_not_go_by_a_header_that_they_do_not_read(
    identity: Identity, browse: Browse
) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    other = {"Origin": "https://other.egide.example", "Sec-Fetch-Site": "same-site"}

    for given in ("Basic eDp5", "Bearer egide_"):
        headers = other | {"Authorization": given}
        data = {"role": "administrator"}
        assert browser.post("/accounts/invite", data=data, headers=headers).status_code == 403
        assert browser.post("/v1/keys", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/keys", "/keys"),
        ("/notice", "/notice"),
        ("/case/letter", "/case"),
        ("/desk/cases/EG-2222-2222/decide", "/desk"),
        ("/signout", "/"),
        ("/<script>", "/"),
        ("/", "/"),
    ],
)
def test_a_browser_shows_a_plain_page_for_what_another_site_sent(
    browse: Browse, path: str, leads: str
) -> None:
    browser = browse()
    headers = {
        "Origin": "https://elsewhere.example",
        "Sec-Fetch-Site": "cross-site",
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    }
    for language, said in (("en", "This form was not taken"), ("fr-FR, en;q=0.5", "pas été pris")):
        answer = browser.post(path, headers=headers | {"Accept-Language": language})
        assert answer.status_code == 403
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["content-language"] == language[:2]
        assert f'<html lang="{language[:2]}">' in answer.text
        assert said in answer.text
        assert f'href="{leads}"' in answer.text
        assert "<script" not in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
    browser.cookies.set("language", "fr")
    assert "pas été pris" in browser.post(path, headers=headers).text


@pytest.mark.parametrize(("path", "accept"), [("/v1/keys", "text/html"), ("/keys", "*/*")])
def test_programs_are_told_in_json(browse: Browse, path: str, accept: str) -> None:
    browser = browse()
    browser.cookies.set("__Host-egide", "stolen")
    headers = {"Origin": "https://elsewhere.example", "Accept": accept}
    answer = browser.post(path, headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("next_", "leads_to"),
    [
        ("/keys", "/keys"),
        ("//elsewhere.example", "/account"),
        ("/\\elsewhere.example", "/account"),
        ("https://elsewhere.example", "/account"),
        ("/a\r\nSet-Cookie: x", "/account"),
        ("", "/account"),
    ],
)
def test_after_signing_in_one_stays_here(
    identity: Identity, browse: Browse, next_: str, leads_to: str, clock: Clock
) -> None:
    secret = joined(identity, browse(), "ada", "administrator")
    clock.pass_(30)
    form = {"name": "ada", "password": PASSWORD, "code": code_now(identity, secret), "next": next_}

    assert browse().post("/signin", data=form).headers["location"] == leads_to


def test_pages_allow_no_foreign_and_no_inline_script(identity: Identity, browse: Browse) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    for path in ("/signin", "/welcome", "/account", "/accounts", "/keys", "/audit"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]*src=)| on\w+=| style=|<style", answer.text), path
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "max-age" in answer.headers["strict-transport-security"]


def test_what_people_type_is_shown_as_text(identity: Identity, browse: Browse) -> None:
    hostile = '"><script>alert(1)</script>{{ 7 * 7 }}'
    answer = browse().post("/signin", data={"name": hostile, "password": "x"})

    assert "<script>alert" not in answer.text
    assert "49" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_no_name_no_password_no_address_is_in_the_audit_log(
    identity: Identity, browse: Browse
) -> None:
    browser = browse()
    joined(identity, browser, "ada-lovelace", "administrator")
    sign_in(browser, "ada-lovelace", "123456")
    identity.audit.flush()

    rows = identity.audit.rows(limit=500)
    assert {"account.create", "account.totp", "signin", "POST /account/totp"} <= {
        row.action for row in rows
    }
    assert any(row.outcome == "denied" and row.action == "signin" for row in rows)
    assert all(len(row.origin) in (0, 16) for row in rows)
    assert not re.search(r"lovelace|testclient|123456|neutral words", repr(rows))


@pytest.mark.parametrize(
    "host", ["[", "", "a b", "user@elsewhere.example", "\x7f", "egide.example:x"]
)
def test_a_host_that_is_none_breaks_nothing(browse: Browse, host: str) -> None:
    browser = browse()
    assert browser.get("/signin", headers={"Host": host}).status_code == 200
    answer = browser.post("/signin", data={"name": "a", "password": "b"}, headers={"Host": host})
    assert answer.status_code in (401, 403)


def test_challenges_are_given_out_with_measure(browse: Browse, clock: Clock) -> None:
    browser = browse()
    statuses = [browser.post("/signin/passkey/options", json={}).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    clock.pass_(2)
    assert browser.post("/signin/passkey/options", json={}).status_code == 200


def test_behind_a_proxy_its_address_counts(
    identity: Identity, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_PUBLIC_URL", f"{ORIGIN}/")
    public_url.cache_clear()
    inside = "http://127.0.0.1:8080"
    form = {"code": identity.people.invite("auditor"), "name": "bo", "password": PASSWORD}
    browser = browse()

    foreign = browser.post(f"{inside}/welcome", data=form, headers={"Origin": inside})
    assert foreign.status_code == 403
    answer = browser.post(f"{inside}/welcome", data=form)
    assert answer.headers["set-cookie"].startswith("__Host-egide=")


@pytest.mark.parametrize(
    "address", ["egide.example", "ftp://egide.example", "https://[", "https://a/b", "https://u@a"]
)
def test_a_public_address_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("EGIDE_PUBLIC_URL", address)
    public_url.cache_clear()
    with pytest.raises(UsageError, match="is not where a site is"):
        install(FastAPI())


HOSTILE = ["\x00", "a\x00b", "\ud800", "' OR 1=1 --", "%", "\u202e", "\uffff", "a" * 199]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_text_makes_the_service_stumble(identity: Identity, browse: Browse, text: str) -> None:
    browser = browse()
    joined(identity, browser, "ada", "administrator")
    sent = text.encode("utf-8", "surrogatepass")
    quoted = quote(sent, safe="")
    form = {"name": sent, "password": sent, "code": sent}

    assert browse().post("/signin", data=form).status_code in (401, 422)
    assert written(browser, {"ticket": text, "response": text}) in (401, 422)
    offer = browser.post("/signin/passkey/options", json={}).json()
    response = json.dumps({"id": text})
    assert written(browser, {"ticket": offer["ticket"], "response": response}) == 401
    assert browser.post("/account/passkeys/remove", data={"id": sent}).status_code == 422
    assert browser.post(f"/accounts/{quoted}/disable").status_code == 404
    assert browser.post(f"/keys/{quoted}/revoke").status_code == 404
    assert browser.delete(f"/v1/keys/{quoted}").status_code == 404
    assert browser.post(f"/v1/keys/{quoted}/rotate", json={}).status_code == 404
    assert browser.get(f"/v1/audit?actor={quoted}").status_code == 422
    assert browser.get(f"/signin?next={quoted}").status_code == 200
    stranger = browse()
    cookie, key = [(b"cookie", b"__Host-egide=" + sent)], [(b"authorization", b"Bearer " + sent)]
    assert stranger.get("/account", headers=cookie).status_code == 303
    assert stranger.get("/v1/whoami", headers=key).status_code == 401


def written(browser: Browser, document: object) -> int:
    """Sends JSON as anybody may write it: with escapes that stand for half a character."""
    headers = {"Content-Type": "application/json"}
    content = json.dumps(document)
    return browser.post("/signin/passkey", content=content, headers=headers).status_code
