"""The public pages over a real desk, without what else a service runs: it starts in no time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from egide.bank import Home
from egide.desk.desk import Desk
from egide.desk.settings import DeskSettings
from egide.identity import Identity
from egide.outbox import Outbox
from egide.records import Hosted
from egide.web import public_case, public_export, public_notice, public_pages
from egide.web.identity import install

PLATFORM = "Lumen"

ADULT: dict[str, Any] = {"age": "adult", "role": "self", "jurisdiction": "US"}
COMPLETE: dict[str, Any] = ADULT | {
    "locations": "https://lumen.example/p/1\npost-4711",
    "statement": "This is me. I did not agree to it.",
    "declared": ["subject", "not_consensual"],
    "signature": "Ada",
}
"""The fields of a notice under US law from which nothing is missing."""


@contextmanager
def public_app(
    path: Path, clock: Callable[[], float] = time.time, **settings: object
) -> Iterator[FastAPI]:
    """An application with the public pages, identity and its guard; `state.desk` is the desk."""
    home = Home(path)
    with Identity(home.database, home.path, clock=clock) as identity:
        outbox, hosted = Outbox(home.database, identity.secret), Hosted(home.database)
        outbox.add("https://platform.example/hook", ["*"])
        given = DeskSettings(platform=PLATFORM, **settings)  # type: ignore[arg-type]
        desk = Desk(home.database, identity, outbox, hosted, home, given, clock)
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.state.service = SimpleNamespace(desk=desk)
        app.state.identity = identity
        app.state.desk = desk
        for routes in (public_notice, public_case, public_export):
            app.include_router(routes.router)
        app.mount("/static/public", StaticFiles(directory=public_pages.STATIC))
        install(app)
        yield app
    home.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address at which `app` answers on this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
    yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
