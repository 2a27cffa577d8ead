"""Letters of a case: which there are, and what they are written from.

    desk ─► history_of (reads) ─► History (frozen) ─► kinds_of, for_event (pure) ─► Letter

Whoever calls has asked the desk first: `Desk.status` and `Desk.view` refuse those who may not see
the case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from egide.desk.closing import medium_of
from egide.desk.events import Event, EventKind
from egide.desk.laws import Body as LawBody
from egide.desk.laws import laws
from egide.desk.letters.facts import Appeal, Body, CaseFacts, Outcome, Side
from egide.desk.letters.letter import Letter, LetterKind
from egide.desk.letters.person import appeal, asked, decision, receipt, refusal, withdrawn
from egide.desk.letters.uploader import objection, statement
from egide.desk.statement_cases import RemovedCopy, moment_of
from egide.desk.status import told_copies
from egide.errors import CaseErased, CaseNotFound, UsageError

if TYPE_CHECKING:
    from egide.desk.casebook import Casebook, Writing
    from egide.desk.views import CaseView, Status

_DAY: Final = 86_400_000
_GONE: Final = frozenset({"removed", "gone", "blocked"})
_EUROPEAN: Final = frozenset({"EU", "FR"})
_REMOVES: Final = frozenset({"remove", "confirm"})


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the platform's name, the page where the person follows the case, and the time.

    `now` is in milliseconds since 1970, UTC.
    """

    platform: str
    status_url: str
    now: int


@dataclass(frozen=True, slots=True)
class History:
    """What letters need of a case; times in milliseconds since 1970, UTC.

    Attributes:
        events: all of them, in their order.
        words: what reviewers wrote, by the number of the event; nobody else's words.
        copies: the state of each copy.
    """

    case: str
    kind: str
    jurisdiction: str
    language: str
    deadline: int
    paused: bool
    missing: tuple[str, ...]
    events: tuple[Event, ...]
    words: dict[int, str]
    copies: tuple[str, ...]


_WRITTEN: Final = {
    EventKind.ASKED: "words",
    EventKind.EFFECTIVE: "text",
    EventKind.REVERSED: "text",
    EventKind.APPEAL_DECIDED: "text",
}
"""Where a reviewer's words to the person stand in what an event seals."""


def history_of(book: Casebook, shown: Status | CaseView) -> History:
    """The history of the case that the desk has shown; CaseNotFound."""
    with book.reading() as reading:
        row, _ = reading.case(shown.case)
        events = tuple(reading.events(row.number))
        copies = told_copies(reading, row)
        return History(
            case=row.number,
            kind=row.kind,
            jurisdiction=row.jurisdiction,
            language=shown.language,
            deadline=shown.deadline,
            paused=shown.paused,
            missing=shown.missing,
            events=events,
            words=_words(reading, row.number, events),
            copies=tuple(str(each["state"]) for each in copies),
        )


def kinds_of(history: History) -> tuple[LetterKind, ...]:
    """The letters that can be written to the person."""
    if history.kind != "notice":
        return ()
    found = {
        LetterKind.RECEIPT: True,
        LetterKind.ASKED: bool(history.missing) or _last(history, EventKind.ASKED) is not None,
        LetterKind.DECISION: _decided(history, "remove") is not None,
        LetterKind.REFUSAL: _decided(history, "refuse") is not None,
        LetterKind.APPEAL: _last(history, EventKind.APPEAL_DECIDED) is not None,
        LetterKind.WITHDRAWN: _last(history, EventKind.WITHDRAWN) is not None,
    }
    return tuple(kind for kind, there in found.items() if there)


def for_event(history: History, kind: LetterKind, language: str, head: Letterhead) -> Letter:
    """The letter of `kind` to the person; UsageError when the case has none."""
    if kind not in kinds_of(history):
        raise UsageError(f"the case has no letter {kind!s}; look at the case again")
    facts = _facts(history, language, head)
    writers = {
        LetterKind.RECEIPT: _receipt,
        LetterKind.ASKED: _asked,
        LetterKind.DECISION: _decision,
        LetterKind.REFUSAL: _refusal,
        LetterKind.APPEAL: _appeal,
        LetterKind.WITHDRAWN: _withdrawn,
    }
    return writers[kind](history, facts, language)


