"""Pages for everybody: signing in and out, accepting an invitation, one's own account."""

from __future__ import annotations

from typing import Annotated, Final

import segno
from fastapi import APIRouter, Body, Depends, Form, Request, Response
from fastapi.responses import JSONResponse

from egide.errors import EgideError
from egide.identity import totp
from egide.identity.oidc import provider
from egide.identity.passwords import LONGEST
from egide.web.identity_access import (
    NeedsPerson,
    Visit,
    client_address,
    drop_session,
    hashing_of,
    identity_of,
    keep_session,
    require_tls,
    session_token,
    site_of,
)
from egide.web.identity_templates import PageRoute, own_path, page, to

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MAX_FIELD: Final = 200

Field = Annotated[str, Form(max_length=MAX_FIELD)]
Password = Annotated[str, Form(max_length=4 * LONGEST)]
Ticket = Annotated[str, Body(max_length=MAX_FIELD)]
Answer = Annotated[str, Body(max_length=20_000)]
Somebody = Annotated[Visit, Depends(NeedsPerson(None))]
SomebodyFresh = Annotated[Visit, Depends(NeedsPerson(None, fresh=True))]


@router.get("/signin")
def sign_in_page(next: str = "") -> Response:  # noqa: A002  the field's usual name
    """The form to sign in."""
    return page("signin", next=own_path(next), name="", oidc=provider() is not None)


@router.post("/signin")
async def sign_in(
    request: Request,
    name: Field,
    password: Password,
    code: Field = "",
    next: Field = "",  # noqa: A002
) -> Response:
    """Signs in by password and code."""
    path = own_path(next)
    response = to(path)
    try:
        require_tls(request)
        token = await hashing_of(request).run(
            identity_of(request).signin.by_password, name, password, code, client_address(request)
        )
        keep_session(request, response, token)
    except EgideError as error:
        return page("signin", error=error, next=path, name=name, oidc=provider() is not None)
    return response


@router.post("/signin/passkey/options")
def passkey_challenge(request: Request) -> Response:
    """What a browser needs to sign in by a passkey."""
    ticket, options = identity_of(request).passkeys.challenge(
        site_of(request), client_address(request)
    )
    return JSONResponse({"ticket": ticket, "options": options})


@router.post("/signin/passkey")
def passkey_sign_in(
    request: Request,
    ticket: Ticket,
    response: Answer,
    next: Annotated[str, Body(max_length=MAX_FIELD)] = "",  # noqa: A002
) -> Response:
    """Signs in by a passkey."""
    require_tls(request)
    token = identity_of(request).passkeys.sign_in(
        ticket, response, site_of(request), client_address(request)
    )
    answer = JSONResponse({"next": own_path(next)})
    keep_session(request, answer, token)
    return answer


@router.post("/signout")
def sign_out(request: Request) -> Response:
    """Ends the browser's session."""
    token = session_token(request)
    if token is not None:
        identity_of(request).sessions.end(token)
    response = to("/signin")
    drop_session(request, response)
    return response


@router.get("/welcome")
def welcome_page() -> Response:
    """The form to accept an invitation; its code stands behind the # of the link."""
    return page("welcome", name="", code="", oidc=provider() is not None)


@router.post("/welcome")
async def welcome(request: Request, code: Field, name: Field, password: Password) -> Response:
    """Makes the account that the invitation is for, and signs in."""
    response = to("/account")
    try:
        require_tls(request)
        _, token = await hashing_of(request).run(
            identity_of(request).people.accept, code, name, password
        )
        keep_session(request, response, token)
    except EgideError as error:
        return page("welcome", error=error, name=name, code=code, oidc=provider() is not None)
    return response


@router.get("/account")
def account_page(visit: Somebody) -> Response:
    """What one signs in with, and where one is signed in."""
    return _account(visit)


@router.post("/account/password")
async def set_password(
    request: Request, visit: SomebodyFresh, new: Password, old: Password = ""
) -> Response:
    """Another password."""
    return await hashing_of(request).run(_set_password, visit, new, old)


def _set_password(visit: Visit, new: str, old: str) -> Response:
    try:
        visit.identity.signin.set_password(visit.session, visit.token, old, new)
    except EgideError as error:
        return _account(visit, error=error)
    return to("/account")


@router.post("/account/totp")
def offer_totp(visit: SomebodyFresh) -> Response:
    """Shows a secret to put into an app."""
    ticket, secret = visit.identity.signin.offer_totp(visit.session)
    return _totp(visit, ticket, secret)


@router.post("/account/totp/confirm")
def confirm_totp(visit: SomebodyFresh, ticket: Field, code: Field) -> Response:
    """Asks for codes from now on, once one was right."""
    signin = visit.identity.signin
    secret = signin.offered_totp(visit.session, ticket)
    try:
        codes = signin.confirm_totp(visit.session, visit.token, ticket, code)
    except EgideError as error:
        return _totp(visit, ticket, secret, error)
    return page("recovery", visit, codes=codes) if codes else to("/account")


@router.post("/account/totp/remove")
def remove_totp(visit: SomebodyFresh) -> Response:
    """Asks for no codes any more."""
    visit.identity.signin.remove_totp(visit.session, visit.token)
    return to("/account")


@router.post("/account/recovery")
def recovery(visit: SomebodyFresh) -> Response:
    """Other recovery codes, shown this once."""
    return page("recovery", visit, codes=visit.identity.signin.new_recovery_codes(visit.session))


@router.post("/account/passkeys/options")
def offer_passkey(visit: SomebodyFresh) -> Response:
    """What a browser needs to make a passkey."""
    ticket, options = visit.identity.passkeys.offer(visit.session, visit.site)
    return JSONResponse({"ticket": ticket, "options": options})


@router.post("/account/passkeys")
def add_passkey(
    visit: SomebodyFresh,
    ticket: Ticket,
    response: Answer,
    name: Annotated[str, Body(max_length=MAX_FIELD)] = "",
) -> Response:
    """Keeps the passkey that the browser made; recovery codes come along the first time."""
    codes = visit.identity.passkeys.add(
        visit.session, visit.token, ticket, name, response, visit.site
    )
    return JSONResponse({"next": "/account", "codes": codes})


@router.post("/account/passkeys/remove")
def remove_passkey(visit: SomebodyFresh, id: Field) -> Response:  # noqa: A002
    """Forgets a passkey."""
    visit.identity.passkeys.remove(visit.session, id)
    return to("/account")


@router.post("/account/signout")
def sign_out_elsewhere(visit: Somebody) -> Response:
    """Ends the account's other sessions."""
    visit.identity.sessions.end_others(visit.principal.id, visit.token)
    return to("/account")


def _account(visit: Visit, error: EgideError | None = None) -> Response:
    identity, id_ = visit.identity, visit.principal.id
    return page(
        "account",
        visit,
        error=error,
        account=identity.people.account(id_),
        passkeys=identity.passkeys.of(id_),
        sessions=identity.sessions.of(id_),
        oidc=provider() is not None,
    )


def _totp(visit: Visit, ticket: str, secret: bytes, error: EgideError | None = None) -> Response:
    code = segno.make(totp.uri(secret, visit.principal.name), error="m", micro=False)
    return page(
        "totp",
        visit,
        error=error,
        ticket=ticket,
        secret=totp.base32(secret),
        picture=code.svg_data_uri(scale=4),
    )
