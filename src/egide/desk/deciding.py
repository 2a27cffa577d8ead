"""What reviewers decide, how long it can be undone, and what it does once it holds.

A decision waits for the undo delay, or for a second reviewer where it cannot be put right later:
a removal of very many contents, a removal of what a creator marked as their own, and the refusal
of an authority's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.desk.asks import Decision, reasons_of
from egide.desk.banking import (
    bank_prints,
    entries_of,
    forget_erased,
    prints_within,
    set_entries,
    taken,
)
from egide.desk.closing import remove_copies
from egide.desk.copies import covered, found_since, kept_entries, owned
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import CaseState, Folded
from egide.desk.going import Pictures, bank_given, follow, going, put_back_alone, removals
from egide.desk.laws import FIELDS, laws
from egide.desk.means import CLEARED, NOTICES, OWN_WORK
from egide.desk.notices import MOST_WORDS, text_of
from egide.desk.views import Pending
from egide.desk.works import allowing
from egide.errors import CaseStands, NotAllowed, WrongField
from egide.identity import Principal, Scope
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means
    from egide.desk.status import Reading
    from egide.fingerprint import Fingerprint

MOST_SHOWN: Final = 200
"""Copies whose like is looked for among what was cleared."""
_LIVE: Final = ("found", "refused", "restoring", "withheld", "unrestored", "restored")
"""States of copies that a removal is about."""


class Deciding:
    """The desk's decisions."""

    def __init__(self, means: Means, reading: Reading) -> None:
        self._means = means
        self._reading = reading

    def decide(self, viewer: Principal, case: str, decision: Decision) -> None:
        """Decides a notice; CaseStands, NotAllowed, WrongField."""
        decision.check()
        with self._means.book.writing() as writing:
            row, folded = self._means.to_change(
                writing,
                viewer,
                case,
                CaseState.OPEN,
                CaseState.INCOMPLETE,
                CaseState.DECIDED,
                CaseState.REMOVED,
            )
            self._check_free(row, folded)
            if row.kind != "notice":
                raise CaseStands("screening found it; confirm or deny what it found")
            if decision.outcome == "refuse" and folded.state not in (
                CaseState.OPEN,
                CaseState.INCOMPLETE,
            ):
                raise CaseStands("it was decided that the content goes; an appeal can reverse that")
            if decision.outcome == "remove" and folded.state is CaseState.INCOMPLETE:
                raise CaseStands("the notice lacks what its law requires; ask for it first")
            copies = self._wanted(writing, row, decision)
            self._pend(
                writing, viewer, row, decision.outcome, decision.reasons, decision.text, copies
            )

    def judge(
        self,
        viewer: Principal,
        case: str,
        confirmed: bool,
        reasons: Sequence[str],
        text: str = "",
    ) -> None:
        """Confirms or denies what screening found; CaseStands, NotAllowed, WrongField."""
        outcome = "confirm" if confirmed else "deny"
        chosen = reasons_of(list(reasons), outcome)
        with self._means.book.writing() as writing:
            row, folded = self._means.to_change(writing, viewer, case, CaseState.OPEN)
            self._check_free(row, folded)
            if row.kind != "screening":
                raise CaseStands("it is a notice; decide it")
            copies = _live(writing, row) if confirmed else []
            self._pend(writing, viewer, row, outcome, chosen, text, copies)

    def remove(
        self,
        writing: Writing,
        viewer: Principal,
        row: CaseRow,
        reasons: Sequence[str],
        text: str,
    ) -> None:
        """Decides, in an appeal's own write, that what was refused is removed after all."""
        copies = self._wanted(writing, row, Decision("remove", tuple(reasons), text))
        writing.set(row.number, search=writing.now)
        self._pend(writing, viewer, row, "remove", reasons, text, copies)

    def undo(self, viewer: Principal, case: str) -> None:
        """Takes a decision back that has not taken effect; by whoever took it, or a lead."""
        with self._means.book.writing() as writing:
            row, folded = self._means.to_change(writing, viewer, case)
            decided = self._pending(writing, row, folded)
            late = folded.effective is not None and folded.effective <= writing.now
            if decided is None or late:
                raise CaseStands("there is no decision that can still be undone")
            if decided.actor != viewer.actor and not viewer.may(Scope.CASE_CONFIRM):
                raise NotAllowed("another reviewer decided; a lead can take it back")
            actors = [
                each.actor
                for each in writing.events(row.number)[decided.seq :]
                if each.kind in (EventKind.DECIDED, EventKind.CONFIRMED)
            ]
            told = {"decision": decided.seq, "actors": actors}
            writing.append(row.number, EventKind.UNDONE, viewer.actor, told)

    def confirm(self, viewer: Principal, case: str) -> None:
        """Agrees to a decision that takes a second reviewer; CaseStands, NotAllowed."""
        with self._means.book.writing() as writing:
            row, folded = self._means.to_change(writing, viewer, case, scope=Scope.CASE_CONFIRM)
            decided = self._pending(writing, row, folded)
            if decided is None or folded.effective is not None:
                raise CaseStands("no decision of it waits for a second reviewer")
            if viewer.actor in folded.deciders:
                raise NotAllowed("the second reviewer is another one than the first")
            effective = writing.now + self._undo_milliseconds()
            told = {"decision": decided.seq, "effective": effective}
            writing.append(row.number, EventKind.CONFIRMED, viewer.actor, told)

    def ask(self, viewer: Principal, case: str, elements: Sequence[str], words: str) -> None:
        """Asks the person for more; required elements make the notice incomplete again."""
        for number, each in enumerate(elements):
            if each not in FIELDS:
                raise WrongField(f"elements.{number}", f"it must be one of {', '.join(FIELDS)}")
        said = text_of(words, "words", MOST_WORDS)
        if not said and not elements:
            raise WrongField("words", "say what you ask for")
        with self._means.book.writing() as writing:
            row, folded = self._means.to_change(
                writing, viewer, case, CaseState.OPEN, CaseState.INCOMPLETE
            )
            self._check_free(row, folded)
            if row.kind != "notice":
                raise CaseStands("screening found it; there is nobody to ask")
            lacking = set(laws()[row.jurisdiction].missing(self._reading.notice(writing, row)))
            required = sorted(lacking & set(elements))
            told = {"elements": sorted(set(elements)), "required": required}
            personal = {"words": said} if said else None
            writing.append(row.number, EventKind.ASKED, viewer.actor, told, personal)

    def pending(self, writing: Writing, row: CaseRow, folded: Folded) -> Pending | None:
        """The decision that has not taken effect yet."""
        return self._pending(writing, row, folded)

    # ── taking effect ───────────────────────────────────────────────────────────────────────────

    def take_effect(self, number: str) -> bool:
        """What was decided is done, if its time has come; in one write, or not at all."""
        means = self._means
        means.bank(NOTICES)
        means.bank(CLEARED)
        with means.book.reading() as reading:
            shown = self._shown(reading, number)
        allowed = allowing(means, shown)
        gone: list[str] = []
        with means.book.writing() as writing:
            row, folded = writing.case(number)
            decided = self._pending(writing, row, folded)
            due = folded.effective is not None and folded.effective <= writing.now
            if decided is None or not due:
                return False
            event = writing.events(number)[decided.seq]
            text = str(writing.personal(number).get(decided.seq, {}).get("text", ""))
            copies = [str(each) for each in event.told["copies"]]
            joined = self._reading.joined(writing, number)
            later: list[str] = []
            pictures = None
            if decided.outcome in ("remove", "confirm"):
                later = found_since(writing, number, decided.seq)
                gone += set_entries(writing, allowed, EntryState.WITHDRAWN)
                pictures = going(writing, row, joined, event, copies, later)
                # As those that turn up once it holds: see `Searching`.
                places = self._reading.places_before(writing, number, event)
                decisions = [*removals(writing, number), event]
                most = means.settings.second_from
                copies += follow(
                    writing, row, later, pictures, places, decisions, most=most, copies=copies
                )
            self._hold(writing, row, decided, text, copies, pictures)
            writing.connection.executemany(
                "UPDATE desk_copy SET fresh = 1 WHERE id = ? AND state = 'found'",
                [(each,) for each in later],
            )
            for other in joined:
                case = writing.case(other)[0]
                self._hold(writing, case, decided, text, [], pictures, joined=number)
            told = {"case": number, "outcome": decided.outcome, "reasons": list(decided.reasons)}
            writing.tell("case.decided", told)
        if decided.outcome == "refuse":
            forget_erased(means, [NOTICES])
        if gone:
            forget_erased(means, [CLEARED, OWN_WORK])
        return True

    def _shown(self, reading: Writing, number: str) -> list[Fingerprint]:
        """The fingerprints of what is to go: its copies', and what was given of them."""
        row, _ = reading.case(number)
        if row.pending is None:
            return []
        event = reading.events(number)[row.pending]
        copies = [str(each) for each in event.told["copies"]]
        pictures = going(reading, row, [], event, copies, found_since(reading, number, event.seq))
        prints = [each for each in taken(reading.prints(number)) if pictures.show(each)]
        for entry in kept_entries(reading, row, copies)[:MOST_SHOWN]:
            prints += prints_within(reading, entry)
        return prints

    def _hold(
        self,
        writing: Writing,
        row: CaseRow,
        decided: Pending,
        text: str,
        copies: Sequence[str],
        pictures: Pictures | None,
        joined: str | None = None,
    ) -> None:
        outcome = decided.outcome
        if row.state is CaseState.INCOMPLETE and joined is not None:
            return
        changed = self._bank(writing, row, outcome, copies, pictures)
        writing.connection.execute("UPDATE desk_copy SET fresh = 0 WHERE number = ?", (row.number,))
        told: dict[str, Any] = {
            "outcome": outcome,
            "reasons": list(decided.reasons),
            "decision": decided.seq,
            "copies": list(copies),
            "entries": changed,
        }
        if joined is not None:
            told |= {"joined": joined, "deciders": list(writing.case(joined)[1].deciders)}
        personal = {"text": text} if text else None
        writing.append(row.number, EventKind.EFFECTIVE, THE_DESK, told, personal)
        if outcome in ("remove", "confirm"):
            remove_copies(self._means, writing, row, copies, decided.reasons)
        if row.kind == "screening":
            self._count(writing, row, confirmed=outcome == "confirm")

    def _bank(
        self,
        writing: Writing,
        row: CaseRow,
        outcome: str,
        copies: Sequence[str],
        pictures: Pictures | None,
    ) -> list[str]:
        """What the case's fingerprints do from now on: block, or nothing any more.

        What is removed blocks its like too, as the library knows it.
        """
        means = self._means
        if outcome == "refuse":
            return set_entries(writing, entries_of(writing, row.number), EntryState.WITHDRAWN)
        own = [] if pictures is None else bank_given(means, writing, row.number, pictures)
        chosen = _all(writing, row) if pictures is None else copies
        sets = [prints_within(writing, entry) for entry in kept_entries(writing, row, chosen)]
        bank = means.held(CLEARED if pictures is None else NOTICES)
        added = bank_prints(means, writing, row.number, bank, sets, EntryState.ACTIVE)
        return sorted({*added, *own})

    @staticmethod
    def _count(writing: Writing, row: CaseRow, *, confirmed: bool) -> None:
        first = writing.events(row.number)[0].told
        writing.connection.executemany(
            "INSERT INTO desk_judgement (number, detector, label, confirmed, at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (row.number, detector, label, int(confirmed), writing.now)
                for detector, label, _ in first["detectors"]
            ],
        )

    # ── deciding ────────────────────────────────────────────────────────────────────────────────

    def _pend(
        self,
        writing: Writing,
        viewer: Principal,
        row: CaseRow,
        outcome: str,
        reasons: Sequence[str],
        text: str,
        copies: Sequence[str],
    ) -> None:
        second = self._second(writing, row, outcome, copies)
        told = {
            "outcome": outcome,
            "reasons": list(reasons),
            "copies": list(copies),
            "effective": None if second else writing.now + self._undo_milliseconds(),
            "second": second,
        }
        personal = {"text": text} if text else None
        writing.append(row.number, EventKind.DECIDED, viewer.actor, told, personal)

    def _second(
        self, writing: Writing, row: CaseRow, outcome: str, copies: Sequence[str]
    ) -> str | None:
        """Why a decision takes a second reviewer; None when one is enough."""
        if outcome == "refuse":
            sender = writing.events(row.number)[0].told.get("sender")
            return "order" if sender == "authority" else None
        if len(copies) > self._means.settings.second_from:
            return "many"
        return "own_work" if owned(writing, row) & set(copies) else None

    def _wanted(self, writing: Writing, row: CaseRow, decision: Decision) -> list[str]:
        """The copies that a decision is about; WrongField for one that is none of this case."""
        if decision.outcome != "remove":
            return []
        rows = writing.connection.execute(
            "SELECT id, how, state FROM desk_copy WHERE number = ? ORDER BY id", (row.number,)
        ).fetchall()
        if not decision.copies:
            back = put_back_alone(writing, row.number)
            return [
                each["id"]
                for each in rows
                if each["state"] in _LIVE
                and covered(each["how"], row.jurisdiction)
                and each["id"] not in back
            ]
        live = {each["id"] for each in rows if each["state"] in _LIVE}
        for number, copy in enumerate(decision.copies):
            if copy not in live:
                raise WrongField(f"copies.{number}", "it is no copy of this case that is still up")
        return list(decision.copies)

    def _pending(self, writing: Writing, row: CaseRow, folded: Folded) -> Pending | None:
        if folded.pending is None:
            return None
        event = writing.events(row.number)[folded.pending]
        told = event.told
        return Pending(
            event.seq,
            told["outcome"],
            tuple(told["reasons"]),
            event.actor,
            folded.effective,
            told["second"],
        )

    def _check_free(self, row: CaseRow, folded: Folded) -> None:
        if row.joined is not None:
            raise CaseStands(f"it is decided together with {row.joined}")
        if folded.pending is not None:
            raise CaseStands("it is decided already; undo that first")

    def _undo_milliseconds(self) -> int:
        return int(self._means.settings.undo_seconds * 1000)


def _all(writing: Writing, row: CaseRow) -> list[str]:
    rows = writing.connection.execute(
        "SELECT id FROM desk_copy WHERE number = ? ORDER BY id", (row.number,)
    ).fetchall()
    return [each["id"] for each in rows]


def _live(writing: Writing, row: CaseRow) -> list[str]:
    rows = writing.connection.execute(
        "SELECT id, state FROM desk_copy WHERE number = ? ORDER BY id", (row.number,)
    ).fetchall()
    return [each["id"] for each in rows if each["state"] in _LIVE]
