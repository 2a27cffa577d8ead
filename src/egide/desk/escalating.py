"""The escalation lane: what is suspected to show a minor is frozen, and nothing of it is kept.

No fingerprint in the desk's banks, no address, no preview, no ordinary reviewer; the library of
what is hosted is left as it is. The case keeps the content's id, the time and the way it came; what
goes to the authorities goes by their own report. Whoever keeps the lane can return a case to where
it stood. What was erased stays erased: the library is asked anew for what the notice names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.desk.asks import reasons_of
from egide.desk.banking import (
    bank_prints,
    entries_of,
    forget_erased,
    prints_within,
    set_entries,
)
from egide.desk.closing import APPEAL, HOUR
from egide.desk.copies import KEPT, SCREENED, Found, add_copies, kept_at
from egide.desk.events import EventKind
from egide.desk.fold import CaseState, Folded
from egide.desk.marks import add_marks, marks_of
from egide.desk.means import NOTICES
from egide.desk.notices import MOST_WORDS, text_of
from egide.identity import Principal, Scope
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means
    from egide.desk.searching import Searching
    from egide.desk.status import Reading
    from egide.records import Content

    Kept = list[tuple[str, Content]]
    """Contents of the library, with their entries."""

_CAN_BE: Final = (
    CaseState.OPEN,
    CaseState.INCOMPLETE,
    CaseState.APPEALED,
    CaseState.DECIDED,
    CaseState.REMOVED,
    CaseState.REFUSED,
)
_REMOVED: Final = (CaseState.DECIDED, CaseState.REMOVED)
_WENT: Final = (
    "SELECT content_id FROM desk_copy WHERE number = ?"
    " AND state IN ('told', 'overdue', 'removed', 'gone', 'refused', 'blocked')"
)
_SAME: Final = "SELECT content_id FROM desk_copy WHERE number = ? AND how <> 'similar'"


class Escalating:
    """The way into the lane, and back."""

    def __init__(self, means: Means, reading: Reading, searching: Searching) -> None:
        self._means = means
        self._reading = reading
        self._searching = searching

    def escalate(self, viewer: Principal, case: str, words: str) -> None:
        """Freezes a case, and those decided with it, for those who may see such; CaseStands.

        No fingerprint and no copy's address stays, in no file (see `forget_erased`).
        """
        said = text_of(words, "words", MOST_WORDS)
        self._means.bank(NOTICES)
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case, *_CAN_BE)
            for each in self._together(writing, row):
                if each.state in _CAN_BE:
                    _freeze(writing, viewer, each, said)
        forget_erased(self._means, [NOTICES])

    def give_back(self, viewer: Principal, case: str, reason: str, words: str) -> None:
        """Returns a case to where it stood, and those decided with it; CaseStands, WrongField.

        `reason` is one of laws().reasons_for("return"), `words` are for colleagues. Nobody holds
        the case then. The clock did not stand still.
        """
        viewer.require(Scope.CASE_ESCALATED)
        (chosen,) = reasons_of([reason], "return")
        said = text_of(words, "words", MOST_WORDS)
        self._means.bank(NOTICES)
        kept = self._kept(viewer, case)
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case, CaseState.ESCALATED)
            for each in self._together(writing, row):
                if each.state is CaseState.ESCALATED:
                    _, folded = writing.case(each.number)
                    known = kept.get(each.number, [])
                    self._return(writing, viewer, each, folded, known, chosen, said)
        if row.kind == "notice":
            self._searching.search_now(row.number)

    def _together(self, writing: Writing, row: CaseRow) -> list[CaseRow]:
        """The case, the one it is decided with, and all others that are: they show the same."""
        first = row.joined or row.number
        numbers = dict.fromkeys([first, *self._reading.joined(writing, first), row.number])
        return [writing.case(number)[0] for number in numbers]

    # ── back ────────────────────────────────────────────────────────────────────────────────────

    def _kept(self, viewer: Principal, case: str) -> dict[str, Kept]:
        """What the library has of what the cases are about: asked before the write."""
        row = self._means.for_reviewer(viewer, case)
        with self._means.book.reading() as reading:
            asked = [
                (each.number, self._places(reading, each), _ids(reading, each))
                for each in self._together(reading, row)
            ]
        return {
            number: [found for place in places for found in kept_at(self._means, place)]
            + self._means.hosted.at(ids, [])
            for number, places, ids in asked
        }

    def _places(self, reading: Writing, row: CaseRow) -> Sequence[Any]:
        return self._reading.notice(reading, row).locations if row.kind == "notice" else ()

    def _return(
        self,
        writing: Writing,
        viewer: Principal,
        row: CaseRow,
        folded: Folded,
        kept: Kept,
        reason: str,
        words: str,
    ) -> None:
        number = row.number
        told = {
            "reason": reason,
            "entries": self._bank(writing, row, folded, kept),
            "dropped": _dropped(writing, number),
        }
        personal = {"words": words} if words else None
        after = writing.append(number, EventKind.RETURNED, viewer.actor, told, personal)
        due = writing.now + int(self._means.settings.ack_hours * HOUR)
        writing.connection.execute(
            "UPDATE desk_copy SET due = ? WHERE number = ? AND state IN ('told', 'restoring')",
            (due, number),
        )
        for entry, content in kept:
            writing.connection.execute(
                "UPDATE desk_copy SET content_url = ?, entry = ?"
                " WHERE number = ? AND content_id = ? AND entry IS NULL",
                (content.content_url, entry, number, content.content_id),
            )
        if row.kind == "screening":
            self._named(writing, row, kept)
            return
        self._mark(writing, row)
        if after.state is CaseState.OPEN:
            writing.set(row.joined or number, search=writing.now)

    def _bank(self, writing: Writing, row: CaseRow, folded: Folded, kept: Kept) -> list[str]:
        """Banks what the library has anew, where the case's fingerprints were in a bank before.

        Of a removal that is what was removed; before a decision, what shows the same picture.
        """
        stood = folded.before if folded.frozen is CaseState.APPEALED else folded.frozen
        if stood in _REMOVED:
            state, which = EntryState.ACTIVE, _WENT
        elif stood is CaseState.OPEN and row.kind == "notice":
            state, which = EntryState.DISPUTED, _SAME
        else:
            return []
        rows = writing.connection.execute(which, (row.number,)).fetchall()
        ids = {each["content_id"] for each in rows}
        sets = [prints_within(writing, entry) for entry, each in kept if each.content_id in ids]
        bank = self._means.held(NOTICES)
        return sorted(set(bank_prints(self._means, writing, row.number, bank, sets, state)))

    def _mark(self, writing: Writing, row: CaseRow) -> None:
        """By its marks it is seen what a notice has in common with others."""
        notice = self._reading.notice(writing, row)
        marks = marks_of(
            self._means,
            signature=notice.signature,
            contact=notice.contact,
            locations=notice.locations,
        )
        add_marks(writing.connection, row.number, marks)

    @staticmethod
    def _named(writing: Writing, row: CaseRow, kept: Kept) -> None:
        """What screening sent here has no copy: what it is about is known by its id alone."""
        has = writing.connection.execute(
            "SELECT 1 FROM desk_copy WHERE number = ? LIMIT 1", (row.number,)
        ).fetchone()
        if has is None and row.content_id is not None:
            entry, url = next(((entry, each.content_url) for entry, each in kept), (None, None))
            add_copies(writing, row.number, [Found(SCREENED, row.content_id, url, entry)])


def _freeze(writing: Writing, viewer: Principal, row: CaseRow, words: str) -> None:
    gone = set_entries(writing, entries_of(writing, row.number), EntryState.WITHDRAWN)
    writing.forget_prints(row.number)
    told = {"entries": gone}
    personal = {"words": words} if words else None
    writing.append(row.number, EventKind.ESCALATED, viewer.actor, told, personal)
    writing.connection.execute(
        "UPDATE desk_copy SET content_url = NULL, entry = NULL, due = NULL,"
        " evidence = CASE WHEN entry IS NULL THEN '{}' ELSE ? END WHERE number = ?",
        (f"{{{KEPT}:true}}", row.number),
    )
    writing.connection.execute("DELETE FROM desk_mark WHERE number = ?", (row.number,))
    # Codes of uploaders open nothing while a case is here; in case it is returned, their right to
    # appeal has not gone.
    writing.connection.execute(
        "DELETE FROM desk_code WHERE number = ? AND kind <> ?", (row.number, APPEAL)
    )
    writing.set(row.number, search=None)


def _ids(reading: Writing, row: CaseRow) -> list[str]:
    """The ids of the contents that a case is about."""
    rows = reading.connection.execute(
        "SELECT content_id FROM desk_copy WHERE number = ? AND content_id IS NOT NULL",
        (row.number,),
    ).fetchall()
    own = [] if row.content_id is None else [row.content_id]
    return list(dict.fromkeys([*own, *(str(each["content_id"]) for each in rows)]))


def _dropped(writing: Writing, number: str) -> list[str]:
    """Takes away copies that were known by their address alone, which was erased: their ids.

    The next search finds again what the notice names.
    """
    rows = writing.connection.execute(
        "DELETE FROM desk_copy WHERE number = ? AND content_id IS NULL AND state = 'found'"
        " RETURNING id",
        (number,),
    ).fetchall()
    return sorted(each["id"] for each in rows)
