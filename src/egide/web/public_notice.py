"""`/notice`: the notice of a person, one question a page; `/help` and `/leave` beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from egide.desk.laws import JURISDICTIONS, laws
from egide.desk.notices import MOST_FINGERPRINTS, MOST_STATEMENT
from egide.desk.numbers import shown_pin
from egide.desk.views import Receipt
from egide.errors import EgideError, WrongField
from egide.language import marked
from egide.web.identity_access import client_address
from egide.web.public_form import (
    CONTACT,
    MOST_LINES,
    PLACES,
    QUESTIONS,
    Draft,
    Form,
    Wrong,
    first_wrong,
    wrong_in,
)
from egide.web.public_pages import (
    ASKS,
    FOR_MINORS,
    WITH_VIDEOS,
    PublicRoute,
    Visitor,
    bodies,
    desk_of,
    form_of,
    leaving,
    when,
)

router = APIRouter(route_class=PublicRoute, include_in_schema=False)

START: Final = "start"
CHECK: Final = "check"
MINORS: Final = "minors"
STEPS: Final = (*QUESTIONS, CHECK)
COUNTRIES: Final = {
    "FR": marked("France"),
    "UK": marked("United Kingdom"),
    "US": marked("United States"),
    "EU": marked("European Union"),
}
ANSWERS: Final = {
    "self": marked("myself"),
    "agent": marked("someone else who asked me to"),
    "adult": marked("18 or older"),
}


@router.get("/notice")
def start(request: Request) -> Response:
    """What this is, and what will happen."""
    return Visitor.of(request).page("notice/start", security=WITH_VIDEOS)


@router.get("/help")
def help_page(request: Request) -> Response:
    """Who else helps, and how to stay safe on this device."""
    visitor = Visitor.of(request)
    return visitor.page(
        "help", adults=_by_country(visitor, ASKS), minors=_by_country(visitor, FOR_MINORS)
    )


@router.get("/leave")
def leave(request: Request) -> Response:
    """Away from here."""
    return leaving(Visitor.of(request).language)


@router.post("/notice")
async def answered(request: Request) -> Response:
    """One question answered: the next one, the same again, or the end."""
    form = await form_of(request)
    visitor = Visitor.of(request, form)
    walk = _Walk(visitor, form)
    if form["go"] == "send":
        return await _sent(walk)
    return walk.answer()


class _Walk:
    """One step on the way through the questions."""

    def __init__(self, visitor: Visitor, form: Form) -> None:
        self.visitor = visitor
        self.draft = Draft.of(form)
        self.default = desk_of(visitor.request).settings.jurisdiction
        step = form["step"]
        self.step = step if step in (*STEPS, MINORS) else START
        self.to = CHECK if form["to"] == CHECK else ""
        self.go, _, self.target = form["go"].partition(":")

    def answer(self) -> Response:
        """The page that follows."""
        if self.go == "language":
            return self.show(self.step)
        if self.go == "open" and self.target in STEPS:
            return self.show(self.target, to=CHECK if self.step == CHECK else self.to)
        if self.go == "back":
            return self.show(self._before(), to=self.to)
        if self.step == "age" and self.draft.age in ("minor", "unsure"):
            return self.show(MINORS)
        wrong = wrong_in(self.draft, self.step, self.default, self.visitor.say)
        if wrong:
            return self.show(self.step, wrong, to=self.to)
        return self.show(CHECK if self.to else self._after())

    def show(
        self, step: str, wrong: Wrong | None = None, *, to: str = "", status: int = 422
    ) -> Response:
        """The page of `step`; what is to be checked must have been answered.

        `status` is that of HTTP where something is wrong.
        """
        if step == CHECK and not wrong:
            unanswered = first_wrong(self.draft, self.default, self.visitor.say)
            if unanswered is not None:
                step, wrong = unanswered
                to = CHECK
        if step == START:
            return self.visitor.page("notice/start", security=WITH_VIDEOS)
        return self.visitor.page(
            f"notice/{step}",
            status if wrong else 200,
            security=WITH_VIDEOS,
            step=step,
            to=to,
            wrong=wrong or {},
            draft=self.draft,
            carried=list(self.draft.carried(step)),
            number=list(QUESTIONS).index(step) + 1 if step in QUESTIONS else 0,
            total=len(QUESTIONS),
            **self._values(step),
        )

    def _before(self) -> str:
        if self.to:
            return CHECK
        if self.step in ("age", START):
            return START
        return "age" if self.step == MINORS else STEPS[STEPS.index(self.step) - 1]

    def _after(self) -> str:
        following = dict(zip(STEPS, (*STEPS[1:], CHECK), strict=True))
        return following.get(self.step, STEPS[0])

    def _values(self, step: str) -> dict[str, Any]:
        """What the page of one step shows beside the draft."""
        values = _VALUES.get(step)
        return {} if values is None else values(self)


def _law(walk: _Walk) -> dict[str, Any]:
    """Where one may live, the platform's own place first."""
    places = sorted(PLACES, key=lambda place: place[0] != walk.default)
    return {"places": [(value, walk.visitor.say(name)) for value, name in places]}


