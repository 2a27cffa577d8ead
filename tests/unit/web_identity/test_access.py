"""Every endpoint against every role and every scope: who is let in, and who is not.

The table names every route. A route that is missing from it fails the first test; so does a line
without a route.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from egide.identity import Identity, Role, Scope
from egide.identity.scopes import FOR_PEOPLE, ROLE_SCOPES
from egide.web.app import create_app
from egide.web.identity_access import Needs, NeedsPerson
from egide.web.settings import ServeSettings
from tests.unit.web_identity.conftest import Browser, joined, open_browser

OPEN = "open"
KNOWN = "known"
"""For whoever is known, by key or session."""
SIGNED_IN = "signed in"
"""For whoever has a session; all other scopes of pages are for sessions too."""
SERVICE: dict[tuple[str, str], Scope | str] = {
    ("GET", "/livez"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/openapi.json"): OPEN,
    ("POST", "/v1/notices"): OPEN,
    ("GET", "/v1/notices/{case}"): OPEN,
    ("GET", "/v1/notices/{case}/export"): OPEN,
    ("POST", "/v1/notices/{case}/add"): OPEN,
    ("POST", "/v1/notices/{case}/withdraw"): OPEN,
    ("POST", "/v1/notices/{case}/appeal"): OPEN,
}
API: dict[tuple[str, str], Scope | str] = {
    ("POST", "/v1/scan"): Scope.SCAN_WRITE,
    ("POST", "/v1/scan/batch"): Scope.SCAN_WRITE,
    ("POST", "/v1/match"): Scope.SCAN_WRITE,
    ("GET", "/v1/library/copies"): Scope.LIBRARY_READ,
    ("POST", "/v1/library/copies"): Scope.LIBRARY_READ,
    ("DELETE", "/v1/library/contents"): Scope.SCAN_WRITE,
    ("GET", "/v1/verdicts"): Scope.SCAN_READ,
    ("GET", "/v1/verdicts/{id}"): Scope.SCAN_READ,
    ("GET", "/v1/banks"): Scope.BANK_READ,
    ("PUT", "/v1/banks/{bank}"): Scope.BANK_WRITE,
    ("GET", "/v1/banks/{bank}"): Scope.BANK_READ,
    ("DELETE", "/v1/banks/{bank}"): Scope.BANK_WRITE,
    ("GET", "/v1/banks/{bank}/entries"): Scope.BANK_READ,
    ("POST", "/v1/banks/{bank}/entries"): Scope.BANK_WRITE,
    ("GET", "/v1/banks/{bank}/entries/{entry}"): Scope.BANK_READ,
    ("PUT", "/v1/banks/{bank}/entries/{entry}/state"): Scope.BANK_WRITE,
    ("POST", "/v1/banks/{bank}/import"): Scope.BANK_WRITE,
    ("GET", "/v1/banks/{bank}/export"): Scope.BANK_READ,
    ("GET", "/v1/webhooks"): Scope.OUTBOX_READ,
    ("POST", "/v1/webhooks"): Scope.OUTBOX_WRITE,
    ("POST", "/v1/webhooks/{id}/rotate"): Scope.OUTBOX_WRITE,
    ("POST", "/v1/webhooks/{id}/disable"): Scope.OUTBOX_WRITE,
    ("POST", "/v1/webhooks/{id}/enable"): Scope.OUTBOX_WRITE,
    ("DELETE", "/v1/webhooks/{id}"): Scope.OUTBOX_WRITE,
    ("GET", "/v1/outbox"): Scope.OUTBOX_READ,
    ("POST", "/v1/outbox/{delivery}/replay"): Scope.OUTBOX_WRITE,
    ("POST", "/v1/copies/{copy}/acknowledge"): Scope.COPY_WRITE,
    ("POST", "/v1/works"): Scope.WORK_WRITE,
    ("DELETE", "/v1/works/{entry}"): Scope.WORK_WRITE,
    ("GET", "/v1/whoami"): KNOWN,
    ("GET", "/v1/keys"): Scope.KEY_READ,
    ("POST", "/v1/keys"): Scope.KEY_WRITE,
    ("POST", "/v1/keys/{name}/rotate"): Scope.KEY_WRITE,
    ("DELETE", "/v1/keys/{name}"): Scope.KEY_WRITE,
    ("GET", "/v1/audit"): Scope.AUDIT_READ,
}
PAGES: dict[tuple[str, str], Scope | str] = {
    ("GET", "/signin"): OPEN,
    ("POST", "/signin"): OPEN,
    ("POST", "/signin/passkey/options"): OPEN,
    ("POST", "/signin/passkey"): OPEN,
    ("GET", "/signin/oidc"): OPEN,
    ("GET", "/signin/oidc/callback"): OPEN,
    ("POST", "/signout"): OPEN,
    ("GET", "/welcome"): OPEN,
    ("POST", "/welcome"): OPEN,
    ("POST", "/welcome/oidc"): OPEN,
    ("GET", "/account"): SIGNED_IN,
    ("POST", "/account/password"): SIGNED_IN,
    ("POST", "/account/totp"): SIGNED_IN,
    ("POST", "/account/totp/confirm"): SIGNED_IN,
    ("POST", "/account/totp/remove"): SIGNED_IN,
    ("POST", "/account/recovery"): SIGNED_IN,
    ("POST", "/account/passkeys/options"): SIGNED_IN,
    ("POST", "/account/passkeys"): SIGNED_IN,
    ("POST", "/account/passkeys/remove"): SIGNED_IN,
    ("POST", "/account/oidc"): SIGNED_IN,
    ("POST", "/account/signout"): SIGNED_IN,
    ("GET", "/accounts"): Scope.ACCOUNT_WRITE,
    ("POST", "/accounts/invite"): Scope.ACCOUNT_WRITE,
    ("POST", "/accounts/{account}/role"): Scope.ACCOUNT_WRITE,
    ("POST", "/accounts/{account}/disable"): Scope.ACCOUNT_WRITE,
    ("POST", "/accounts/{account}/enable"): Scope.ACCOUNT_WRITE,
    ("GET", "/keys"): Scope.KEY_READ,
    ("POST", "/keys"): Scope.KEY_WRITE,
    ("POST", "/keys/{name}/rotate"): Scope.KEY_WRITE,
    ("POST", "/keys/{name}/revoke"): Scope.KEY_WRITE,
    ("GET", "/audit"): Scope.AUDIT_READ,
    ("GET", "/desk"): Scope.CASE_READ,
    ("POST", "/desk/next"): Scope.CASE_WRITE,
    ("POST", "/desk/language"): SIGNED_IN,
    ("GET", "/desk/escalated"): Scope.CASE_ESCALATED,
    ("GET", "/desk/escalated/{case}"): Scope.CASE_ESCALATED,
    ("POST", "/desk/escalated/{case}/return"): Scope.CASE_ESCALATED,
    ("GET", "/desk/cases/{case}"): Scope.CASE_READ,
    ("POST", "/desk/cases/{case}/reveal"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/claim"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/release"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/decide"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/leave"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/undo"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/confirm"): Scope.CASE_CONFIRM,
    ("POST", "/desk/cases/{case}/ask"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/note"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/escalate"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/judge"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/appeal"): Scope.CASE_WRITE,
    ("POST", "/desk/cases/{case}/copies/{copy}/look"): Scope.CASE_MEDIA,
    ("POST", "/desk/cases/{case}/copies/{copy}/clearer"): Scope.CASE_MEDIA,
    ("GET", "/desk/pictures/{token}"): Scope.CASE_MEDIA,
    ("GET", "/desk/cases/{case}/letters/{kind}"): Scope.CASE_READ,
    ("GET", "/desk/cases/{case}/copies/{copy}/statement"): Scope.CASE_READ,
    ("GET", "/figures"): OPEN,
    ("GET", "/notice"): OPEN,
    ("POST", "/notice"): OPEN,
    ("GET", "/case"): OPEN,
    ("POST", "/case"): OPEN,
    ("GET", "/appeal"): OPEN,
    ("POST", "/appeal"): OPEN,
    ("GET", "/help"): OPEN,
    ("GET", "/leave"): OPEN,
    ("POST", "/case/letter"): OPEN,
    ("POST", "/case/export"): OPEN,
    ("POST", "/appeal/letter"): OPEN,
}
KEY_SCOPES = [scope for scope in Scope if scope not in FOR_PEOPLE]
CHANGES_ITSELF = {"/signout", "/account/signout"}
"""Paths that a session does not outlive: asked with a session of their own."""


def routes(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """Method, path and dependencies of all routes, those of included routers too."""
    for context in iter_route_contexts(app.routes):
        for method in sorted(set(context.methods or ()) - {"HEAD", "OPTIONS"}):
            if context.path is not None:
                yield method, context.path, getattr(context, "dependant", None)


def guards(dependant: Any) -> list[Needs | NeedsPerson]:
    """What stands before a route, however deep."""
    if dependant is None:
        return []
    own = [dependant.call] if isinstance(dependant.call, Needs | NeedsPerson) else []
    return own + [guard for inner in dependant.dependencies for guard in guards(inner)]


def test_every_route_is_in_the_table_with_what_guards_it(app: FastAPI) -> None:
    found: dict[tuple[str, str], Scope | str] = {}
    for method, path, dependant in routes(app):
        guard = guards(dependant)
        assert len(guard) <= 1, f"{method} {path} is guarded twice"
        if not guard:
            found[method, path] = OPEN
        elif isinstance(guard[0], NeedsPerson):
            found[method, path] = guard[0].scope or SIGNED_IN
        else:
            found[method, path] = guard[0].scope or KNOWN

    assert found == SERVICE | API | PAGES


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The whole application, as `egide serve` runs it."""
    return create_app(ServeSettings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def served(app: FastAPI) -> Iterator[Browser]:
    """A browser with no cookies, before the application that runs."""
    with open_browser(app) as browser:
        yield browser


@pytest.fixture
def identity(app: FastAPI, served: Browser) -> Identity:
    """That of the application."""
    assert served
    opened: Identity = app.state.identity
    return opened


@pytest.fixture
def ask(served: Browser) -> Callable[..., int]:
    """Asks a path without a body, with the headers given; the status."""

    def asked(method: str, path: str, **headers: str) -> int:
        served.cookies.clear()
        return served.request(method, _filled(path), headers=headers).status_code

    return asked


@pytest.fixture(scope="module")
def keys(app: FastAPI, served: Browser) -> dict[frozenset[Scope], str]:
    """A key for each scope alone, and one for all."""
    assert served
    sets = [frozenset({scope}) for scope in KEY_SCOPES] + [frozenset(KEY_SCOPES)]
    made = app.state.identity.keys
    return {scopes: made.create(f"key-{n}", scopes) for n, scopes in enumerate(sets)}


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "nothing", path)


