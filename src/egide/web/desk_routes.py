"""`/v1/notices` and `/v1/copies`: notices from anybody, and what the platform did about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from egide.desk.notices import More, Notice
from egide.desk.views import Receipt, Status
from egide.errors import AccessError
from egide.identity import Principal, Scope
from egide.identity.audit import NOBODY
from egide.records import Answer
from egide.web.access import May
from egide.web.answering import REPLAYED, idempotency_key
from egide.web.bodies import JSON_TYPE, json_bytes
from egide.web.contract import IDEMPOTENCY, json_body, operation, ref
from egide.web.identity_access import action, client_address, note_denial
from egide.web.models import PDQ_EXAMPLE
from egide.web.problems import Problem
from egide.web.state import Service, service_of

if TYPE_CHECKING:
    from egide.db import Connection

MOST_BODY: Final = 256 << 10
"""Of a notice with all its fields at their limits."""
ANYBODY: Final = "anybody"
"""Whose the answers to notices without a key are: known by the key of their request alone."""
_SEALED: Final = "notice answer"
_NOTICE: Final = {
    "jurisdiction": "EU",
    "role": "self",
    "statement": "The picture shows me, and I did not agree to it.",
    "good_faith": True,
    "signature": "Camille Example",
    "locations": ["https://platform.example/p/4711"],
    "fingerprints": [{"type": "pdq", "value": PDQ_EXAMPLE}],
    "contact": None,
}
_WORK: Final = {
    "mark": '{"schema":"egide.work/1","content_id":"upload-4711","creator":"a pseudonym"}',
    "signature": "0f" * 64,
    "public_key": "3b" * 32,
}

router = APIRouter(prefix="/v1", tags=["desk"])
Acknowledging = Annotated[Principal, Depends(May(Scope.COPY_WRITE))]
Marking = Annotated[Principal, Depends(May(Scope.WORK_WRITE))]
Pin = Annotated[str, Header(alias="X-Case-Pin", max_length=64)]
_STATUS: Final = {"application/json": {"schema": ref("Status")}}


@router.post(
    "/notices",
    summary="Send a notice",
    **operation(
        body=json_body(ref("Notice"), _NOTICE),
        answer={"application/json": {"schema": ref("Receipt")}},
        status=201,
        said="The case, and its PIN, which is told this once.",
        problems=(408, 413, 415),
        parameters=(IDEMPOTENCY,),
    ),
)
async def send_notice(request: Request) -> Response:
    """Asks that intimate content be removed: for the person shown, or by her agent.

    No key is needed; with one that holds `notice:write` the notice is a trusted flagger's. Elements
    that the law requires and are missing stand in `missing`; add them later.
    """
    service = service_of(request)
    principal = await _sender(request, service)
    body = await json_bytes(request, MOST_BODY)
    notice = Notice.from_json(_json(body), service.desk.settings.jurisdiction)
    key = idempotency_key(request)
    actor = ANYBODY if principal is None else principal.actor
    digest = hashlib.sha256(b"notices" + body).digest()
    if key is not None:
        known = await run_in_threadpool(service.answers.find, actor, key)
        if known is not None:
            return _again(service, known, digest)
    made: list[Answer] = []

    def answer(connection: Connection, receipt: Receipt) -> None:
        """Kept sealed: nobody reads the PIN in the database."""
        if key is None:
            return
        sealed = service.identity.secret.encrypt(_SEALED, _written(receipt.to_json()))
        earlier = service.answers.store(connection, actor, key, Answer(digest, 201, sealed))
        if earlier is not None:
            made.append(earlier)
            raise _Answered

    try:
        receipt = await run_in_threadpool(
            service.desk.receive, notice, client_address(request), principal, answer
        )
    except _Answered:
        return _again(service, made[0], digest)
    return Response(_written(receipt.to_json()), 201, media_type=JSON_TYPE)


@router.get(
    "/notices/{case}",
    summary="See how a case stands",
    **operation(answer=_STATUS, problems=(404,)),
)
async def notice_status(request: Request, case: str, pin: Pin = "") -> Response:
    """What happened so far, for whoever knows number and PIN; 404 for one that is wrong."""
    return await _told(request, lambda desk, origin: desk.status(case, pin, origin))


@router.get(
    "/notices/{case}/export",
    summary="Take along all that is held about you",
    **operation(answer={"application/json": {"schema": {"type": "object"}}}, problems=(404,)),
)
async def export_notice(request: Request, case: str, pin: Pin = "") -> Response:
    """What was given and told, and what is kept of it (`egide.export/1`), for whoever knows number
    and PIN: nothing of others, and no names of those who worked on it.
    """
    desk, origin = service_of(request).desk, client_address(request)
    held = await run_in_threadpool(desk.export, case, pin, origin)
    return Response(_written(held), media_type=JSON_TYPE)


@router.post(
    "/notices/{case}/add",
    summary="Add to a notice",
    **operation(
        body=json_body(ref("More"), {"signature": "Camille Example"}),
        answer=_STATUS,
        problems=(404, 408, 409, 413, 415),
    ),
)
async def add_to_notice(request: Request, case: str, pin: Pin = "") -> Response:
    """Adds what was missing, or found since."""
    more = More.from_json(_json(await json_bytes(request, MOST_BODY)))
    return await _told(request, lambda desk, origin: desk.add(case, pin, origin, more))


@router.post(
    "/notices/{case}/withdraw",
    summary="Withdraw a notice",
    **operation(answer=_STATUS, problems=(404, 409)),
)
async def withdraw_notice(request: Request, case: str, pin: Pin = "") -> Response:
    """Takes the notice back: its fingerprints are erased at once, and what went is put back."""
    return await _told(request, lambda desk, origin: desk.withdraw(case, pin, origin))


@router.post(
    "/notices/{case}/appeal",
    summary="Appeal against a refusal",
    **operation(
        body=json_body(ref("Words"), {"words": "It does show me: look at the second page."}),
        answer=_STATUS,
        problems=(404, 408, 409, 413, 415),
    ),
)
async def appeal_refusal(request: Request, case: str, pin: Pin = "") -> Response:
    """Asks that another reviewer look at it."""
    words = _field(_json(await json_bytes(request, MOST_BODY)), "words")
    return await _told(request, lambda desk, origin: desk.appeal(case, pin, origin, words))


@router.post(
    "/copies/{copy}/acknowledge",
    summary="Acknowledge a removal or its reversal",
    **operation(
        body=json_body(ref("Acknowledge"), {"outcome": "removed"}),
        answer={"application/json": {"schema": ref("Copy")}},
        problems=(404, 408, 409, 413, 415),
    ),
)
async def acknowledge_copy(request: Request, principal: Acknowledging, copy: str) -> Response:
    """Says what became of a copy that a message was about; saying it again changes nothing."""
    document = _json(await json_bytes(request, MOST_BODY))
    outcome, note = _field(document, "outcome"), _field(document, "note")
    desk = service_of(request).desk
    seen = await run_in_threadpool(desk.acknowledge, principal, copy, outcome, note)
    shown = {
        "copy": seen.copy,
        "state": seen.state,
        "content_id": seen.content_id,
        "content_url": seen.content_url,
    }
    return Response(_written(shown), media_type=JSON_TYPE)


@router.post(
    "/works",
    summary="Mark a creator's own work",
    **operation(
        body=json_body(ref("WorkMark"), _WORK),
        answer={"application/json": {"schema": ref("Work")}},
        status=201,
        said="The entry of the bank `own-work`.",
        known="It was marked already.",
        problems=(408, 413, 415),
    ),
)
async def mark_work(request: Request, principal: Marking) -> Response:
    """Marks what somebody published themselves, signed by their own key; reviewers are shown it.

    It does not keep anything from being removed: a removal then takes two reviewers.
    """
    document = _json(await json_bytes(request, MOST_BODY))
    said = [_field(document, name) for name in ("mark", "signature", "public_key")]
    work = await run_in_threadpool(service_of(request).desk.mark_work, principal, *said)
    return Response(_written(work.to_json()), 201 if work.new else 200, media_type=JSON_TYPE)


@router.delete(
    "/works/{entry}",
    summary="Take a mark back",
    **operation(status=204, said="It is gone.", problems=(404,)),
)
async def unmark_work(request: Request, principal: Marking, entry: str) -> Response:
    """Takes a mark back that this key has set."""
    await run_in_threadpool(service_of(request).desk.unmark_work, principal, entry)
    return Response(status_code=204)


class _Answered(Exception):
    """An earlier request with the same key was answered meanwhile: nothing else is done."""


async def _sender(request: Request, service: Service) -> Principal | None:
    """Whose key came along, if one did; it must hold: nobody is taken for somebody else."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    principal = NOBODY
    try:
        principal = await run_in_threadpool(service.identity.keys.authenticate, authorization)
        if not principal.may(Scope.ORDER_WRITE):
            principal.require(Scope.NOTICE_WRITE)
    except AccessError as error:
        note_denial(request, principal, error)
        raise
    service.rate.check(principal.actor)
    service.identity.audit.note(principal, action(request), address=client_address(request))
    return principal


async def _told(request: Request, ask: Callable[[Any, str], Status]) -> Response:
    desk, origin = service_of(request).desk, client_address(request)
    shown = await run_in_threadpool(ask, desk, origin)
    return Response(_written(shown.to_json()), media_type=JSON_TYPE)


def _again(service: Service, known: Answer, digest: bytes) -> Response:
    if known.digest != digest:
        raise Problem.of_field(
            "Idempotency-Key", "it was used for another request; take a new one for each request"
        )
    body = service.identity.secret.decrypt(_SEALED, known.body)
    return Response(body, known.status, {REPLAYED: "true"}, JSON_TYPE)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Problem.of_field("body", "it is no JSON; send an object") from None


def _field(document: object, name: str) -> Any:
    if not isinstance(document, dict):
        raise Problem.of_field("body", "it must be an object")
    return document.get(name) or ""


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