def statement_for(book: Casebook, copy: str, language: str, head: Letterhead) -> Letter:
    """The statement of reasons for a removed copy, without the code to object; CaseNotFound."""
    removed = removed_copy(book, copy)
    return statement(removed.restriction(head.platform, language), language)


def objection_for(book: Casebook, copy: str, language: str, head: Letterhead) -> Letter:
    """How the uploader's objection about a copy was decided; CaseNotFound, UsageError."""
    with book.reading() as reading:
        numbers = _numbers_of(reading, copy)
        objections = [_objection(reading.events(number), copy) for number in numbers]
        decided = next((each for each in objections if each is not None), None)
    if decided is None:
        raise UsageError("no objection about this content was decided")
    reverse = decided.told["outcome"] == "reverse"
    outcome = Outcome.REVERSED if reverse else Outcome.UPHELD
    restriction = removed_copy(book, copy).restriction(head.platform, language)
    return objection(restriction, outcome, moment_of(decided.at), language)


def removed_copy(book: Casebook, copy: str) -> RemovedCopy:
    """What the desk knows of a copy that was told to be removed; CaseNotFound."""
    with book.reading() as reading:
        numbers = _numbers_of(reading, copy)
        tellings = ((each, _told(reading.events(each), copy)) for each in numbers)
        number, told = next((each for each in tellings if each[1] is not None), (numbers[0], None))
        row, _ = reading.case(number)
        events = reading.events(number)
        about = reading.connection.execute(
            "SELECT content_id, content_url, how, entry FROM desk_copy WHERE id = ?", (copy,)
        ).fetchone()
        first = events[0].told
        medium = medium_of(reading, first, about["how"], about["entry"])
    if told is None:
        raise CaseNotFound("this content was not removed")
    return RemovedCopy(
        jurisdiction=row.jurisdiction,
        reasons=_reasons(events, told),
        content_id=about["content_id"],
        content_url=about["content_url"],
        how=about["how"],
        at=told.at,
        sender=first.get("sender") if row.kind == "notice" else None,
        flagger=bool(first.get("flagger")),
        appeal_until=told.at + laws()[row.jurisdiction].appeal_days * _DAY,
        medium=medium,
    )


def _numbers_of(reading: Writing, copy: str) -> list[str]:
    """The case that has a copy, and before it those that it was taken over from."""
    found = reading.connection.execute(
        "SELECT number FROM desk_copy WHERE id = ?", (copy,)
    ).fetchone()
    if found is None:
        raise CaseNotFound("no such copy")
    numbers = [str(found["number"])]
    for number in numbers:
        numbers += [
            str(each.told["from"])
            for each in reading.events(number)
            if each.kind is EventKind.JOINED and copy in each.told.get("copies", ())
        ]
    return numbers


def _told(events: list[Event], copy: str) -> Event | None:
    """When the platform was last told to remove this copy: by a decision, or since one holds."""
    told = (each for each in reversed(events) if each.kind is EventKind.TOLD)
    return next((each for each in told if copy in each.told["copies"]), None)


def _reasons(events: list[Event], told: Event) -> tuple[str, ...]:
    """Those of the removal that held when the platform was told."""
    for each in reversed(events[: told.seq]):
        if each.kind is EventKind.EFFECTIVE and each.told["outcome"] in _REMOVES:
            return tuple(each.told["reasons"])
    return ()


def _objection(events: list[Event], copy: str) -> Event | None:
    """The decision of the appeal that the uploader of this copy made."""
    mine = {
        each.seq
        for each in events
        if each.kind is EventKind.APPEALED and each.told.get("copy") == copy
    }
    decided = (each for each in events if each.kind is EventKind.APPEAL_DECIDED)
    return next((each for each in decided if mine & set(each.told["appeals"])), None)


def _receipt(_: History, facts: CaseFacts, language: str) -> Letter:
    return receipt(facts, language)