@pytest.mark.parametrize(("method", "path"), API, ids=" ".join)
def test_the_interface_refuses_strangers(ask: Callable[..., int], method: str, path: str) -> None:
    assert ask(method, path) == 401
    assert ask(method, path, authorization="Bearer egide_") == 401
    assert ask(method, path, authorization="Basic Zm9vOmJhcg==") == 401
    assert ask(method, path, cookie="__Host-egide=stolen") == 401


@pytest.mark.parametrize(("method", "path"), API, ids=" ".join)
def test_a_key_opens_what_its_scope_is_for_and_nothing_else(
    keys: dict[frozenset[Scope], str], ask: Callable[..., int], method: str, path: str
) -> None:
    needed = API[method, path]
    for scope in KEY_SCOPES:
        key = keys[frozenset({scope})]
        status = ask(method, path, authorization=f"Bearer {key}")
        if needed in (scope, KNOWN):
            assert status not in (401, 403), (scope, status)
        else:
            assert status == 403, scope


@pytest.mark.parametrize(("method", "path"), PAGES, ids=" ".join)
def test_keys_and_strangers_see_no_page(
    keys: dict[frozenset[Scope], str], ask: Callable[..., int], method: str, path: str
) -> None:
    key = keys[frozenset(KEY_SCOPES)]
    closed = PAGES[method, path] != OPEN
    for headers in ({}, {"authorization": f"Bearer {key}"}, {"cookie": "__Host-egide=stolen"}):
        status = ask(method, path, **headers)
        if closed:
            assert status == (303 if method == "GET" else 401), (headers, status)
        else:
            assert status != 403


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_what_it_is_for_and_nothing_else(
    app: FastAPI, identity: Identity, role: Role
) -> None:
    browser = open_browser(app)
    joined(identity, browser, f"an-{role}", role)
    token = browser.cookies["__Host-egide"]
    for (method, path), needed in (API | PAGES).items():
        if needed == OPEN:
            continue
        status = browser.request(method, _filled(path)).status_code
        if needed in (KNOWN, SIGNED_IN) or needed in ROLE_SCOPES[role]:
            assert status not in (303, 401, 403) or path in CHANGES_ITSELF, (method, path, status)
        else:
            assert status == 403, (method, path, status)
    assert browser.cookies["__Host-egide"] == token


