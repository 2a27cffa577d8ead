"""Around every request: its id, its line in the log, its place in the metrics, its last resort."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from egide.web.bodies import UNBOUNDED, bounded
from egide.web.logs import log, place
from egide.web.metrics import Metrics
from egide.web.problems import Problem

REQUEST_ID: Final = "X-Request-Id"
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds: logged only when they fail."""


class Frame:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {}).update({"request_id": request_id, UNBOUNDED: receive})
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self.app(scope, bounded(receive), answer)
        except Exception as error:  # noqa: BLE001  a fault of ours costs one request, and is told
            log.error("request.failed", error=type(error).__name__, where=place(error))
            if not status:
                problem = Problem(500, "a fault of ours, which is in the server's log; report it")
                await problem.response(request_id)(scope, receive, answer)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.metrics.request(method, route, status, seconds)
        if route in QUIET and status < 400:
            return
        log.info("request", method=method, route=route, status=status, seconds=round(seconds, 4))


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
