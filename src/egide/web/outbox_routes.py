"""`/v1/webhooks…` and `/v1/outbox…`: over HTTP what `egide outbox` does on the command line."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from egide.errors import AddressRefused
from egide.identity import Principal, Scope
from egide.outbox import State, Webhook
from egide.web.access import May
from egide.web.bodies import json_bytes, parsed
from egide.web.contract import json_body, operation, ref
from egide.web.models import (
    ROTATION,
    WEBHOOK,
    Deliveries,
    NewSecret,
    NewWebhook,
    Replayed,
    WebhookRequest,
    Webhooks,
    WebhookShown,
)
from egide.web.problems import Problem
from egide.web.state import Service, service_of

MOST_LISTED: Final = 500
_EXAMPLE: Final = {"url": "https://hooks.example/egide", "events": ["verdict.block"]}
_MISSING: Final = (404,)
_BODY: Final = (404, 413, 415)

router = APIRouter(prefix="/v1", tags=["outbox"])
Reading = Annotated[Principal, Depends(May(Scope.OUTBOX_READ))]
Writing = Annotated[Principal, Depends(May(Scope.OUTBOX_WRITE))]
Id = Annotated[str, Path(max_length=40, examples=["wh_4f9c21d07ab34f9c"])]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]


@router.get(
    "/webhooks",
    summary="List the webhooks",
    **operation(answer={"application/json": {"schema": ref("Webhooks")}}),
)
async def list_webhooks(request: Request, principal: Reading) -> Webhooks:  # noqa: ARG001
    """All of them, oldest first: without their secrets, and without the path of the address."""
    found = await run_in_threadpool(service_of(request).outbox.webhooks)
    return Webhooks.model_validate({"webhooks": [each.to_json() for each in found]})


@router.post(
    "/webhooks",
    summary="Add a webhook",
    **operation(
        body=json_body(ref("WebhookRequest"), _EXAMPLE),
        answer={"application/json": {"schema": ref("NewWebhook")}},
        status=201,
        said="It was added.",
        problems=(413, 415),
    ),
)
async def add_webhook(request: Request, principal: Writing) -> Response:  # noqa: ARG001
    """Has events posted to an address, signed with a secret that is shown this once.

    The address is under https and public, or in EGIDE_WEBHOOK_ALLOW.
    """
    service = service_of(request)
    asked = parsed(WEBHOOK, await json_bytes(request))
    made, secret = await run_in_threadpool(_add, service, asked)
    shown = NewWebhook.model_validate({**made.to_json(), "secret": secret})
    return JSONResponse(shown.model_dump(mode="json"), 201)


@router.post(
    "/webhooks/{id}/rotate",
    summary="Give a webhook another secret",
    **operation(
        body=json_body(ref("RotationRequest"), {"overlap_hours": 24}),
        answer={"application/json": {"schema": ref("NewSecret")}},
        problems=_BODY,
    ),
)
async def rotate_webhook(request: Request, principal: Writing, id: Id) -> NewSecret:  # noqa: A002, ARG001
    """Another secret, shown this once; messages are signed with the old ones too for some hours."""
    service = service_of(request)
    asked = parsed(ROTATION, await json_bytes(request))
    secret = await run_in_threadpool(service.outbox.rotate, id, asked.overlap_hours)
    return NewSecret(webhook=id, secret=secret)


@router.post(
    "/webhooks/{id}/disable",
    summary="Send nothing more to a webhook",
    **operation(answer={"application/json": {"schema": ref("WebhookShown")}}, problems=_MISSING),
)
async def disable_webhook(request: Request, principal: Writing, id: Id) -> WebhookShown:  # noqa: A002, ARG001
    """What waits stays; what happens meanwhile is not kept for it."""
    return await run_in_threadpool(_set_disabled, service_of(request), id, disabled=True)


@router.post(
    "/webhooks/{id}/enable",
    summary="Send to a webhook again",
    **operation(answer={"application/json": {"schema": ref("WebhookShown")}}, problems=_MISSING),
)
async def enable_webhook(request: Request, principal: Writing, id: Id) -> WebhookShown:  # noqa: A002, ARG001
    """What waited is sent first."""
    return await run_in_threadpool(_set_disabled, service_of(request), id, disabled=False)


@router.delete(
    "/webhooks/{id}",
    summary="Remove a webhook",
    **operation(status=204, said="It was removed.", problems=_MISSING),
)
async def remove_webhook(request: Request, principal: Writing, id: Id) -> Response:  # noqa: A002, ARG001
    """Removes a webhook, with all that was on its way to it."""
    await run_in_threadpool(service_of(request).outbox.remove, id)
    return Response(status_code=204)


@router.get(
    "/outbox",
    summary="List deliveries",
    **operation(answer={"application/json": {"schema": ref("Deliveries")}}),
)
async def list_deliveries(
    request: Request,
    principal: Reading,  # noqa: ARG001
    state: State | None = None,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> Deliveries:
    """What is on its way to webhooks, was delivered or given up, newest first; not what it says."""
    deliveries = service_of(request).outbox.deliveries
    found = await run_in_threadpool(lambda: deliveries.listed(state, before=before, most=limit))
    page: dict[str, Any] = {
        "deliveries": [each.to_json() for each in found],
        "next": found[-1].seq if len(found) == limit else None,
    }
    return Deliveries.model_validate(page)


@router.post(
    "/outbox/{delivery}/replay",
    summary="Send a delivery again",
    **operation(answer={"application/json": {"schema": ref("Replayed")}}, problems=(404, 409)),
)
async def replay_delivery(request: Request, principal: Writing, delivery: Number) -> Replayed:  # noqa: ARG001
    """Sends it as if it were new: at once, and then for three days. It keeps its message's id."""
    await run_in_threadpool(_replay, service_of(request), delivery)
    return Replayed(delivery=delivery)


def _add(service: Service, asked: WebhookRequest) -> tuple[Webhook, str]:
    try:
        return service.outbox.add(asked.url, asked.events)
    except AddressRefused as error:
        raise Problem.of_field("url", error.detail) from None


def _set_disabled(service: Service, webhook: str, *, disabled: bool) -> WebhookShown:
    service.outbox.set_disabled(webhook, disabled=disabled)
    return WebhookShown.model_validate(service.outbox.webhook(webhook).to_json())


def _replay(service: Service, delivery: int) -> None:
    deliveries = service.outbox.deliveries
    if deliveries.replay([delivery]):
        return
    found = deliveries.listed(before=delivery + 1, most=1)
    if found and found[0].seq == delivery:
        raise Problem(409, "it is being sent at this moment; see what comes of it")
    raise Problem(404, "no such delivery; it may have been removed by its age")
