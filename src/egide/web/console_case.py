"""`/desk/cases/…`: one case, and everything that a reviewer does with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Response

from egide.desk.asks import MOST_TEXT, AppealDecision, Decision
from egide.desk.copies import covered
from egide.desk.fold import WAITING, CaseState
from egide.desk.laws import laws
from egide.desk.letters import LetterKind
from egide.desk.letters.cases import history_of, kinds_of
from egide.desk.notices import text_of
from egide.desk.views import CaseView, CopyView, Personal
from egide.errors import WrongField
from egide.identity import Scope
from egide.language import marked
from egide.web.console_pages import At, ConsoleRoute, Seat, console_page
from egide.web.identity_templates import to

router = APIRouter(route_class=ConsoleRoute, include_in_schema=False, prefix="/desk/cases/{case}")

SHOWN: Final = 300
"""Copies on one page; with those that are ticked, most of those behind are removed as well."""

Reader = Annotated[Seat, Depends(At(Scope.CASE_READ))]
Writer = Annotated[Seat, Depends(At(Scope.CASE_WRITE))]
Second = Annotated[Seat, Depends(At(Scope.CASE_CONFIRM))]
Words = Annotated[str, Form(max_length=20_000)]
Field = Annotated[str, Form(max_length=100)]
Many = Annotated[list[str], Form(max_length=SHOWN)]

LIVE: Final = frozenset({"found", "refused", "restored"})
"""States of copies that are still up, as far as is known."""
_ACTORS: Final = {
    "account": marked("colleague"),
    "key": marked("the platform"),
    "console": marked("the server's console"),
    "person": marked("the person"),
    "uploader": marked("the uploader"),
    "desk": marked("by itself"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Copies that show one picture: one look at `shown` serves for all.

    `wanted` are the ids of those that the law asks to be removed with the original.
    """

    id: int
    copies: tuple[CopyView, ...]
    wanted: frozenset[str]

    @property
    def shown(self) -> CopyView:
        """The copy that is looked at: one that can be fetched, if there is one."""
        return next((each for each in self.copies if each.content_url), self.copies[0])


@router.get("")
def case_page(seat: Reader, case: str) -> Response:
    """The case: clock, findings, copies, ways to decide, history."""
    return _page(seat, case)


@router.post("/reveal")
def reveal(seat: Writer, case: str) -> Response:
    """The case with the notice's statement and sender, this once; it is noted in the case."""
    if seat.desk.view(seat.principal, case).state is CaseState.ESCALATED:
        return to("/desk/escalated")
    personal = seat.desk.reveal(seat.principal, case)
    return _page(seat, case, personal)


@router.post("/claim")
def claim(seat: Writer, case: str) -> Response:
    """Claims the case."""
    seat.desk.claim(seat.principal, case)
    return _back(case)


@router.post("/release")
def release(seat: Writer, case: str) -> Response:
    """Gives the claim up."""
    seat.desk.release(seat.principal, case)
    return _back(case)


@router.post("/decide")
def decide(
    seat: Writer,
    case: str,
    outcome: Field,
    reasons: Many = [],  # noqa: B006  read, never changed
    text: Words = "",
    copies: Many = [],  # noqa: B006
    choosing: Field = "",
) -> Response:
    """Decides the notice, for the copies that are ticked."""
    chosen = _chosen(seat, case, copies) if choosing else ()
    decision = Decision.from_json(
        {"outcome": outcome, "reasons": reasons, "text": lines(text), "copies": chosen}
    )
    seat.desk.decide(seat.principal, case, decision)
    return _back(case)


@router.post("/leave")
def leave(seat: Writer, case: str, words: Words = "") -> Response:
    """Leaves what was found since the decision as it is."""
    seat.desk.leave(seat.principal, case, lines(words))
    return _back(case)


@router.post("/undo")
def undo(seat: Writer, case: str) -> Response:
    """Takes back a decision that has not taken effect."""
    seat.desk.undo(seat.principal, case)
    return _back(case)


@router.post("/confirm")
def confirm(seat: Second, case: str) -> Response:
    """Agrees to a decision, as the second reviewer."""
    seat.desk.confirm(seat.principal, case)
    return _back(case)


@router.post("/ask")
def ask(
    seat: Writer,
    case: str,
    elements: Many = [],  # noqa: B006
    words: Words = "",
) -> Response:
    """Asks the person for more."""
    seat.desk.ask(seat.principal, case, tuple(elements), lines(words))
    return _back(case)


@router.post("/note")
def note(seat: Writer, case: str, words: Words) -> Response:
    """Keeps a note for colleagues."""
    seat.desk.note(seat.principal, case, lines(words))
    return _back(case)


@router.post("/escalate")
def escalate(seat: Writer, case: str) -> Response:
    """Freezes the case, and leads away from it."""
    seat.desk.escalate(seat.principal, case)
    return to("/desk")


@router.post("/judge")
def judge(
    seat: Writer,
    case: str,
    outcome: Field,
    reasons: Many = [],  # noqa: B006
    text: Words = "",
) -> Response:
    """Confirms or denies what screening found."""
    if outcome not in ("confirm", "deny"):
        raise WrongField("outcome", "it must be confirm or deny")
    said = text_of(lines(text), "text", MOST_TEXT)
    seat.desk.judge(seat.principal, case, outcome == "confirm", tuple(reasons), said)
    return _back(case)


