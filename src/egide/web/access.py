"""Who may ask for what, and how often."""

from __future__ import annotations

from fastapi import Request

from egide.identity import Principal, Scope
from egide.web.identity_access import Needs
from egide.web.state import service_of


class May(Needs):
    """A dependency of a route: the principal who asks, if it holds `scope` and asks in measure."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)

    async def __call__(self, request: Request) -> Principal:
        """NotAuthenticated, NotAllowed, or Problem 429."""
        principal = await super().__call__(request)
        service_of(request).rate.check(principal.actor)
        return principal
