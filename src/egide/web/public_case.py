"""`/case`: how a notice stands, by number and PIN; `/appeal`: the uploader's side.

Number, PIN and code come in the body of a form, never in an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from egide.desk.events import EventKind
from egide.desk.fold import CaseState
from egide.desk.laws import laws
from egide.desk.letters import LetterKind
from egide.desk.letters.cases import history_of, kinds_of
from egide.desk.notices import MOST_FINGERPRINTS, MOST_STATEMENT, MOST_WORDS, More
from egide.desk.numbers import pin_of, shown_pin
from egide.desk.views import Happened, Status, UploaderStatus
from egide.errors import CaseErased, CaseNotFound, CaseStands, WrongField
from egide.language import marked
from egide.web.identity_access import client_address, identity_of
from egide.web.public_form import CONTACT, MOST_LINES, Draft, Form, Wrong
from egide.web.public_pages import (
    ASKS,
    WITH_VIDEOS,
    PublicRoute,
    Visitor,
    bodies,
    desk_of,
    form_of,
    when,
)

router = APIRouter(route_class=PublicRoute, include_in_schema=False)

STATES: Final = {
    CaseState.INCOMPLETE: marked("We need something more from you"),
    CaseState.OPEN: marked("We are looking at your request"),
    CaseState.ESCALATED: marked("Your request is with a special team"),
    CaseState.DECIDED: marked("We decided to remove the picture"),
    CaseState.REMOVED: marked("Every copy that we know of is gone"),
    CaseState.REFUSED: marked("We decided not to remove the picture"),
    CaseState.APPEALED: marked("Someone else is looking at the decision again"),
    CaseState.REVERSED: marked("The removal was taken back"),
    CaseState.WITHDRAWN: marked("You took your request back"),
    CaseState.ERASED: marked("What you gave us was erased"),
}
TOLD: Final = {
    EventKind.RECEIVED: marked("We received your request."),
    EventKind.ASKED: marked("We asked you for something more."),
    EventKind.COMPLETED: marked("You gave what was missing."),
    EventKind.ACCEPTED: marked("Your request is complete. We are searching for copies."),
    EventKind.FOUND: marked("Copies were found."),
    EventKind.EFFECTIVE: marked("We decided."),
    EventKind.ACKNOWLEDGED: marked("The platform dealt with a copy."),
    EventKind.APPEALED: marked("An appeal was made against the decision."),
    EventKind.APPEAL_DECIDED: marked("The appeal was decided."),
    EventKind.REVERSED: marked("The removal was taken back."),
    EventKind.WITHDRAWN: marked("You took your request back."),
    EventKind.ERASED: marked("What you gave us was erased."),
}
NAMED: Final = marked("We noted where you say that it is.")
LETTERS: Final = {
    LetterKind.RECEIPT: marked("that we have your request"),
    LetterKind.ASKED: marked("what we asked for"),
    LetterKind.DECISION: marked("our decision"),
    LetterKind.REFUSAL: marked("our decision"),
    LetterKind.APPEAL: marked("the decision on the appeal"),
    LetterKind.WITHDRAWN: marked("that you took the request back"),
    LetterKind.STATEMENT: marked("why your post was removed"),
    LetterKind.OBJECTION: marked("the decision on the appeal"),
}
"""What letters are about, as pages offer them."""
RUNNING: Final = frozenset({CaseState.OPEN, CaseState.INCOMPLETE, CaseState.DECIDED})
"""States in which it matters when the clock ends."""
UPLOADER_STATES: Final = {
    "removed": marked("Your post was removed"),
    "appealed": marked("We are looking at your appeal"),
    "upheld": marked("The removal stays"),
    "restored": marked("Your post is back"),
}
NO_CASE: Final = marked(
    "We have no request with this number and this PIN. Check both and try again."
)
NO_CODE: Final = marked("We do not know this code. Copy all of it from the message that you got.")
NOTHING: Final = marked("Write what you want to say.")
NOT_TAKEN: Final = marked("This cannot be taken as it is. Please look at it again.")


@router.get("/case")
def asked(request: Request) -> Response:
    """Asks for number and PIN."""
    return Visitor.of(request).page("case/ask", security=WITH_VIDEOS, number="", wrong={})


@router.post("/case")
async def case(request: Request) -> Response:
    """How the case stands, or one of the things that can be done about it."""
    form = await form_of(request)
    visit = _Visit(Visitor.of(request, form), form)
    return await run_in_threadpool(visit.answer)


@router.get("/appeal")
def appeal_asked(request: Request) -> Response:
    """Asks for the code of the message."""
    return Visitor.of(request).page("appeal/ask", code="", wrong={})


@router.post("/appeal")
async def appeal(request: Request) -> Response:
    """What was removed and why; an appeal against it."""
    form = await form_of(request)
    return await run_in_threadpool(_appeal, Visitor.of(request, form), form)


class _Visit:
    """What somebody with a number and a PIN wants."""

    def __init__(self, visitor: Visitor, form: Form) -> None:
        self.visitor = visitor
        self.form = form
        self.desk = desk_of(visitor.request)
        self.origin = client_address(visitor.request)
        self.case, self.pin = form["case"], form["pin"]

    def answer(self) -> Response:
        """The page that follows."""
        form, page = self.form, self.form["page"]
        go = page if form["go"].startswith("language:") else form["go"]
        sends: dict[str, Callable[[], Status]] = {
            "add.send": self._add,
            "withdraw.send": self._withdraw,
            "appeal.send": self._appeal,
        }
        status: Status | None = None
        try:
            status = self.desk.status(self.case, self.pin, self.origin)
            if go in sends:
                return self._shown(sends[go](), done=go.removesuffix(".send"))
        except (CaseNotFound, CaseErased):
            return unknown(self.visitor, self.case)
        except CaseStands:  # somebody did something about it in the meantime
            return self._shown(self.desk.status(self.case, self.pin, self.origin))
        except WrongField as error:
            assert status is not None  # noqa: S101  nothing before it has fields
            return self._asking(go.removesuffix(".send"), status, self._wrong(error))
        if go in ("add", "withdraw", "appeal") and go in status.may:
            return self._asking(go, status, {})
        return self._shown(status)

    def _add(self) -> Status:
        return self.desk.add(self.case, self.pin, self.origin, self._more())

    def _withdraw(self) -> Status:
        return self.desk.withdraw(self.case, self.pin, self.origin)

    def _appeal(self) -> Status:
        words = self.form["words"]
        if not words:
            raise WrongField("words", "it is empty")
        return self.desk.appeal(self.case, self.pin, self.origin, words)

    def _more(self) -> More:
        """What was added: only what there is of it."""
        draft = Draft.of(self.form)
        contact = {name: getattr(draft, name) for name in CONTACT if getattr(draft, name)}
        hashes = dict.fromkeys(value for group in draft.files for value in group)
        document: dict[str, Any] = {
            "words": self.form["words"],
            "statement": draft.statement,
            "signature": draft.signature,
            "locations": list(draft.lines),
            "fingerprints": [{"type": "pdq", "value": value} for value in hashes],
            "declared": list(draft.declared),
            "good_faith": bool(draft.declared),
        }
        if contact:
            document["contact"] = contact
        return More.from_json({name: value for name, value in document.items() if value})

    def _wrong(self, error: WrongField) -> Wrong:
        """What is wrong with what was typed, by the field's id."""
        field = error.field.split(".")
        name = field[-1] if field[0] == "contact" else field[0]
        nothing = name == "words" and not self.form["words"]
        return {name: self.visitor.say(NOTHING if nothing else NOT_TAKEN)}

    def _asking(self, what: str, status: Status, wrong: Wrong) -> Response:
        """One of the pages that ask for something before it is done."""
        law = laws()[status.jurisdiction]
        language = self.visitor.language
        return self.visitor.page(
            f"case/{what}",
            422 if wrong else 200,
            security=WITH_VIDEOS,
            **self._known(what),
            status=status,
            wrong=wrong,
            draft=Draft.of(self.form),
            words=self.form["words"],
            missing=[laws().elements[field].in_(language) for field in status.missing],
            declarations=[{"id": each.id, "says": each.in_(language)} for each in law.declarations],
            most_words=MOST_WORDS,
            most_statement=MOST_STATEMENT,
            most_locations=MOST_LINES,
            most_fingerprints=MOST_FINGERPRINTS,
        )

    def _shown(self, status: Status, done: str = "") -> Response:
        language, say = self.visitor.language, self.visitor.say
        return self.visitor.page(
            "case/status",
            **self._known("status"),
            status=status,
            done=done,
            state=say(STATES[status.state]),
            deadline=None if status.state not in RUNNING else when(status.deadline),
            opened=when(status.opened),
            left=status.deadline / 1000 - identity_of(self.visitor.request).clock(),
            happened=[
                (when(each.at), say(NAMED if _only_named(each) else TOLD[each.event]), each)
                for each in status.events
                if each.event in TOLD
            ],
            missing=[laws().elements[field].in_(language) for field in status.missing],
            bodies=bodies(language, ASKS, status.jurisdiction),
            letters=[(str(kind), say(LETTERS[kind])) for kind in self._letters(status)],
        )

    def _letters(self, status: Status) -> tuple[LetterKind, ...]:
        """Which letters there are to take along."""
        try:
            return tuple(kinds_of(history_of(self.desk.book, status)))
        except CaseErased:
            return ()

    def _known(self, page: str) -> dict[str, str]:
        """What every page of a case carries along."""
        return {"page": page, "case": self.case, "pin": shown_pin(pin_of(self.pin))}


