"""Around the whole application: what browsers must not do for others, and what they are told.

Forgery across sites is told by `Sec-Fetch-Site` and `Origin`, which pages cannot set; there is no
token to be put into forms, and none to be stolen. A request of the interface with the header
Authorization was not made by a browser on its own, and needs no such check; pages do not read that
header, and go by the cookie whether it is there or not.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from egide.errors import NotAllowed
from egide.identity.audit import NOBODY
from egide.web.forged_page import API, forged_page, wants_page
from egide.web.identity_access import is_secure, note_denial, session_token, site_of
from egide.web.problems import Problem

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Sent with every answer, unless the answer has its own."""
STRICT_TRANSPORT: Final = "max-age=31536000"


class Guard:
    """ASGI middleware: refuses what another site made a browser send; adds the headers above."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        secure = is_secure(request)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if secure:
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        if forged(request):
            error = NotAllowed("the request came from another site; use the pages of this one")
            note_denial(request, NOBODY, error)
            await _refusal(request, Problem.of(error))(scope, receive, answer)
            return
        await self.app(scope, receive, answer)


def _refusal(request: Request, problem: Problem) -> Response:
    if wants_page(request):
        return forged_page(request, problem)
    return problem.response(request.scope.get("state", {}).get("request_id", ""))


def forged(request: Request) -> bool:
    """Whether a browser was made to send this, or cannot show that it was not."""
    if request.method in SAFE_METHODS:
        return False
    keyed = "authorization" in request.headers or session_token(request) is None
    if request.url.path.startswith(API) and keyed:
        return False  # nothing comes with it that a browser adds and that would open anything
    fetched, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None and origin.lower() != site_of(request).origin:
        return True
    if fetched is not None:
        return fetched != "same-origin"
    return origin is None
