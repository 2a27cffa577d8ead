"""Appeals: of uploaders, by a code that is good for one appeal, and how all appeals are decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from egide.desk.asks import AppealDecision, reasons_of, words_of
from egide.desk.banking import entries_of, forget_erased, set_entries
from egide.desk.closing import APPEAL, restore_copies
from egide.desk.events import THE_UPLOADER, Event, EventKind
from egide.desk.fold import CaseState
from egide.desk.going import unblock
from egide.desk.means import LOOKING, NOTICES, looks_from
from egide.desk.notices import MOST_WORDS, text_of
from egide.desk.views import AppealView, Outcome, UploaderStatus
from egide.errors import CaseErased, CaseNotFound, CaseStands, NotAllowed, WrongField
from egide.identity import Principal
from egide.match import EntryState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egide.db import Row
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.deciding import Deciding
    from egide.desk.means import Means
    from egide.desk.status import Reading

_REMOVED: Final = (CaseState.DECIDED, CaseState.REMOVED, CaseState.APPEALED)
_RESTORED: Final = ("restoring", "withheld", "unrestored", "restored")


class Appeals:
    """The uploader's side, and the second look at decisions."""

    def __init__(self, means: Means, reading: Reading, deciding: Deciding) -> None:
        self._means = means
        self._reading = reading
        self._deciding = deciding

    def uploader(self, code: str, origin: str) -> UploaderStatus:
        """What the uploader of a copy may know; CaseNotFound, TooManyAttempts."""
        self._means.attempts.count(looks_from(origin), LOOKING)
        with self._means.book.reading() as reading:
            status = self._status(reading, self._code(reading, code))
        self._means.attempts.forget(looks_from(origin))
        return status

    def uploader_appeal(self, code: str, origin: str, words: str) -> UploaderStatus:
        """The uploader's words against a removal, once; CaseNotFound, CaseStands, WrongField."""
        said = text_of(words, "words", MOST_WORDS)
        if not said:
            raise WrongField("words", "say in a few words why the decision is wrong")
        self._means.attempts.count(looks_from(origin), LOOKING)
        with self._means.book.writing() as writing:
            found = self._code(writing, code)
            if "appeal" not in self._status(writing, found).may:
                raise CaseStands("with this code nothing more can be appealed")
            # Moved by the statement itself: of two that come at once one finds it used.
            used = writing.connection.execute(
                "UPDATE desk_code SET used = ? WHERE digest = ? AND used IS NULL",
                (writing.now, bytes(found["digest"])),
            )
            if used.rowcount != 1:
                raise CaseStands("with this code nothing more can be appealed")
            told = {"by": "uploader", "copy": found["copy"]}
            writing.append(found["number"], EventKind.APPEALED, THE_UPLOADER, told, {"words": said})
            return self._status(writing, self._code(writing, code))

    def open(self, writing: Writing, number: str) -> list[AppealView]:
        """The appeals of a case that nobody has decided, oldest first."""
        try:
            personal = writing.personal(number)
        except CaseErased:
            personal = {}
        return [
            AppealView(
                each.seq,
                each.at,
                str(each.told["by"]),
                each.told.get("copy"),
                str(personal.get(each.seq, {}).get("words", "")),
            )
            for each in undecided(writing.events(number))
        ]

    def decide(self, viewer: Principal, case: str, decision: AppealDecision) -> None:
        """Decides the appeals of a case; NotAllowed for whoever decided it before.

        Reversed, a refusal becomes a removal, which can be undone like any other; a removal is
        taken back at once, of one copy or of all: nobody waits for what should not have happened.
        """
        reasons_of(list(decision.reasons), decision.outcome)
        means = self._means
        means.bank(NOTICES)
        with means.book.writing() as writing:
            row, folded = means.to_change(writing, viewer, case, CaseState.APPEALED)
            if viewer.actor in folded.deciders:
                raise NotAllowed("you decided this case; another reviewer decides the appeal")
            appeals = undecided(writing.events(row.number))
            if decision.appeals and {each.seq for each in appeals} != set(decision.appeals):
                raise CaseStands("another appeal has come in since; look at the case again")
            by = {str(each.told["by"]) for each in appeals}
            copies = [str(each.told["copy"]) for each in appeals if each.told.get("copy")]
            reverse = decision.outcome == "reverse"
            reopen = reverse and "notifier" in by
            whole = decision.whole or self._removed(writing, row) <= set(copies)
            told: dict[str, Any] = {
                "outcome": "reopen" if reopen else decision.outcome,
                "reasons": list(decision.reasons),
                "appeals": [each.seq for each in appeals],
                "copies": copies,
                "whole": decision.whole,
            }
            if reverse and not reopen and not whole:
                joined = self._reading.joined(writing, row.number)
                told["entries"] = unblock(means, writing, row, joined, copies)
            personal = {"text": decision.text} if decision.text else None
            writing.append(row.number, EventKind.APPEAL_DECIDED, viewer.actor, told, personal)
            row, _ = writing.case(row.number)
            if reopen:
                self._deciding.remove(writing, viewer, row, decision.reasons, decision.text)
            elif reverse:
                self._reverse(writing, viewer, row, decision, None if whole else copies)
            writing.tell(
                "case.decided",
                {
                    "case": row.number,
                    "outcome": decision.outcome,
                    "reasons": list(decision.reasons),
                },
            )
        if reverse:
            forget_erased(means, [NOTICES])

    def _reverse(
        self,
        writing: Writing,
        viewer: Principal,
        row: CaseRow,
        decision: AppealDecision,
        copies: list[str] | None,
    ) -> None:
        """Puts back what was removed: these copies, or all of it."""
        if copies is not None:
            for copy in copies:
                restore_copies(self._means, writing, row, decision.reasons, only=copy)
            return
        for number in [row.number, *self._reading.joined(writing, row.number)]:
            gone = set_entries(writing, entries_of(writing, number), EntryState.WITHDRAWN)
            told = {"reasons": list(decision.reasons), "entries": gone}
            personal = {"text": decision.text} if decision.text else None
            writing.append(number, EventKind.REVERSED, viewer.actor, told, personal)
        restore_copies(self._means, writing, row, decision.reasons)

    @staticmethod
    def _removed(writing: Writing, row: CaseRow) -> set[str]:
        """The copies that the removal was about: when an appeal is for all, it is for the case."""
        rows = writing.connection.execute(
            "SELECT id FROM desk_copy WHERE number = ? AND state NOT IN ('found', 'blocked')",
            (row.number,),
        ).fetchall()
        return {each["id"] for each in rows}

    # ── codes ───────────────────────────────────────────────────────────────────────────────────

    def _code(self, writing: Writing, code: str) -> Row:
        digest = self._means.digest("code", code[:100])
        row: Row | None = writing.connection.execute(
            "SELECT * FROM desk_code WHERE digest = ? AND kind = ? AND expires > ?",
            (digest, APPEAL, writing.now),
        ).fetchone()
        if row is None or writing.case(row["number"])[0].state is CaseState.ESCALATED:
            raise CaseNotFound("nothing is behind this code; it may have ended")
        return row

    def _status(self, writing: Writing, code: Row) -> UploaderStatus:
        row, _ = writing.case(code["number"])
        copy = writing.connection.execute(
            "SELECT * FROM desk_copy WHERE id = ?", (code["copy"],)
        ).fetchone()
        state = self._state(writing, row, code["copy"], str(copy["state"]))
        may = {"appeal"} if code["used"] is None and state == "removed" else set()
        if row.state not in _REMOVED:
            may = set()
        return UploaderStatus(
            copy=copy["id"],
            content_id=copy["content_id"],
            content_url=copy["content_url"],
            state=state,
            outcome=self._outcome(writing, row),
            may=frozenset(may),
            until=code["expires"],
            jurisdiction=row.jurisdiction,
        )

    @staticmethod
    def _state(writing: Writing, row: CaseRow, copy: str, state: str) -> str:
        if state in _RESTORED:
            return "restored"
        events = writing.events(row.number)
        mine = [
            each
            for each in events
            if each.kind is EventKind.APPEALED and each.told.get("copy") == copy
        ]
        if not mine:
            return "removed"
        waits = any(each.seq == mine[-1].seq for each in undecided(events))
        return "appealed" if waits else "upheld"

    def _outcome(self, writing: Writing, row: CaseRow) -> Outcome | None:
        """The reasons of the removal, never a reviewer's own words: they may quote the notice."""
        told = self._reading.outcome(writing, row)
        if told is None:
            return None
        language = writing.events(row.number)[0].told.get("language", "en")
        return replace(told, text=words_of(told.reasons, "", language))


def undecided(events: Sequence[Event]) -> list[Event]:
    """The appeals that no decision names."""
    decided = {
        seq
        for each in events
        if each.kind is EventKind.APPEAL_DECIDED
        for seq in each.told["appeals"]
    }
    return [each for each in events if each.kind is EventKind.APPEALED and each.seq not in decided]