def _only_named(happened: Happened) -> bool:
    """Whether nothing was found but what she told us herself."""
    return bool(happened.places) and not happened.copies


def unknown(visitor: Visitor, number: str) -> Response:
    """Asks for number and PIN again: the same for a wrong number and a wrong PIN."""
    return visitor.page(
        "case/ask",
        404,
        security=WITH_VIDEOS,
        number=number[:40],
        wrong={"case": visitor.say(NO_CASE)},
    )


def _appeal(visitor: Visitor, form: Form) -> Response:
    desk, origin = desk_of(visitor.request), client_address(visitor.request)
    code, words, wrong = form["code"], form["words"], {}
    done = False
    try:
        status = desk.uploader(code, origin)
        if form["go"] == "send" and words and "appeal" in status.may:
            status, done = desk.uploader_appeal(code, origin, words), True
        elif form["go"] == "send" and not words:
            wrong["words"] = visitor.say(NOTHING)
    except CaseNotFound:
        return visitor.page("appeal/ask", 404, code="", wrong={"code": visitor.say(NO_CODE)})
    except (WrongField, CaseStands) as error:
        status = desk.uploader(code, origin)
        if isinstance(error, WrongField):
            wrong["words"] = visitor.say(NOT_TAKEN)
    return _uploader(visitor, status, code=code, words=words, wrong=wrong, done=done)


def _uploader(visitor: Visitor, status: UploaderStatus, **values: Any) -> Response:
    decided = status.state in ("upheld", "restored")
    kinds = (LetterKind.STATEMENT, LetterKind.OBJECTION)[: 1 + decided]
    return visitor.page(
        "appeal/status",
        422 if values["wrong"] else 200,
        letters=[(str(kind), visitor.say(LETTERS[kind])) for kind in kinds],
        status=status,
        state=visitor.say(UPLOADER_STATES.get(status.state, UPLOADER_STATES["removed"])),
        until=when(status.until),
        most_words=MOST_WORDS,
        **values,
    )
