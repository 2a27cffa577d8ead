"""Who may ask for what, and how often."""

from __future__ import annotations

from fastapi import Request

from egide.desk.means import PURPOSES
from egide.errors import NotAllowed
from egide.identity import Principal, Scope
from egide.web.identity_access import Needs, note_denial
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


class MayChangeBank(May):
    """As `May`, where the path names a bank that is to be changed, which is none of the desk's.

    What is in those was decided in cases, and is changed by cases alone: else it would no longer be
    what the record says.
    """

    async def __call__(self, request: Request) -> Principal:
        """NotAuthenticated, NotAllowed, or Problem 429."""
        principal = await super().__call__(request)
        if request.path_params["bank"] in PURPOSES:
            error = NotAllowed("the desk keeps this bank; decide its cases to change what is in it")
            note_denial(request, principal, error)
            raise error
        return principal
