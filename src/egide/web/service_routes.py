"""`/livez`, `/readyz`, `/metrics`: what those who run the service ask."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from egide.errors import StorageError
from egide.identity import Scope
from egide.web.access import May
from egide.web.identity_access import client_address
from egide.web.room import has_room
from egide.web.state import Service, service_of

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")

router = APIRouter(tags=["service"])
_auditor = May(Scope.AUDIT_READ)


@router.get("/livez", summary="Is the process alive?")
async def livez() -> dict[str, str]:
    """Answers while the process does; it looks at nothing else."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can it answer requests?", responses={503: {}})
async def readyz(request: Request) -> JSONResponse:
    """200 when the database answers, the disk has room and uploads can be read, else 503; what is
    wrong is named.
    """
    service = service_of(request)
    checks = {
        "database": await service.quick.run(_reaches_database, service),
        "disk": await service.quick.run(has_room, service.home),
        "workers": service.workers.state().workers > 0,
        "running": not service.stopping,
    }
    ready = all(checks.values())
    document: dict[str, Any] = {"status": "ready" if ready else "not ready", "checks": checks}
    return JSONResponse(document, 200 if ready else 503)


@router.get("/metrics", summary="Counts for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Open to this machine itself; from elsewhere it takes a key with the scope `audit:read`."""
    if not _is_local(request):
        await _auditor(request)
    text = await run_in_threadpool(service_of(request).measured)
    return Response(text, media_type=METRICS_TYPE)


def _reaches_database(service: Service) -> bool:
    try:
        service.home.database.fetch("SELECT 1")
    except StorageError:
        return False
    return True


def _is_local(request: Request) -> bool:
    """Whether it was asked on this machine, and not by a proxy for somebody else."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(client_address(request)).is_loopback
    except ValueError:
        return False
