"""`/desk`: which cases wait, and the next of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Response

from egide.desk.asks import Filter
from egide.desk.fold import WAITING, CaseState
from egide.desk.laws import JURISDICTIONS
from egide.desk.numbers import number_of
from egide.desk.views import QueueRow
from egide.errors import CaseNotFound
from egide.identity import Scope
from egide.language import available, marked
from egide.web.console_pages import LANGUAGE_COOKIE, At, ConsoleRoute, Seat, console_page
from egide.web.console_words import KINDS
from egide.web.identity_templates import own_path, to

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)

ROWS: Final = 50
YEAR_SECONDS: Final = 365 * 86_400

Reader = Annotated[Seat, Depends(At(Scope.CASE_READ))]
Writer = Annotated[Seat, Depends(At(Scope.CASE_WRITE))]
Somebody = Annotated[Seat, Depends(At(None))]


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the lists: its name in addresses, its title, the key to it, what it holds.

    `counted` is what the desk's counts call its length.
    """

    name: str
    title: str
    key: str
    counted: str
    filter: Filter


LIVING: Final = tuple(
    state
    for state in CaseState
    if state not in (CaseState.ESCALATED, CaseState.WITHDRAWN, CaseState.ERASED)
)
LISTS: Final = (
    Shown("waiting", marked("Waiting"), "", "waiting", Filter()),
    Shown("mine", marked("Mine"), "m", "mine", Filter(states=LIVING, mine=True)),
    Shown("late", marked("Late"), "", "late", Filter(late=True)),
    Shown("appeals", marked("Appeals"), "p", "appealed", Filter(states=(CaseState.APPEALED,))),
    Shown(
        "incomplete",
        marked("Incomplete"),
        "",
        "incomplete",
        Filter(states=(CaseState.INCOMPLETE,)),
    ),
    Shown(
        "second",
        marked("For a second reviewer"),
        "",
        "second",
        Filter(states=LIVING, second=True),
    ),
    Shown(
        "overdue",
        marked("Platform overdue"),
        "",
        "overdue",
        Filter(states=(*LIVING, CaseState.WITHDRAWN), overdue=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A list as the page links to it."""

    words: str
    key: str
    href: str
    count: int
    here: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for; words that mean nothing are passed over."""

    show: str
    text: str
    kind: str
    state: str
    jurisdiction: str

    @property
    def filter(self) -> Filter:
        """Which cases these are."""
        found = next((each for each in LISTS if each.name == self.show), LISTS[0]).filter
        states = tuple(state for state in CaseState if state == self.state) or found.states
        return replace(
            found,
            states=states,
            kind=self.kind if self.kind in KINDS else None,
            jurisdiction=self.jurisdiction if self.jurisdiction in JURISDICTIONS else None,
            text=self.text.strip(),
        )

    def address(self, **others: str) -> str:
        """Where this is shown, with `others` in the place of what was asked."""
        asked = {
            "show": self.show,
            "text": self.text,
            "kind": self.kind,
            "state": self.state,
            "jurisdiction": self.jurisdiction,
        }
        given = {name: value for name, value in (asked | others).items() if value}
        return f"/desk?{urlencode(given)}" if given else "/desk"


Word = Annotated[str, Query(max_length=300)]


def asked_of(
    show: Word = "", text: Word = "", kind: Word = "", state: Word = "", jurisdiction: Word = ""
) -> Asked:
    """A dependency: what the address asks for."""
    return Asked(show, text, kind, state, jurisdiction)


@router.get("/desk")
def queue_page(
    seat: Reader, asked: Annotated[Asked, Depends(asked_of)], after: Word | None = None
) -> Response:
    """The cases that wait, the most pressing first; a case's own number leads to it."""
    number = _whole_number(seat, asked.text)
    if number is not None:
        return to(f"/desk/cases/{number}")
    return _queue(seat, asked, after)


@router.post("/desk/next")
def take_next(seat: Writer) -> Response:
    """Claims the most pressing case that nobody has, and leads to it."""
    case = seat.desk.next(seat.principal)
    if case is not None:
        return to(f"/desk/cases/{case.case}")
    return _queue(seat, asked_of(), None, nothing_next=True)


@router.post("/desk/language")
def speak(
    seat: Somebody,
    language: Annotated[str, Form(max_length=20)],
    next: Annotated[str, Form(max_length=300)] = "/desk",  # noqa: A002  the field's usual name
) -> Response:
    """Another language, from now on, in this browser."""
    response = to(own_path(next))
    if language in available():
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=YEAR_SECONDS,
            path="/",
            secure=seat.site.origin.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
    return response


def _queue(seat: Seat, asked: Asked, after: str | None, *, nothing_next: bool = False) -> Response:
    viewer = seat.principal
    page = seat.desk.queue(viewer, asked.filter, after, ROWS)
    rows = [row for row in page.rows if not _own_appeal(row)]
    return console_page(
        "queue",
        seat,
        at="/desk",
        here="appeals" if asked.show == "appeals" else "queue",
        rows=rows,
        left_out=len(page.rows) - len(rows),
        more=asked.address(after=page.next) if page.next else None,
        tabs=_tabs(seat, asked),
        asked=asked,
        kinds=list(KINDS),
        states=list(CaseState),
        jurisdictions=JURISDICTIONS,
        ticking=WAITING,
        nothing_next=nothing_next,
        exposure=seat.desk.exposure(viewer),
    )


def _own_appeal(row: QueueRow) -> bool:
    """Whether it is an appeal against what this reviewer decided: it is not offered to them."""
    return row.state is CaseState.APPEALED and "decided" in row.marks


def _tabs(seat: Seat, asked: Asked) -> list[Tab]:
    counts = seat.desk.counts(seat.principal)
    return [
        Tab(
            seat.say(each.title),
            each.key,
            asked.address(show=each.name, state="", text=""),
            counts[each.counted],
            each.name == (asked.show or LISTS[0].name),
        )
        for each in LISTS
    ]


def _whole_number(seat: Seat, text: str) -> str | None:
    """The number of the case that `text` names, if this reviewer may see it."""
    number = number_of(text)
    if not number:
        return None
    try:
        return seat.desk.view(seat.principal, number).case
    except CaseNotFound:
        return None
