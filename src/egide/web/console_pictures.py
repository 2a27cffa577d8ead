"""One look at one picture: on purpose, veiled first, by whoever asked alone, and noted."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request, Response

from egide.desk.fold import CaseState
from egide.desk.views import CopyView
from egide.errors import CaseNotFound, ContentUnavailable, NotAllowed
from egide.identity import Scope
from egide.web import console_looks
from egide.web.console_case import address, case_values
from egide.web.console_looks import Look
from egide.web.console_pages import At, ConsoleRoute, Seat, console_page

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False, prefix="/desk")

PICTURE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Disposition": "inline; filename=look.jpg",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Looker = Annotated[Seat, Depends(At(Scope.CASE_MEDIA))]
Token = Annotated[str, Form(max_length=100)]
Place = Annotated[str, Form(max_length=40, pattern=r"^look-[0-9]{1,9}$")]


@router.post("/cases/{case}/copies/{copy}/look")
def look(seat: Looker, case: str, copy: str, place: Place = "look-0") -> Response:
    """A picture, veiled, and the way to a clearer look at it."""
    asked = Look(case, copy, veiled=True)
    _allowed(seat, asked)
    return _page(seat, asked, place, console_looks.offer_clearer(seat, asked))


@router.post("/cases/{case}/copies/{copy}/clearer")
def clearer(seat: Looker, case: str, copy: str, token: Token, place: Place = "look-0") -> Response:
    """The same picture without the veil, for whoever was shown it veiled."""
    asked = console_looks.taken_clearer(seat, token)
    if (asked.case, asked.copy) != (case, copy):
        raise NotAllowed("this look was at another copy; ask for it on the page of the case")
    return _page(seat, asked, place, None)


@router.get("/pictures/{token}")
async def picture(seat: Looker, request: Request, token: str) -> Response:
    """The picture itself, this once: to an `img` of ours, in the session that asked."""
    return await seat.service.pictures.run(_picture, seat, request, token)


def _picture(seat: Seat, request: Request, token: str) -> Response:
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
    if elsewhere or request.headers.get("sec-fetch-dest", "image") != "image":
        raise NotAllowed("a picture is shown on the page of its case alone")
    asked = console_looks.taken(seat, token)
    # The desk notes the look before anything is fetched: a look that failed was one all the same.
    opened = seat.desk.looked(
        seat.principal, seat.desk.look(seat.principal, asked.case, asked.copy, asked.veiled)
    )
    if opened.content_url is None:
        raise ContentUnavailable("nothing says where this copy is; look for it on the platform")
    fetched = seat.service.sources.fetch(opened.content_url)
    jpeg = seat.service.previews.render(fetched.data, veiled=asked.veiled)
    return Response(jpeg, headers=PICTURE_HEADERS, media_type="image/jpeg")


def _page(seat: Seat, asked: Look, place: str, permission: str | None) -> Response:
    copy = _allowed(seat, asked)
    case = seat.desk.view(seat.principal, asked.case)
    return console_page(
        "look",
        seat,
        at=address(case.case),
        place=place,
        copy=copy,
        token=console_looks.offer(seat, asked),
        clearer=permission,
        **case_values(seat, case),
    )


def _allowed(seat: Seat, asked: Look) -> CopyView:
    """The copy to be looked at; NotAllowed in the escalation lane, whatever somebody may else."""
    case = seat.desk.view(seat.principal, asked.case)
    if case.state is CaseState.ESCALATED:
        raise NotAllowed("an escalated case has no pictures; follow your escalation procedure")
    if "look" not in case.may:
        raise NotAllowed(case.why_not.get("look", "there is nothing to look at in this case now"))
    found = next((each for each in case.copies if each.copy == asked.copy), None)
    if found is None:
        raise CaseNotFound(f"{case.case} has no such copy; open its page again")
    return found
