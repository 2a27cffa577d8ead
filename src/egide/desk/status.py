"""What the person is told of her case, and what the notice is after all that was added to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from egide.desk.appeals import undecided
from egide.desk.asks import words_of
from egide.desk.banking import taken
from egide.desk.copies import KEPT, LOCATED
from egide.desk.erasing import stops_copies
from egide.desk.events import TOLD_TO_THE_PERSON, EventKind, earlier
from egide.desk.fold import AWAITED, ENDED, CaseState
from egide.desk.laws import laws
from egide.desk.notices import Location, Notice, Order, Sender
from egide.desk.views import Happened, Outcome, Status
from egide.errors import CaseErased

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egide.db import Row
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.events import Event

_GONE: Final = frozenset({"removed", "gone", "blocked"})
_DAY: Final = 86_400_000
_ON_COPIES: Final = (EventKind.ACKNOWLEDGED, EventKind.APPEALED, EventKind.APPEAL_DECIDED)
_OUTCOMES: Final = (EventKind.EFFECTIVE, EventKind.REVERSED, EventKind.WITHDRAWN)


class Reading:
    """Reads cases for those whose they are."""

    def status(self, writing: Writing, number: str) -> Status:
        """How a case stands."""
        row, folded = writing.case(number)
        events = writing.events(number)
        copies = told_copies(writing, row)
        theirs = [] if row.joined is None else _of_copies(writing, row, row.joined, copies)
        gone = sum(each["state"] in _GONE for each in copies)
        named = frozenset(each["id"] for each in copies if _is_only_named(each))
        first = events[0].told
        missing: tuple[str, ...] = ()
        if row.state is CaseState.INCOMPLETE:
            missing = laws()[row.jurisdiction].missing(self.notice(writing, row))
        return Status(
            case=number,
            state=_state(row, copies, theirs),
            jurisdiction=row.jurisdiction,
            language=first.get("language", "en"),
            opened=row.opened,
            deadline=row.deadline,
            paused=folded.paused is not None,
            missing=missing,
            asked=self._asked(writing, number),
            copies_found=len(copies) - len(named),
            places_named=len(named),
            copies_removed=gone,
            events=_history([*events, *theirs], copies, named),
            outcome=self.outcome(writing, row),
            may=self.may(writing, row),
            order=first.get("sender") == Sender.AUTHORITY,
        )

    def notice(self, writing: Writing, row: CaseRow) -> Notice:
        """The notice with all that was added to it; CaseErased."""
        personal = writing.personal(row.number)
        first = self.first(writing, row.number).told
        began = personal.get(0, {})
        order = began.get("order")
        notice = Notice(
            jurisdiction=row.jurisdiction,
            sender=Sender(first["sender"]),
            statement=began.get("statement", ""),
            good_faith=began.get("good_faith", False),
            signature=began.get("signature", ""),
            locations=_places(began),
            fingerprints=tuple(taken(writing.prints(row.number))),
            contact=began.get("contact", {}),
            language=first.get("language", "en"),
            declared=frozenset(began.get("declared", ())),
            order=None if order is None else Order(**order),
        )
        for event in writing.events(row.number)[1:]:
            if event.kind is EventKind.NOTE and event.actor == "person":
                notice = _with(notice, personal.get(event.seq, {}))
        return notice

    def places_before(self, writing: Writing, number: str, event: Event) -> list[Location]:
        """What a case, and those joined to it, had named as places when `event` happened."""
        found: dict[Location, None] = {}
        for each in (number, *self.joined(writing, number)):
            personal = writing.personal(each)
            for said in writing.events(each):
                if said.seq in personal and earlier(said, event):
                    found |= dict.fromkeys(_places(personal[said.seq]))
        return list(found)

    def first(self, writing: Writing, number: str) -> Event:
        """The event that the case began with."""
        return writing.events(number)[0]

    def joined(self, writing: Writing, number: str) -> list[str]:
        """The cases that are decided with this one and still stand, oldest first."""
        rows = writing.connection.execute(
            "SELECT number FROM desk_case WHERE joined = ? AND state NOT IN (?, ?)"
            " ORDER BY opened, number",
            (number, *ENDED),
        ).fetchall()
        return [each["number"] for each in rows]

    def may(self, writing: Writing, row: CaseRow) -> frozenset[str]:
        """Which of `add`, `withdraw` and `appeal` the person can do now."""
        if row.state is CaseState.ERASED and stops_copies(writing.connection, row.number):
            return frozenset({"withdraw"})  # that right does not end with what we keep
        if row.state in ENDED or row.kind != "notice":
            return frozenset()
        may = set()
        if row.state in (CaseState.INCOMPLETE, CaseState.OPEN, CaseState.DECIDED):
            may |= {"add"}
        if row.state is not CaseState.ESCALATED:
            may |= {"withdraw"}
        if row.state in (CaseState.REFUSED, CaseState.REVERSED):
            last = next(
                each for each in reversed(writing.events(row.number)) if each.kind in _OUTCOMES
            )
            ends = last.at + laws()[row.jurisdiction].appeal_days * _DAY
            appealed = any(
                each.kind is EventKind.APPEALED and each.told["by"] == "notifier"
                for each in writing.events(row.number)
            )
            may |= {"appeal"} if writing.now < ends and not appealed else set()
        return frozenset(may)

    def outcome(self, writing: Writing, row: CaseRow) -> Outcome | None:
        """The last decision that took effect, in the words it is told in."""
        events = writing.events(row.number)
        last = next((each for each in reversed(events) if each.kind in _OUTCOMES), None)
        if last is None:
            return None
        told = last.told
        reasons = tuple(told.get("reasons", ()))
        words = ""
        with suppress(CaseErased):
            words = str(writing.personal(row.number).get(last.seq, {}).get("text", ""))
        kind = {EventKind.REVERSED: "reverse", EventKind.WITHDRAWN: "withdraw"}.get(last.kind)
        language = events[0].told.get("language", "en")
        outcome = kind or str(told["outcome"])
        return Outcome(last.at, outcome, reasons, words_of(reasons, words, language))

    @staticmethod
    def _asked(writing: Writing, number: str) -> str:
        """What the desk asked for last, while it waits for it."""
        events = writing.events(number)
        asked = [each for each in events if each.kind in (EventKind.ASKED, EventKind.COMPLETED)]
        if not asked or asked[-1].kind is EventKind.COMPLETED or asked[-1].sealed is None:
            return ""
        try:
            return str(writing.personal(number)[asked[-1].seq].get("words", ""))
        except CaseErased:
            return ""


def told_copies(writing: Writing, row: CaseRow) -> list[Row]:
    """The copies that the person is told of: those that her own notice finds.

    A case can hold more: whoever sent one that is decided together with another's must not learn
    from it that there is another, nor how much that one names.
    """
    found = [each for each in writing.events(row.number) if each.kind is EventKind.FOUND]
    mine = {copy for each in found for copy in each.told["copies"]}
    rows = writing.connection.execute(
        f"{_COPIES} WHERE number = ? ORDER BY id",
        (row.number, row.state, row.joined or row.number),
    ).fetchall()
    rows = [each for each in rows if each["id"] in mine]
    if row.state is CaseState.WITHDRAWN:
        # Another case may have taken them over.
        own = {copy for each in found if "lead" not in each.told for copy in each.told["copies"]}
        for copy in sorted(own - {each["id"] for each in rows}):
            rows += writing.connection.execute(
                f"{_COPIES} WHERE id = ?", (row.number, row.state, copy)
            ).fetchall()
    return rows


_COPIES: Final = (
    "SELECT id, how, entry, evidence, CASE WHEN number <> ? AND ? = 'withdrawn'"
    " AND state NOT IN ('found', 'blocked') THEN 'restoring' ELSE state END AS state FROM desk_copy"
)
"""Of a case that was taken back: as it would stand if no other asked for the same."""


def _of_copies(writing: Writing, row: CaseRow, lead: str, copies: Sequence[Row]) -> list[Event]:
    """What happened to `copies` of a joined case while it stood: it is in the lead's events."""
    mine = {each["id"] for each in copies}
    ended = [e.at for e in writing.events(row.number) if e.kind is EventKind.WITHDRAWN]
    until = ended[0] if ended else writing.now
    return [
        each
        for each in writing.events(lead)
        if row.opened <= each.at <= until
        and each.kind in _ON_COPIES
        and not mine.isdisjoint((each.told.get("copy"), *each.told.get("copies", ())))
    ]


