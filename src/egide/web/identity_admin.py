"""Pages for administrators and auditors: accounts, keys, the audit log."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Response

from egide.identity import Role, Scope
from egide.identity.scopes import FOR_PEOPLE
from egide.web.identity_access import NeedsPerson, Visit
from egide.web.identity_templates import PageRoute, page, to

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ROWS: Final = 100

Field = Annotated[str, Form(max_length=200)]
KeyReader = Annotated[Visit, Depends(NeedsPerson(Scope.KEY_READ))]
KeyMaker = Annotated[Visit, Depends(NeedsPerson(Scope.KEY_WRITE, fresh=True))]
AccountReader = Annotated[Visit, Depends(NeedsPerson(Scope.ACCOUNT_WRITE))]
AccountMaker = Annotated[Visit, Depends(NeedsPerson(Scope.ACCOUNT_WRITE, fresh=True))]
Auditor = Annotated[Visit, Depends(NeedsPerson(Scope.AUDIT_READ))]


@router.get("/accounts")
def accounts_page(visit: AccountReader) -> Response:
    """All accounts."""
    return _accounts(visit)


@router.post("/accounts/invite")
def invite(visit: AccountMaker, role: Field) -> Response:
    """A link for one more person, shown this once."""
    code = visit.identity.people.invite(role, visit.principal)
    return _accounts(visit, link=f"{visit.site.origin}/welcome#{code}")


@router.post("/accounts/{account}/role")
def set_role(visit: AccountMaker, account: str, role: Field) -> Response:
    """Gives somebody another role."""
    visit.identity.people.set_role(account, role, visit.principal)
    return to("/accounts")


@router.post("/accounts/{account}/disable")
def disable(visit: AccountMaker, account: str) -> Response:
    """Closes an account."""
    visit.identity.people.disable(account, visit.principal)
    return to("/accounts")


@router.post("/accounts/{account}/enable")
def enable(visit: AccountMaker, account: str) -> Response:
    """Opens a closed account again."""
    visit.identity.people.enable(account, visit.principal)
    return to("/accounts")


@router.get("/keys")
def keys_page(visit: KeyReader) -> Response:
    """All API keys, by name."""
    return _keys(visit)


@router.post("/keys")
def create_key(
    visit: KeyMaker,
    name: Field,
    scope: Annotated[list[str], Form(max_length=len(Scope))],
    days: Annotated[float | None, Form()] = None,
) -> Response:
    """A new key, shown this once."""
    key = visit.identity.keys.create(name, scope, days=days, maker=visit.principal)
    return _keys(visit, key=key)


@router.post("/keys/{name}/rotate")
def rotate_key(visit: KeyMaker, name: str) -> Response:
    """Another secret for a key, shown this once."""
    return _keys(visit, key=visit.identity.keys.rotate(name, maker=visit.principal))


@router.post("/keys/{name}/revoke")
def revoke_key(visit: KeyMaker, name: str) -> Response:
    """Ends a key."""
    visit.identity.keys.revoke(name, maker=visit.principal)
    return to("/keys")


@router.get("/audit")
def audit_page(
    visit: Auditor, before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None
) -> Response:
    """The audit log, the newest first."""
    rows = visit.identity.audit.rows(before=before, limit=ROWS)
    return page("audit", visit, rows=rows, more=rows[-1].seq if len(rows) == ROWS else None)


def _accounts(visit: Visit, link: str | None = None) -> Response:
    accounts = visit.identity.people.accounts()
    return page("accounts", visit, accounts=accounts, roles=list(Role), link=link)


def _keys(visit: Visit, key: str | None = None) -> Response:
    now = visit.identity.clock()
    records = [record for record in visit.identity.keys.records() if record.works(now)]
    scopes = sorted(scope for scope in visit.principal.scopes if scope not in FOR_PEOPLE)
    return page("keys", visit, records=records, scopes=scopes, key=key)
