"""Letters as PDF: for the person by number and PIN, for the uploader by code, for reviewers.

Number, PIN and code come in the body of a form, never in an address. The file is called the same
whatever is in it.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from egide.desk.letters import Letter, LetterKind
from egide.desk.letters.cases import (
    Letterhead,
    for_event,
    history_of,
    objection_for,
    statement_for,
)
from egide.errors import CaseErased, CaseNotFound, UsageError
from egide.language import available
from egide.web.console_case import Reader
from egide.web.console_pages import ConsoleRoute
from egide.web.identity_access import client_address
from egide.web.public_form import Form
from egide.web.public_pages import PublicRoute, Visitor, desk_of, form_of
from egide.web.state import Service, service_of

FILE: Final = "letter.pdf"

public = APIRouter(route_class=PublicRoute, include_in_schema=False)
console = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


@public.post("/case/letter", response_class=Response)
async def letter(request: Request) -> Response:
    """A letter of the case that number and PIN open; `kind` says which."""
    form = await form_of(request)
    return await run_in_threadpool(_letter, request, form)


@public.post("/appeal/letter", response_class=Response)
async def uploaders_letter(request: Request) -> Response:
    """The statement of reasons for what the code stands for, or how the objection went."""
    form = await form_of(request)
    return await run_in_threadpool(_uploaders_letter, request, form)


@console.get("/desk/cases/{case}/letters/{kind}", response_class=Response)
def reviewers_letter(seat: Reader, case: str, kind: str, language: str = "") -> Response:
    """A letter to the person as it stands today, in the case's language or in another."""
    view = seat.desk.view(seat.principal, case)
    history = history_of(seat.desk.book, view)
    chosen = language if language in available() else history.language
    return _file(for_event(history, _kind(kind), chosen, _letterhead(seat.service)))


@console.get("/desk/cases/{case}/copies/{copy}/statement", response_class=Response)
def reviewers_statement(seat: Reader, case: str, copy: str, language: str = "") -> Response:
    """The statement of reasons for a copy that was told to be removed."""
    view = seat.desk.view(seat.principal, case)
    if copy not in {each.copy for each in view.copies}:
        raise CaseNotFound("the case has no such copy")
    chosen = language if language in available() else view.language
    return _file(statement_for(seat.desk.book, copy, chosen, _letterhead(seat.service)))


def _letter(request: Request, form: Form) -> Response:
    desk = desk_of(request)
    try:
        status = desk.status(form["case"], form["pin"], client_address(request))
        history = history_of(desk.book, status)
    except CaseErased:
        raise CaseNotFound("nothing is left of this case") from None
    language = Visitor.of(request, form).language
    made = for_event(history, _kind(form["kind"]), language, _letterhead(service_of(request)))
    return _file(made)


def _uploaders_letter(request: Request, form: Form) -> Response:
    desk, head = desk_of(request), _letterhead(service_of(request))
    status = desk.uploader(form["code"], client_address(request))
    language = Visitor.of(request, form).language
    write = objection_for if form["kind"] == LetterKind.OBJECTION else statement_for
    return _file(write(desk.book, status.copy, language, head))


def _kind(text: str) -> LetterKind:
    try:
        return LetterKind(text)
    except ValueError:
        kinds = ", ".join(LetterKind)
        raise UsageError(f"{text[:20]!r} is no letter; there are {kinds}") from None


def _letterhead(service: Service) -> Letterhead:
    desk = service.desk
    return Letterhead(desk.settings.platform, f"{desk.settings.url}/case", desk.book.now())


def _file(letter: Letter) -> Response:
    return Response(
        letter.pdf(),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{FILE}"',
            "Content-Language": letter.language,
            "Cache-Control": "no-store",
        },
    )
