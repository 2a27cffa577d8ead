"""Routes that lead to the organisation's OpenID provider and back."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from egide.errors import NotAuthenticated, UsageError
from egide.identity.attempts import CHALLENGES
from egide.identity.oidc import Provider, Subject, provider
from egide.identity.tickets import SECONDS, TicketKind
from egide.web.identity_access import (
    NeedsPerson,
    Visit,
    client_address,
    identity_of,
    is_secure,
    keep_session,
    require_tls,
    session_token,
    site_of,
)
from egide.web.identity_templates import PageRoute, own_path, page, to

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CALLBACK: Final = "/signin/oidc/callback"

SomebodyFresh = Annotated[Visit, Depends(NeedsPerson(None, fresh=True))]


@router.get("/signin/oidc")
def leave(request: Request, next: str = "") -> Response:  # noqa: A002  the field's usual name
    """Leads to the provider, to sign in."""
    address, state = _begin(request, {"next": own_path(next)})
    response = RedirectResponse(address, 303)
    _keep_state(request, response, state)
    return response


@router.post("/welcome/oidc")
def leave_invited(
    request: Request,
    code: Annotated[str, Form(max_length=100)],
    name: Annotated[str, Form(max_length=100)],
) -> Response:
    """Leads to the provider, to make an account without a password."""
    identity_of(request).tickets.look(TicketKind.INVITATION, code)
    return _onward(request, {"invitation": code, "name": name})


@router.post("/account/oidc")
def leave_to_link(request: Request, visit: SomebodyFresh) -> Response:
    """Leads to the provider, to link the account."""
    return _onward(request, {"link": visit.principal.id})


@router.get(CALLBACK)
def come_back(
    request: Request,
    state: Annotated[str, Query(max_length=100)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Where the provider sends the browser back to."""
    require_tls(request)
    identity = identity_of(request)
    identity.signin.attempts.count_address(client_address(request))
    kept = request.cookies.get(_cookie(request), "")
    if not state or not hmac.compare_digest(kept.encode(), state.encode()):
        raise NotAuthenticated("this sign-in was not begun in this browser; begin again")
    if not code:
        raise NotAuthenticated("the provider did not let you in; ask there why")
    subject, purpose = _provider().finish(identity.tickets, _redirect(request), state, code)
    response = _arrive(request, subject, purpose)
    response.delete_cookie(_cookie(request), path="/", secure=is_secure(request), httponly=True)
    return response


def _arrive(request: Request, subject: Subject, purpose: dict[str, Any]) -> Response:
    """Does what the browser was led away for."""
    identity = identity_of(request)
    if "link" in purpose:
        session = identity.sessions.resume(session_token(request) or "")
        if session.principal.id != purpose["link"]:
            raise NotAuthenticated("somebody else is signed in now; begin again")
        identity.signin.link(session, subject.issuer, subject.id)
        return to("/account")
    if "invitation" in purpose:
        _, token = identity.people.accept_from(
            purpose["invitation"], purpose["name"], (subject.issuer, subject.id)
        )
    else:
        token = identity.signin.by_subject(subject.issuer, subject.id, client_address(request))
    response = to(purpose.get("next", "/account"))
    keep_session(request, response, token)
    return response


def _onward(request: Request, purpose: dict[str, Any]) -> Response:
    """A page with the link onward: a form may not lead to another site (`form-action`)."""
    address, state = _begin(request, purpose)
    response = page("onward", address=address)
    _keep_state(request, response, state)
    return response


def _begin(request: Request, purpose: dict[str, Any]) -> tuple[str, str]:
    require_tls(request)
    identity_of(request).signin.attempts.count_address(client_address(request), CHALLENGES)
    tickets = identity_of(request).tickets
    return _provider().begin(tickets, _redirect(request), purpose)


def _keep_state(request: Request, response: Response, state: str) -> None:
    response.set_cookie(
        _cookie(request),
        state,
        max_age=SECONDS[TicketKind.OIDC],
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def _cookie(request: Request) -> str:
    return "__Host-egide-oidc" if is_secure(request) else "egide-oidc"


def _redirect(request: Request) -> str:
    return site_of(request).origin + CALLBACK


def _provider() -> Provider:
    found = provider()
    if found is None:
        raise UsageError("no OpenID provider is set up here; sign in by password or passkey")
    return found
