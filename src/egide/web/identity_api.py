"""`/v1/whoami`, `/v1/keys` and `/v1/audit`: what a program may know and do about keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from egide.identity import Principal, Scope
from egide.identity.audit import MOST_LISTED
from egide.web.identity_access import Needs, identity_of

router = APIRouter(prefix="/v1", tags=["identity"])

Anybody = Annotated[Principal, Depends(Needs(None))]
KeyReader = Annotated[Principal, Depends(Needs(Scope.KEY_READ))]
KeyMaker = Annotated[Principal, Depends(Needs(Scope.KEY_WRITE))]
Auditor = Annotated[Principal, Depends(Needs(Scope.AUDIT_READ))]
Name = Annotated[str, Field(max_length=64, examples=["uploads"])]

EXAMPLE_KEY: Final = "egide_4f9c21d07ab3_…"


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scopes: list[str] = Field(max_length=len(Scope), examples=[["scan:write", "bank:read"]])
    days: float | None = Field(default=None, description="Days until it ends; never when absent.")


class Overlap(BaseModel):
    """How a key is to be rotated."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: float = Field(default=24, description="Hours for which the old key works too.")


class ShownKey(BaseModel):
    """A key, this once."""

    name: Name
    key: str = Field(examples=[EXAMPLE_KEY])


class Key(BaseModel):
    """What is known of a key; times in seconds since 1970, UTC."""

    name: Name
    id: str = Field(examples=["4f9c21d07ab3"])
    scopes: list[str] = Field(examples=[["scan:write"]])
    current: bool = Field(description="False of a key that was rotated out or revoked.")
    maker: str = Field(examples=["console"])
    created: int
    expires: int | None
    revoked: int | None


class KeyList(BaseModel):
    """All keys."""

    keys: list[Key]


class Known(BaseModel):
    """Whoever asks."""

    actor: str = Field(examples=["key:4f9c21d07ab3"])
    name: str = Field(examples=["uploads"])
    role: str | None
    scopes: list[str] = Field(examples=[["scan:write"]])


class AuditEntry(BaseModel):
    """Requests or changes alike within one second."""

    seq: int
    at: int = Field(description="Seconds since 1970, UTC.")
    actor: str = Field(examples=["key:4f9c21d07ab3"])
    action: str = Field(examples=["POST /v1/scan"])
    object: str
    outcome: str = Field(examples=["granted"])
    reason: str
    origin: str = Field(description="Stands for the address, and does not tell it.")
    times: int


class AuditPage(BaseModel):
    """A page of the audit log, the newest first."""

    rows: list[AuditEntry]
    next: int | None = Field(description="Ask with `before` set to this for the next page.")


@router.get("/whoami", summary="Who asks, and what they may do")
async def whoami(principal: Anybody) -> Known:
    """Who asks, and what they may do: to see whether a key works."""
    return Known(
        actor=principal.actor,
        name=principal.name,
        role=principal.role,
        scopes=sorted(principal.scopes),
    )


@router.get("/keys", summary="List the API keys")
def list_keys(request: Request, _: KeyReader) -> KeyList:
    """All keys, also those that no longer work; never the keys themselves."""
    records = identity_of(request).keys.records()
    return KeyList(keys=[Key(**record.to_json()) for record in records])


@router.post("/keys", status_code=201, summary="Make an API key")
def create_key(request: Request, principal: KeyMaker, wanted: NewKey) -> ShownKey:
    """A new key, shown this once. It can have no scope that whoever makes it has not."""
    key = identity_of(request).keys.create(
        wanted.name, wanted.scopes, days=wanted.days, maker=principal
    )
    return ShownKey(name=wanted.name, key=key)


@router.post("/keys/{name}/rotate", summary="Give a key another secret")
def rotate_key(
    request: Request, principal: KeyMaker, name: str, wanted: Overlap | None = None
) -> ShownKey:
    """Another key of the same name and scopes, shown this once; the old one ends later."""
    hours = (wanted or Overlap()).overlap_hours
    key = identity_of(request).keys.rotate(name, overlap_hours=hours, maker=principal)
    return ShownKey(name=name, key=key)


@router.delete("/keys/{name}", summary="Revoke a key")
def revoke_key(request: Request, principal: KeyMaker, name: str) -> dict[str, Any]:
    """Ends all keys of that name: here at once, in other processes within a second."""
    return {"name": name, "revoked": identity_of(request).keys.revoke(name, maker=principal)}


@router.get("/audit", summary="Read the audit log")
def read_audit(
    request: Request,
    _: Auditor,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    actor: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z]+(:[0-9a-f]+)?$")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> AuditPage:
    """Who was granted or refused what; actors by their ids, addresses as commitments."""
    rows = identity_of(request).audit.rows(before=before, actor=actor, limit=limit)
    return AuditPage(
        rows=[AuditEntry(**asdict(row)) for row in rows],
        next=rows[-1].seq if len(rows) == limit else None,
    )
