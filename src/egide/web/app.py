"""The application: what is served, and in what order a request goes through it."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import parent_process

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from egide.errors import EgideError, StorageError
from egide.report.clean import visible
from egide.sandbox.confine import die_with_parent
from egide.web import (
    bank_routes,
    console_case,
    console_lane,
    console_pages,
    console_pictures,
    console_queue,
    desk_routes,
    figures_pages,
    identity,
    letter_routes,
    match_routes,
    outbox_routes,
    public_case,
    public_export,
    public_notice,
    public_pages,
    reference_routes,
    scan_routes,
    service_routes,
)
from egide.web.bodies import invalid
from egide.web.contract import openapi
from egide.web.frame import Frame
from egide.web.logs import log, set_up
from egide.web.metrics import Metrics
from egide.web.problems import TITLES, Problem
from egide.web.settings import ServeSettings
from egide.web.state import Service


def create_app(settings: ServeSettings) -> FastAPI:
    """The application with these settings; what it works with is opened when it starts."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = _opened(settings, metrics)
        app.state.service = service
        app.state.identity = service.identity
        async with service.running():
            yield

    app = FastAPI(
        title="égide",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # It would send what it sees to wherever a variable of others says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        # What is thrown away is not looked at: the answer is what its route made.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.openapi = partial(openapi, app)  # type: ignore[method-assign]
    for routes in (
        scan_routes,
        match_routes,
        bank_routes,
        desk_routes,
        outbox_routes,
        service_routes,
        reference_routes,
    ):
        app.include_router(routes.router)
    for pages in (public_notice, public_case, public_export, figures_pages):
        app.include_router(pages.router)
    app.include_router(letter_routes.public)
    app.include_router(letter_routes.console)
    app.mount("/static/figures", StaticFiles(directory=figures_pages.STATIC), name="figures")
    app.mount("/static/public", StaticFiles(directory=public_pages.STATIC), name="public")
    for desk in (console_queue, console_lane, console_pictures, console_case):
        app.include_router(desk.router)
    app.mount("/static/console", StaticFiles(directory=console_pages.STATIC), name="console")
    app.mount("/static/reference", StaticFiles(directory=reference_routes.STATIC), name="reference")
    identity.install(app)
    app.add_exception_handler(EgideError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_middleware(Frame, metrics=metrics)
    return app


def _opened(settings: ServeSettings, metrics: Metrics) -> Service:
    """What the application works with; why it cannot be had is told where it was started."""
    try:
        return Service(settings, metrics)
    except EgideError as error:
        print(f"egide: {visible(str(error))}", file=sys.stderr, flush=True)
        raise
    except Exception:
        traceback.print_exc()  # no request has come yet: nothing in it is of a stranger
        raise


def passed_on() -> FastAPI:
    """The application in a process that `egide serve` started."""
    set_up()
    if (watcher := parent_process()) is not None:
        # Killed itself, it cannot end us, and we would keep the port from the next one.
        die_with_parent(signal.SIGTERM)
        if os.getppid() != watcher.pid:
            raise SystemExit
    return create_app(ServeSettings.passed_on())


def request_id(request: Request) -> str:
    """By which the log has the request."""
    id_: str = request.scope.get("state", {}).get("request_id", "")
    return id_


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, EgideError)  # noqa: S101  what it is registered for
    if isinstance(error, StorageError):
        log.error(
            "storage.failed", error=type(error).__name__, where=type(error.__cause__).__name__
        )
    return Problem.of(error).response(request_id(request))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return invalid(error.errors()).response(request_id(request))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    told = {
        404: "nothing is at this address; /docs lists what there is",
        405: "this address does not take this method; /docs lists what it takes",
    }
    detail = told.get(error.status_code, TITLES.get(error.status_code, "it failed"))
    problem = Problem(error.status_code, detail, headers=error.headers)
    return problem.response(request_id(request))


async def _gone(request: Request, _: Exception) -> Response:
    return Problem(400, "the connection ended before the body did").response(request_id(request))
