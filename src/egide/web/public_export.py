"""`/case/export`: whoever knows number and PIN takes along all that is held about them.

Number and PIN come in the body of a form, never in an address. The file is called the same as a
letter, whatever is in it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from egide.desk.export import readable
from egide.errors import CaseNotFound
from egide.web.identity_access import client_address
from egide.web.public_case import unknown
from egide.web.public_form import Form
from egide.web.public_pages import PublicRoute, Visitor, desk_of, form_of

router = APIRouter(route_class=PublicRoute, include_in_schema=False)

DATA: Final = "data"
"""What the button for programs sends as `kind`; every other means text."""


@router.post("/case/export", response_class=Response)
async def export(request: Request) -> Response:
    """As text in the page's language, or as JSON (`egide.export/1`) with proofs."""
    form = await form_of(request)
    return await run_in_threadpool(_export, Visitor.of(request, form), form)


def _export(visitor: Visitor, form: Form) -> Response:
    request = visitor.request
    try:
        held = desk_of(request).export(form["case"], form["pin"], client_address(request))
    except CaseNotFound:
        return unknown(visitor, form["case"])
    if form["kind"] == DATA:
        text = json.dumps(held, ensure_ascii=False, indent=2)
        return _file(text, "application/json", "letter.json", visitor.language)
    text = readable(held | {"language": visitor.language})
    return _file(text, "text/plain; charset=utf-8", "letter.txt", visitor.language)


def _file(text: str, media_type: str, name: str, language: str) -> Response:
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Language": language,
        "Cache-Control": "no-store",
    }
    return Response(text.encode("utf-8", "replace"), media_type=media_type, headers=headers)