@router.post("/appeal")
def decide_appeal(
    seat: Writer,
    case: str,
    outcome: Field,
    reasons: Many = [],  # noqa: B006
    text: Words = "",
    whole: Field = "",
    appeals: Many = [],  # noqa: B006
) -> Response:
    """Decides the appeals that the page showed."""
    decision = AppealDecision.from_json(
        {
            "outcome": outcome,
            "reasons": reasons,
            "text": lines(text),
            "whole": whole == "yes",
            "appeals": appeals,
        }
    )
    seat.desk.decide_appeal(seat.principal, case, decision)
    return _back(case)


def _page(seat: Seat, number: str, personal: Personal | None = None) -> Response:
    case = seat.desk.view(seat.principal, number)
    if case.state is CaseState.ESCALATED:
        return to("/desk/escalated")
    return console_page(
        "case", seat, at=address(case.case), personal=personal, **case_values(seat, case)
    )


def case_values(seat: Seat, case: CaseView) -> Mapping[str, Any]:
    """What the page of a case is made of."""
    known = laws()
    return {
        "case": case,
        "law": known[case.jurisdiction],
        "groups": groups(case),
        "behind": len(behind(case)),
        "left_alone": len(case.copies[SHOWN:]) - len(behind(case)),
        "ways": ways(case),
        "choosing": "remove" in ways(case) and any(removable(each) for each in case.copies),
        "removable": removable,
        "reasons": known.reasons_for,
        "reason": lambda id_: _reason(seat, id_),
        "elements": list(known.elements.items()),
        "ticking": WAITING,
        "who": lambda actor: who(seat, actor),
        "edits": lambda edit: [each for each in edit.replace("+", " ").split() if each != "none"],
        "letters": _letters(seat, case),
        "exposure": seat.desk.exposure(seat.principal),
    }


def _reason(seat: Seat, id_: str) -> str:
    """The words of a reason; the id of one that was taken out of the data since."""
    known = laws().reasons.get(id_)
    return id_ if known is None else known.in_(seat.language)


def _letters(seat: Seat, case: CaseView) -> tuple[LetterKind, ...]:
    """The letters that the case has for the person; none once it was erased."""
    if case.kind != "notice" or case.erased:
        return ()
    return kinds_of(history_of(seat.desk.book, case))


def groups(case: CaseView) -> list[Group]:
    """The copies by the picture that they show, in the order in which they come."""
    found: dict[int, list[CopyView]] = {}
    for copy in case.copies[:SHOWN]:
        found.setdefault(copy.group, []).append(copy)
    return [
        Group(id_, tuple(each), frozenset(one.copy for one in each if wanted(case, one)))
        for id_, each in found.items()
    ]


def who(seat: Seat, actor: str) -> str:
    """What an actor of an event is called; colleagues by a part of their account's id."""
    if actor == seat.principal.actor:
        return seat.say("you")
    kind, _, id_ = actor.partition(":")
    named = _ACTORS.get(kind)
    if named is None:
        return actor
    return f"{seat.say(named)} {id_[:4]}" if kind == "account" else seat.say(named)


def lines(text: str) -> str:
    """What was written into a field of several lines, whose ends browsers write otherwise."""
    return text.replace("\r\n", "\n").strip()


def _chosen(seat: Seat, number: str, ticked: list[str]) -> tuple[str, ...]:
    """The copies that are ticked, and those behind."""
    if not ticked:
        raise WrongField("copies", "tick at least one copy, or refuse the notice")
    return (*ticked, *(each.copy for each in behind(seat.desk.view(seat.principal, number))))


def behind(case: CaseView) -> tuple[CopyView, ...]:
    """The copies that the page has no room for, and that a removal is about all the same.

    What the law asks for, but for a creator's own work: that is for a person to see.
    """
    return tuple(each for each in case.copies[SHOWN:] if wanted(case, each) and not each.own_work)


def removable(copy: CopyView) -> bool:
    """Whether a removal can be about this copy: it is still up, as far as is known."""
    return copy.state in LIVE


def ways(case: CaseView) -> frozenset[str]:
    """The outcomes that this reviewer can decide for now."""
    found: set[str] = set()
    if "decide" in case.may:
        undecided = case.state in (CaseState.OPEN, CaseState.INCOMPLETE)
        live = any(removable(each) for each in case.copies)
        found |= {"refuse"} if undecided else set()
        found |= {"remove"} if case.state is CaseState.OPEN or (live and not undecided) else set()
    found |= {"confirm", "deny"} if "judge" in case.may else set()
    found |= {"reverse", "uphold"} if "decide_appeal" in case.may else set()
    return frozenset(found)


def wanted(case: CaseView, copy: CopyView) -> bool:
    """Whether the law of the case asks for the removal of this copy along with its original."""
    # What was put back goes only if a reviewer ticks it.
    live = removable(copy) and copy.state != "restored"
    return live and covered(copy.how, case.jurisdiction)


def address(number: str) -> str:
    """Where the page of a case is."""
    return f"/desk/cases/{number}"


def _back(number: str) -> Response:
    return to(address(number))
