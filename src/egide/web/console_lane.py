"""`/desk/escalated`: what was escalated, and the way back. It shows no media."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Response

from egide.desk.asks import Filter
from egide.desk.events import EventKind
from egide.desk.fold import CaseState
from egide.desk.laws import laws
from egide.desk.views import CaseView, EventView
from egide.identity import Scope
from egide.web.console_case import lines, who
from egide.web.console_pages import At, ConsoleRoute, Seat, console_page
from egide.web.console_queue import ROWS
from egide.web.identity_templates import to

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False, prefix="/desk/escalated")

Keeper = Annotated[Seat, Depends(At(Scope.CASE_ESCALATED))]
_TOLD: Final = (EventKind.RECEIVED, EventKind.ESCALATED, EventKind.RETURNED)
"""What the lane tells of a case: that it came, and who froze it or gave it back."""


@router.get("")
def lane_page(seat: Keeper, after: Annotated[str | None, Query(max_length=300)] = None) -> Response:
    """What was escalated: id, time and route, and nothing else."""
    page = seat.desk.queue(seat.principal, Filter(states=(CaseState.ESCALATED,)), after, ROWS)
    more = f"/desk/escalated?{urlencode({'after': page.next})}" if page.next else None
    return console_page("escalated", seat, here="escalated", rows=page.rows, more=more)


@router.get("/{case}")
def frozen_page(seat: Keeper, case: str) -> Response:
    """One case of the lane: id, times, route, and the form that returns it."""
    seen = seat.desk.view(seat.principal, case)
    if seen.state is not CaseState.ESCALATED:
        return to(f"/desk/cases/{seen.case}")
    return console_page(
        "frozen",
        seat,
        here="escalated",
        case=seen,
        events=_told(seen),
        who=lambda actor: who(seat, actor),
        reasons=laws().reasons_for("return"),
    )


@router.post("/{case}/return")
def give_back(
    seat: Keeper,
    case: str,
    reason: Annotated[str, Form(max_length=100)],
    words: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Returns the case to the queue, where it stood."""
    seen = seat.desk.give_back(seat.principal, case, reason, lines(words))
    return to(f"/desk/cases/{seen.case}")


def _told(case: CaseView) -> list[EventView]:
    return [each for each in case.events if each.event in _TOLD]