def _state(row: CaseRow, copies: Sequence[Row], theirs: Sequence[Event]) -> CaseState:
    """What is told of the state: nothing of the escalation lane, and of a joined case where it
    would stand by itself.
    """
    if row.state is CaseState.ESCALATED:
        return CaseState.OPEN
    if row.joined is None or row.state not in (CaseState.REMOVED, CaseState.DECIDED):
        return row.state
    if undecided(theirs):
        return CaseState.APPEALED
    waits = any(each["state"] in AWAITED for each in copies)
    return CaseState.DECIDED if waits else CaseState.REMOVED


def _history(
    events: Sequence[Event], copies: Sequence[Row], named: frozenset[str]
) -> tuple[Happened, ...]:
    """What is told of events, in the order in which they happened."""
    known = frozenset(each["id"] for each in copies) - named
    found = [
        _happened(each, known, named)
        for each in sorted(events, key=lambda each: each.at)
        if _is_told(each)
    ]
    return tuple(
        each for each in found if each.event != EventKind.FOUND or each.copies or each.places
    )


def _is_told(event: Event) -> bool:
    """Whether the person is told of an event; what she herself added, too."""
    return event.kind in TOLD_TO_THE_PERSON or (
        event.kind is EventKind.NOTE and event.actor == "person"
    )


def _is_only_named(copy: Row) -> bool:
    """Whether a copy is a place that she named, and nobody knows yet that something is there.

    It becomes a find when the library has it, or the platform says that it removed it.
    """
    known = copy["entry"] is not None or KEPT in copy["evidence"] or copy["state"] in _GONE
    return copy["how"] == LOCATED and not known


def _happened(event: Event, known: frozenset[str], named: frozenset[str]) -> Happened:
    """As it is counted today: all copies of the history together are those that are known."""
    if event.kind is not EventKind.FOUND:
        return Happened(event.at, event.kind)
    copies = set(event.told["copies"])
    return Happened(event.at, event.kind, len(copies & known), len(copies & named))


def _places(said: dict[str, Any]) -> tuple[Location, ...]:
    return tuple(Location(**each) for each in said.get("locations", ()))


def _with(notice: Notice, said: dict[str, Any]) -> Notice:
    """The notice after one addition: what was said anew takes the place of what was there."""
    # Without a list, all of the law's declarations were made.
    whole = (notice.good_faith and not notice.declared) or (
        bool(said.get("good_faith")) and not said.get("declared")
    )
    declared = notice.declared | frozenset(said.get("declared", ()))
    return replace(
        notice,
        statement=said.get("statement") or notice.statement,
        good_faith=said.get("good_faith") or notice.good_faith,
        signature=said.get("signature") or notice.signature,
        contact={**notice.contact, **said.get("contact", {})},
        declared=frozenset() if whole else declared,
        locations=tuple(dict.fromkeys((*notice.locations, *_places(said)))),
    )
