"""What the platform says: a copy is gone, put back, was gone before, or stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egide.desk.asks import outcome_of
from egide.desk.closing import HOUR
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import ENDED, CaseState
from egide.desk.notices import text_of
from egide.desk.numbers import COPY
from egide.desk.reviewing import copy_view
from egide.desk.views import CopyView
from egide.errors import CaseNotFound, CaseStands
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from egide.desk.means import Means

OUTCOMES: Final = ("removed", "restored", "gone", "refused")
MOST_NOTE: Final = 1_000
MOST_TELLING: Final = 30 * 24 * HOUR
"""For so long what was not acknowledged is told again."""
_REMOVING: Final = ("told", "overdue", "refused", "removed", "gone")
_RESTORING: Final = ("restoring", "withheld", "unrestored", "restored")
_LATE: Final = {
    "told": "overdue",
    "refused": "overdue",
    "restoring": "unrestored",
    "withheld": "unrestored",
}
"""What a copy is once nothing was heard in time of what was asked."""


class Platform:
    """The platform's acknowledgements."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def acknowledge(
        self, principal: Principal, copy: str, outcome: str, note: str = ""
    ) -> CopyView:
        """Notes what became of a copy; said again it changes nothing. CaseNotFound, CaseStands.

        `removed` and `gone` answer a removal, `restored` a restoring; `refused` either, and is
        shown to reviewers.
        """
        principal.require(Scope.COPY_WRITE)
        outcome_of(outcome, OUTCOMES)
        said = text_of(note, "note", MOST_NOTE)
        with self._means.book.writing() as writing:
            row = writing.connection.execute(
                "SELECT * FROM desk_copy WHERE id = ?", (copy if COPY.fullmatch(copy) else "",)
            ).fetchone()
            if row is None:
                raise CaseNotFound("there is no such copy; take the id from the message")
            case, _ = writing.case(row["number"])
            if case.state is CaseState.ERASED:
                raise CaseNotFound("there is no such copy; its case was erased")
            # What stands refused says which of both was: to remove it, or to put it back.
            back = outcome == "refused" and row["state"] in _RESTORING
            state = "withheld" if back else outcome
            if row["state"] == state:
                return copy_view(row, 0)
            fits = {
                "removed": _REMOVING,
                "gone": (*_REMOVING, *_RESTORING),
                "restored": _RESTORING,
                "refused": (*_REMOVING, *_RESTORING),
            }[outcome]
            if row["state"] not in fits:
                raise CaseStands(f"the copy is {row['state']}: it was not asked to be {outcome}")
            ended = None if outcome == "refused" else writing.now
            due = row["due"] if outcome == "refused" else None
            writing.connection.execute(
                "UPDATE desk_copy SET state = ?, ended = ?, due = ? WHERE id = ?",
                (state, ended, due, copy),
            )
            told = {"copy": copy, "state": state, "was": row["state"]}
            personal = {"note": said} if said else None
            writing.append(case.number, EventKind.ACKNOWLEDGED, principal.actor, told, personal)
            row = writing.connection.execute(
                "SELECT * FROM desk_copy WHERE id = ?", (copy,)
            ).fetchone()
            return copy_view(row, 0)

    def overdue(self, copy: str) -> bool:
        """Notes that what was told was not acknowledged in time, if so, and tells it on."""
        with self._means.book.writing() as writing:
            row = writing.connection.execute(
                "SELECT * FROM desk_copy WHERE id = ? AND due <= ?", (copy, writing.now)
            ).fetchone()
            if row is None:
                return False
            case, _ = writing.case(row["number"])
            if case.state is CaseState.ERASED or (
                case.state in ENDED and row["state"] not in _RESTORING
            ):
                writing.connection.execute("UPDATE desk_copy SET due = NULL WHERE id = ?", (copy,))
                return False
            state = _LATE.get(row["state"], row["state"])
            # Told again and again, for a month.
            again = writing.now + int(self._means.settings.ack_hours * HOUR)
            due = again if again < row["told"] + MOST_TELLING else None
            writing.connection.execute(
                "UPDATE desk_copy SET state = ?, due = ? WHERE id = ?", (state, due, copy)
            )
            told = {"copies": [copy], "was": row["state"], "state": state}
            writing.append(case.number, EventKind.OVERDUE, THE_DESK, told)
            writing.tell(
                "copy.overdue",
                {
                    "case": case.number,
                    "copy": copy,
                    "content_id": row["content_id"],
                    "content_url": row["content_url"],
                    "asked": "restore" if row["state"] in _RESTORING else "remove",
                },
            )
            return True
