"""One look at one picture: who asked for it gets it once, and nobody else does.

Clearer is only ever the second look: the permission for it is handed out with the first one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from egide.errors import CaseNotFound, NotAllowed, NotAuthenticated
from egide.identity.tickets import TicketKind
from egide.web.identity_access import Visit

_VOID: Final = "this look was used, has ended or never was; ask for it on the page of the case"
_ANOTHERS: Final = "this picture was meant for somebody else; ask for it on the page of the case"


@dataclass(frozen=True, slots=True)
class Look:
    """At which copy of which case, and whether it is veiled: small, grey and blurred."""

    case: str
    copy: str
    veiled: bool


def offer(visit: Visit, look: Look) -> str:
    """A token that shows `look` once, within seconds, in this session."""
    return _issue(visit, TicketKind.VIEW, look)


def offer_clearer(visit: Visit, look: Look) -> str:
    """A token by which the same copy may be asked for once more, no longer veiled."""
    return _issue(visit, TicketKind.CLEARER_VIEW, Look(look.case, look.copy, veiled=False))


def taken(visit: Visit, token: str) -> Look:
    """What `offer` made the token for; CaseNotFound when it is void, NotAllowed.

    It is void from now on, also when it came from another session.
    """
    return _redeem(visit, TicketKind.VIEW, token)


def taken_clearer(visit: Visit, token: str) -> Look:
    """What `offer_clearer` made the token for; as `taken`."""
    return _redeem(visit, TicketKind.CLEARER_VIEW, token)


def _issue(visit: Visit, kind: TicketKind, look: Look) -> str:
    body = asdict(look) | {"session": visit.session.id, "account": visit.principal.id}
    return visit.identity.tickets.issue(kind, body)


def _redeem(visit: Visit, kind: TicketKind, token: str) -> Look:
    try:
        body = visit.identity.tickets.use(kind, token)
    except NotAuthenticated:
        raise CaseNotFound(_VOID) from None
    if (body["session"], body["account"]) != (visit.session.id, visit.principal.id):
        raise NotAllowed(_ANOTHERS)
    return Look(body["case"], body["copy"], body["veiled"])