@pytest.mark.parametrize("role", Role)
def test_a_role_has_no_more_than_the_administrator(role: Role) -> None:
    assert ROLE_SCOPES[role] <= ROLE_SCOPES[Role.ADMINISTRATOR]


def test_banks_are_read_by_moderators_and_changed_by_administrators() -> None:
    changing = {role for role in Role if Scope.BANK_WRITE in ROLE_SCOPES[role]}

    assert changing == {Role.ADMINISTRATOR}
    assert Scope.BANK_READ in ROLE_SCOPES[Role.MODERATOR]


def test_every_grant_and_denial_is_in_the_audit_log(
    identity: Identity, ask: Callable[..., int]
) -> None:
    key = identity.keys.create("reader", ["key:read"])
    actor = identity.keys.authenticate(f"Bearer {key}").actor
    for _ in range(3):
        ask("GET", "/v1/keys", authorization=f"Bearer {key}")
    ask("GET", "/v1/audit", authorization=f"Bearer {key}")
    ask("GET", "/v1/audit")
    ask("GET", "/audit", authorization=f"Bearer {key}")
    ask("POST", "/signout", origin="https://elsewhere.example")
    identity.audit.flush()

    # Three may fall into two seconds, and then stand in two rows.
    times: Counter[tuple[str, str, str, str]] = Counter()
    for row in identity.audit.rows():
        times[row.actor, row.action, row.outcome, row.reason] += row.times
    rows = {(*what, many) for what, many in times.items()}
    assert rows >= {
        (actor, "GET /v1/keys", "granted", "", 3),
        (actor, "GET /v1/audit", "denied", "NotAllowed", 1),
        ("nobody", "GET /v1/audit", "denied", "NotAuthenticated", 1),
        ("nobody", "GET /audit", "denied", "SignInFirst", 1),
        ("nobody", "POST ?", "denied", "NotAllowed", 1),
    }
