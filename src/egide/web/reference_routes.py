"""`/openapi.json` and `/docs`: what the interface is, for programs and for people."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

STATIC: Final = Path(__file__).parent / "static" / "reference"

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The description, OpenAPI 3.1."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", response_class=Response)
async def docs() -> FileResponse:
    """The description as a page with forms to try it. It loads nothing from elsewhere."""
    return FileResponse(STATIC / "reference.html", media_type="text/html; charset=utf-8")


@router.get("/", response_class=Response)
async def root() -> RedirectResponse:
    """To the page: whoever opens the address in a browser wants to know what is here."""
    return RedirectResponse("/docs", 303)
