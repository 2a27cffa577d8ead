"""Puts all that concerns identity into an application: pages, interface, guard."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from egide.identity.oidc import provider
from egide.identity.passwords import AT_ONCE
from egide.web import identity_admin, identity_api, identity_oidc, identity_pages
from egide.web.identity_access import public_url
from egide.web.identity_guard import Guard
from egide.web.threads import Threads

STATIC: Final = Path(__file__).parent / "static" / "identity"
MOST_AT_THE_DOOR: Final = 16
"""So many more wait while passwords are hashed, for a second or two; others are told to come back.
"""


def install(app: FastAPI) -> None:
    """Adds the routes and the middleware; `app.state.identity` must be there when it runs.

    UsageError when a variable that they go by is wrong.
    """
    public_url()
    provider()
    app.state.hashing = Threads(AT_ONCE, MOST_AT_THE_DOOR)
    app.include_router(identity_api.router)
    app.include_router(identity_pages.router)
    app.include_router(identity_oidc.router)
    app.include_router(identity_admin.router)
    app.mount("/static/identity", StaticFiles(directory=STATIC), name="identity-static")
    app.add_middleware(Guard)