def _asked(history: History, facts: CaseFacts, language: str) -> Letter:
    last = _last(history, EventKind.ASKED)
    words = "" if last is None else history.words.get(last.seq, "")
    return asked(replace(facts, words=words), language)


def _decision(history: History, facts: CaseFacts, language: str) -> Letter:
    return decision(_because(history, facts, _decided(history, "remove"), language), language)


def _refusal(history: History, facts: CaseFacts, language: str) -> Letter:
    last = _decided(history, "refuse")
    return refusal(_because(history, facts, last, language), language)


def _appeal(history: History, facts: CaseFacts, language: str) -> Letter:
    last = _last(history, EventKind.APPEAL_DECIDED)
    assert last is not None  # noqa: S101  kinds_of has seen it
    told = last.told
    sides = {each.told["by"] for each in history.events if each.seq in told["appeals"]}
    outcome = Outcome.UPHELD if told["outcome"] == "uphold" else Outcome.REVERSED
    whole = any(e.kind is EventKind.REVERSED and e.seq > last.seq for e in history.events)
    side = Side.PERSON if "notifier" in sides else Side.UPLOADER
    found = Appeal(side, outcome, moment_of(last.at), whole or side is Side.PERSON)
    because = _because(history, facts, last, language)
    return appeal(replace(because, decided=None, appeal=found), language)


def _withdrawn(history: History, facts: CaseFacts, language: str) -> Letter:
    last = _last(history, EventKind.WITHDRAWN)
    at = None if last is None else moment_of(last.at)
    return withdrawn(replace(facts, withdrawn=at), language)


def _because(history: History, facts: CaseFacts, event: Event | None, language: str) -> CaseFacts:
    """`facts` with when and why it was decided: in the reviewer's words where there are some."""
    assert event is not None  # noqa: S101  kinds_of has seen it
    words = history.words.get(event.seq, "")
    known = laws().reasons
    reasons = tuple(
        known[each].in_(language) for each in event.told.get("reasons", ()) if each in known
    )
    ends = event.at + laws()[history.jurisdiction].appeal_days * _DAY
    appealed = any(
        each.kind is EventKind.APPEALED and each.told["by"] == "notifier" for each in history.events
    )
    return replace(
        facts,
        decided=moment_of(event.at),
        reasons=() if words else reasons,
        words=words,
        appeal_until=None if appealed else moment_of(ends),
    )


def _facts(history: History, language: str, head: Letterhead) -> CaseFacts:
    law = laws()[history.jurisdiction]
    elements = laws().elements
    return CaseFacts(
        case=history.case,
        platform=head.platform,
        status_url=head.status_url,
        written=moment_of(head.now),
        received=moment_of(history.events[0].at),
        deadline=moment_of(history.deadline),
        statute=law.clock.kind == "statute",
        paused=history.paused,
        missing=tuple(elements[each].in_(language) for each in history.missing),
        searched=_last(history, EventKind.SEARCHED) is not None,
        found=len(history.copies),
        removed=sum(state in _GONE for state in history.copies),
        out_of_court=history.jurisdiction in _EUROPEAN,
        bodies=tuple(_body(each, language) for each in law.bodies if each.for_ != "minors"),
    )


def _body(body: LawBody, language: str) -> Body:
    return Body(body.name, body.url, body.in_(language))


def _decided(history: History, outcome: str) -> Event | None:
    effective = (each for each in history.events if each.kind is EventKind.EFFECTIVE)
    return next((e for e in reversed(list(effective)) if e.told["outcome"] == outcome), None)


def _last(history: History, kind: EventKind) -> Event | None:
    return next((each for each in reversed(history.events) if each.kind is kind), None)


def _words(reading: Writing, number: str, events: tuple[Event, ...]) -> dict[int, str]:
    try:
        personal: dict[int, dict[str, Any]] = reading.personal(number)
    except CaseErased:
        return {}
    return {
        each.seq: str(personal.get(each.seq, {}).get(_WRITTEN[each.kind], ""))
        for each in events
        if each.kind in _WRITTEN
    }