def _contact(walk: _Walk) -> dict[str, Any]:
    return {"contact_required": "contact" in walk.draft.law(walk.default).required}


def _sign(walk: _Walk) -> dict[str, Any]:
    language, law = walk.visitor.language, walk.draft.law(walk.default)
    return {
        "law_name": law.name.in_(language),
        "signature_required": "signature" in law.required,
        "declarations": [{"id": each.id, "says": each.in_(language)} for each in law.declarations],
    }


_VALUES: Final[Mapping[str, Callable[[_Walk], dict[str, Any]]]] = {
    "law": _law,
    "where": lambda _: {"most_locations": MOST_LINES},
    "picture": lambda _: {"most_fingerprints": MOST_FINGERPRINTS},
    "words": lambda _: {"most_statement": MOST_STATEMENT},
    "contact": _contact,
    "sign": _sign,
    MINORS: lambda walk: {"minors": _by_country(walk.visitor, FOR_MINORS)},
    CHECK: lambda walk: {"answers": _answers(walk.visitor, walk.draft)},
}


async def _sent(walk: _Walk) -> Response:
    """The end: the case number and the PIN; or what is still to be answered."""
    visitor, draft = walk.visitor, walk.draft
    unanswered = first_wrong(draft, walk.default, visitor.say)
    if unanswered is not None:
        return walk.show(unanswered[0], unanswered[1], to=CHECK)
    origin = client_address(visitor.request)
    try:
        notice = draft.notice(walk.default, visitor.language)
        receipt = await run_in_threadpool(desk_of(visitor.request).receive, notice, origin)
    except WrongField as error:
        step = _question_of(error.field)
        said = visitor.say(marked("This cannot be taken as it is. Please look at it again."))
        return walk.show(step, {QUESTIONS[step][0]: said}, to=CHECK)
    except EgideError as error:
        # What was typed stays where it is: it can be sent again.
        status, said = visitor.explained(error)
        return walk.show(CHECK, {"": said}, status=status)
    return _receipt(visitor, receipt)


def _receipt(visitor: Visitor, receipt: Receipt) -> Response:
    status = receipt.status
    known = laws()
    return visitor.page(
        "notice/sent",
        case=receipt.case,
        pin=shown_pin(receipt.pin),
        missing=[known.elements[field].in_(visitor.language) for field in status.missing],
        deadline=None if status.paused else when(status.deadline),
        bodies=bodies(visitor.language, ASKS, status.jurisdiction),
    )


def _question_of(field: str) -> str:
    """The question that asks for the notice's `field`."""
    head = field.partition(".")[0]
    if head == "contact":
        return "contact"
    wanted = {"good_faith": "declared"}.get(head, head)
    return next((step for step, asked in QUESTIONS.items() if wanted in asked), "words")


def _by_country(visitor: Visitor, whom: frozenset[str]) -> list[tuple[str, list[dict[str, str]]]]:
    """Who helps, by country; that of the language first."""
    first = {"fr": "FR"}.get(visitor.language, desk_of(visitor.request).settings.jurisdiction)
    order = sorted(JURISDICTIONS, key=lambda name: (name != first, list(COUNTRIES).index(name)))
    found = [(visitor.say(COUNTRIES[name]), bodies(visitor.language, whom, name)) for name in order]
    return [(country, helping) for country, helping in found if helping]


def _answers(visitor: Visitor, draft: Draft) -> list[tuple[str, str, list[str]]]:
    """The summary: which question, what it is called, the answers."""
    say = visitor.say
    places = dict(PLACES)
    files = len(draft.files)
    prints = [say(marked("%(files)s with fingerprints")) % {"files": files}] if files else []
    return [
        ("age", say(marked("Age")), [say(ANSWERS[draft.age])]),
        ("who", say(marked("For whom")), [say(ANSWERS[draft.role])]),
        ("law", say(marked("Place")), [say(places[draft.jurisdiction])]),
        ("where", say(marked("Where the picture is")), list(draft.lines)),
        ("picture", say(marked("Pictures and videos")), prints),
        ("words", say(marked("What you say")), [draft.statement]),
        (
            "contact",
            say(marked("How to reach you")),
            [getattr(draft, name) for name in CONTACT if getattr(draft, name)],
        ),
        ("sign", say(marked("Signature")), [draft.signature] if draft.signature else []),
    ]
