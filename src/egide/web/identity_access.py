"""Who asks, and what a route needs: the scope that the principal must hold, by key or session."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from egide.errors import AccessError, NotAllowed, NotAuthenticated, UsageError
from egide.identity import Identity, Principal, Scope
from egide.identity.audit import DENIED, NOBODY
from egide.identity.oidc import LOOPBACK
from egide.identity.passkeys import Site
from egide.identity.sessions import Method, Session
from egide.web.threads import Threads

SESSION_COOKIE: Final = "__Host-egide"
"""Browsers send a cookie of this prefix to this very host alone, and only over TLS."""
PLAIN_COOKIE: Final = "egide"
"""What it is called without TLS: on the machine itself, to try things out."""
LASTING: Final = frozenset({Scope.KEY_WRITE, Scope.ACCOUNT_WRITE})
"""What they open outlasts the session: not for a cookie that was stolen hours after signing in."""
STALE: Final = "this changes who gets in; sign in again to do it"


class SignInFirst(NotAuthenticated):
    """Sign in first."""


class Needs:
    """A dependency of a route: the principal who asks, if it holds `scope`.

    NotAuthenticated, NotAllowed. Every answer is counted in the audit log. `scope` is None where
    it is enough to be known.
    """

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        """Looks at the header Authorization first, then for a session."""
        identity = identity_of(request)
        principal = NOBODY
        try:
            principal, stale = await _known(request, identity)
            if self.scope is not None:
                principal.require(self.scope)
            if stale and self.scope in LASTING:
                raise NotAuthenticated(STALE)
        except AccessError as error:
            note_denial(request, principal, error)
            raise
        identity.audit.note(principal, action(request), address=client_address(request))
        return principal


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person's request for a page: the session, its token, and where it arrived."""

    identity: Identity
    session: Session
    token: str
    site: Site

    @property
    def principal(self) -> Principal:
        """Who is signed in."""
        return self.session.principal


class NeedsPerson:
    """A dependency of a page: somebody signed in who holds `scope`.

    With `fresh`, lately: for what changes who gets in. SignInFirst, NotAllowed. `scope` is
    None where it is enough to be signed in, if only by a password.
    """

    def __init__(self, scope: Scope | None, *, fresh: bool = False) -> None:
        self.scope = scope
        self.fresh = fresh

    def __call__(self, request: Request) -> Visit:
        """Looks for a session; keys open no pages."""
        identity, token = identity_of(request), session_token(request) or ""
        principal = NOBODY
        try:
            session = _session(identity, token)
            principal = session.principal
            self._check(identity, session)
        except AccessError as error:
            note_denial(request, principal, error)
            raise
        identity.audit.note(principal, action(request), address=client_address(request))
        return Visit(identity, session, token, site_of(request))

    def _check(self, identity: Identity, session: Session) -> None:
        if self.scope is not None:
            if session.method is Method.PASSWORD:
                raise NotAllowed("a password alone is not enough; set up codes or a passkey first")
            session.principal.require(self.scope)
        if self.fresh and not session.fresh(identity.clock()):
            raise SignInFirst(STALE)


def _session(identity: Identity, token: str) -> Session:
    try:
        return identity.sessions.resume(token)
    except NotAuthenticated as error:
        raise SignInFirst(error.detail) from None


def identity_of(request: Request) -> Identity:
    """What the application was given as `state.identity`."""
    identity: Identity = request.app.state.identity
    return identity


def note_denial(request: Request, principal: Principal, error: Exception) -> None:
    """Counts a refused request in the audit log."""
    identity_of(request).audit.note(
        principal,
        action(request),
        outcome=DENIED,
        reason=type(error).__name__,
        address=client_address(request),
    )


def action(request: Request) -> str:
    """The method and the route's own path, without what stands in its place in this request."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', '?')}"


def session_token(request: Request) -> str | None:
    """What the session's cookie holds, if there is one."""
    return request.cookies.get(cookie_name(request))


def cookie_name(request: Request) -> str:
    """The name of the session's cookie where this request came in."""
    return SESSION_COOKIE if is_secure(request) else PLAIN_COOKIE


def hashing_of(request: Request) -> Threads:
    """Where passwords are hashed: a crowd at the door must not take the house."""
    threads: Threads = request.app.state.hashing
    return threads


def require_tls(request: Request) -> None:
    """NotAllowed over a network without TLS: asked before a sign-in has any effect."""
    if not is_secure(request) and urlsplit(site_of(request).origin).hostname not in LOOPBACK:
        raise NotAllowed(
            "people sign in over https only, or on the machine itself; put a proxy with TLS in "
            "front and name its address in EGIDE_PUBLIC_URL"
        )


def keep_session(request: Request, response: Response, token: str) -> None:
    """Gives the browser the session's cookie; NotAllowed as `require_tls`."""
    require_tls(request)
    response.set_cookie(
        cookie_name(request),
        token,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, response: Response) -> None:
    """Takes the session's cookie from the browser."""
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def is_secure(request: Request) -> bool:
    """Whether browsers reach us over TLS: directly, or by the proxy at EGIDE_PUBLIC_URL."""
    site = public_url()
    return (request.scope["scheme"] if site is None else urlsplit(site).scheme) == "https"


def site_of(request: Request) -> Site:
    """The origin of our pages: that of EGIDE_PUBLIC_URL, or what the request was sent to."""
    address = urlsplit(public_url() or str(request.base_url))
    return Site(f"{address.scheme}://{address.netloc}".lower())


@cache
def public_url() -> str | None:
    """EGIDE_PUBLIC_URL, if it is set; UsageError when it is no address of a site."""
    text = os.environ.get("EGIDE_PUBLIC_URL")
    if not text:
        return None
    try:
        address = urlsplit(text)
        wrong = address.scheme not in ("http", "https") or not address.hostname or address.query
    except ValueError:
        wrong = True
    if wrong or address.path not in ("", "/") or address.username is not None:
        raise UsageError(
            f"EGIDE_PUBLIC_URL {text[:200]!r} is not where a site is; give one such as "
            "https://egide.example, without a path"
        )
    return text.rstrip("/")


def client_address(request: Request) -> str:
    """The address that asks, as the server tells it; empty when it does not."""
    return request.client.host if request.client else ""


async def _known(request: Request, identity: Identity) -> tuple[Principal, bool]:
    """Who asks, and whether by a session that is no longer fresh; NotAuthenticated."""
    authorization = request.headers.get("authorization")
    token = session_token(request)
    if authorization is None and token is not None:
        session = await run_in_threadpool(identity.sessions.resume, token)
        return session.principal, not session.fresh(identity.clock())
    # Nine times in ten the key is remembered, and no thread is needed to wait for the database.
    remembered = identity.keys.recall(authorization)
    if remembered is not None:
        return remembered, False
    return await run_in_threadpool(identity.keys.authenticate, authorization), False
