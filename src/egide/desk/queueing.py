"""The queue: what waits for a person, in the order in which it is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from egide.desk.asks import Filter
from egide.desk.casebook import CaseRow
from egide.desk.fold import CaseState
from egide.desk.numbers import number_of
from egide.desk.reviewing import marks_of_row, priority_of
from egide.desk.views import Page, Pending, QueueRow
from egide.errors import WrongField
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from egide.desk.means import Means

MOST_LISTED: Final = 200
SOON: Final = 8 * 3_600_000
"""Less time left than this comes before all that is not urgent, whoever sent it."""


class Queue:
    """Lists of cases."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def page(
        self, viewer: Principal, wanted: Filter, cursor: str | None, limit: int
    ) -> Page[QueueRow]:
        """Cases that `wanted` describes: orders and flaggers, then by the time that is left."""
        viewer.require(Scope.CASE_READ)
        most = max(1, min(limit, MOST_LISTED))
        rows = self._rows(viewer, wanted, _place(cursor), most + 1)
        shown = rows[:most]
        now = self._means.book.now()
        joined = self._joined([row["number"] for row in shown])
        more = len(rows) > most
        return Page(
            tuple(self._row(viewer, row, joined.get(row["number"], 0), now) for row in shown),
            _cursor(shown[-1]) if more else None,
        )

    def numbers(self, viewer: Principal) -> Iterator[str]:
        """The numbers of cases that are free and not decided: those that somebody waits for first.

        As they stand when they are asked for, a page at a time.
        """
        given: set[str] = set()
        for states in ((CaseState.OPEN, CaseState.APPEALED), ()):
            wanted = Filter(states=states, free=True)
            after: tuple[int, int, str] | None = None
            while rows := self._rows(viewer, wanted, after, MOST_LISTED):
                new = [row["number"] for row in rows if row["number"] not in given]
                given.update(new)
                yield from new
                last = rows[-1]
                after = last["place"], last["deadline"], last["number"]

    def counts(self, viewer: Principal) -> dict[str, int]:
        """How many cases wait, by what they wait for."""
        viewer.require(Scope.CASE_READ)
        now = self._means.book.now()
        (row,) = self._means.book.database.fetch(_COUNTS, (now, viewer.actor, now))
        found = {name: int(row[name] or 0) for name in _COUNTED}
        overdue = self._means.book.database.fetch(
            f"SELECT count(DISTINCT number) FROM desk_copy WHERE {_LATE}"  # noqa: S608
        )
        found["overdue"] = int(overdue[0][0])
        waiting = self._means.book.database.fetch(
            f"SELECT count(*) FROM desk_case WHERE joined IS NULL AND {_WAITS}"  # noqa: S608
        )
        found["waiting"] = int(waiting[0][0])
        if not viewer.may(Scope.CASE_ESCALATED):
            del found["escalated"]
        return found

    def _rows(
        self, viewer: Principal, wanted: Filter, after: tuple[int, int, str] | None, limit: int
    ) -> list[Any]:
        now = self._means.book.now()
        where, values = _conditions(viewer, wanted, now)
        order = _ORDER.format(soon=now + SOON)
        if after is not None:
            where.append(f"({order}, deadline, number) > (?, ?, ?)")
            values += after
        return self._means.book.database.fetch(
            f"SELECT *, {order} AS place FROM desk_case WHERE {' AND '.join(where)}"  # noqa: S608
            " ORDER BY place, deadline, number LIMIT ?",
            (*values, limit),
        )

    def _row(self, viewer: Principal, row: Any, joined: int, now: int) -> QueueRow:
        case = CaseRow.of(row)
        pending = None
        if case.pending is not None:
            pending = Pending(case.pending, "", (), "", case.effective, None)
        events = self._means.book.events(case.number)
        claimed = case.claimant is not None and (case.claimed or 0) > now
        marks = set(marks_of_row(case, pending, events, now))
        if self._overdue(case.number):
            marks.add("overdue")
        if self._fresh(case):
            marks.add("new")
        if viewer.actor in case.deciders:
            marks.add("decided")
        return QueueRow(
            case=case.number,
            kind=case.kind,
            state=case.state,
            jurisdiction=case.jurisdiction,
            opened=case.opened,
            deadline=case.deadline,
            left=(case.deadline - now) // 1000,
            priority=priority_of(case.tier),
            claimant=case.claimant if claimed else None,
            mine=claimed and case.claimant == viewer.actor,
            copies=case.found,
            untold=case.untold,
            joined=joined,
            marks=frozenset(marks),
        )

    def _overdue(self, number: str) -> bool:
        held = f"SELECT 1 FROM desk_copy WHERE number = ? AND {_LATE} LIMIT 1"  # noqa: S608
        return bool(self._means.book.database.fetch(held, (number,)))

    def _fresh(self, case: CaseRow) -> bool:
        held = "SELECT 1 FROM desk_copy WHERE number = ? AND fresh = 1 LIMIT 1"
        decided = case.state in (CaseState.DECIDED, CaseState.REMOVED)
        return decided and bool(self._means.book.database.fetch(held, (case.number,)))

    def _joined(self, numbers: list[str]) -> dict[str, int]:
        if not numbers:
            return {}
        rows = self._means.book.database.fetch(
            "SELECT joined, count(*) AS n FROM desk_case"  # noqa: S608  question marks
            f" WHERE joined IN ({', '.join('?' * len(numbers))}) GROUP BY joined",
            numbers,
        )
        return {row["joined"]: row["n"] for row in rows}


_ORDER: Final = (
    "CASE WHEN tier = 0 THEN 0 WHEN deadline < {soon:d} AND tier < 20 THEN 1"
    " WHEN tier < 20 THEN 2 ELSE 3 END"
)
_COUNTED: Final = ("open", "incomplete", "appealed", "escalated", "second", "late", "mine")
_COUNTS: Final = (
    "SELECT sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END) AS open,"
    " sum(CASE WHEN state = 'incomplete' THEN 1 ELSE 0 END) AS incomplete,"
    " sum(CASE WHEN state = 'appealed' THEN 1 ELSE 0 END) AS appealed,"
    " sum(CASE WHEN state = 'escalated' THEN 1 ELSE 0 END) AS escalated,"
    " sum(CASE WHEN pending IS NOT NULL AND effective IS NULL THEN 1 ELSE 0 END) AS second,"
    " sum(CASE WHEN state IN ('open', 'appealed') AND deadline < ? THEN 1 ELSE 0 END) AS late,"
    " sum(CASE WHEN claimant = ? AND claimed > ? THEN 1 ELSE 0 END) AS mine"
    " FROM desk_case WHERE joined IS NULL"
    " AND state IN ('open', 'incomplete', 'appealed', 'escalated', 'decided')"
)


def _conditions(viewer: Principal, wanted: Filter, now: int) -> tuple[list[str], list[Any]]:
    """The parts of a WHERE clause, and their values."""
    parts: list[tuple[str, tuple[Any, ...]]] = []
    if text := wanted.text.strip():
        parts.append((_TEXT, (number_of(text), text, text, text)))
    else:
        marks = ", ".join("?" * len(wanted.states))
        parts.append((f"state IN ({marks})", wanted.states) if wanted.states else (_WAITS, ()))
        parts.append(("joined IS NULL", ()))
    if not viewer.may(Scope.CASE_ESCALATED):
        parts.append(("state <> ?", (CaseState.ESCALATED,)))
    if wanted.kind is not None:
        parts.append(("kind = ?", (wanted.kind,)))
    if wanted.jurisdiction is not None:
        parts.append(("jurisdiction = ?", (wanted.jurisdiction,)))
    if wanted.mine:
        parts.append(("claimant = ? AND claimed > ?", (viewer.actor, now)))
    if wanted.free:
        free = "(claimant IS NULL OR claimed <= ? OR claimant = ?)"
        parts.append((free, (now, viewer.actor)))
    if wanted.overdue:
        parts.append((_OVERDUE, ()))
    if wanted.late:
        parts.append(("paused IS NULL AND deadline < ?", (now,)))
    if wanted.second:
        parts.append(("pending IS NOT NULL AND effective IS NULL", ()))
    return [part for part, _ in parts], [each for _, values in parts for each in values]


_LATE: Final = "state IN ('overdue', 'unrestored')"
"""Of copies: what the platform was to do and did not in time."""
_WAITS: Final = (
    "(state IN ('open', 'appealed') OR (state IN ('decided', 'removed') AND number IN"  # noqa: S608
    " (SELECT f.number FROM desk_copy f WHERE f.fresh = 1)) OR (state <> 'erased' AND number IN"
    f" (SELECT o.number FROM desk_copy o WHERE o.{_LATE})))"
)
"""Those that wait for somebody: also with copies that turned up since, or were left unanswered."""
_TEXT: Final = (
    "(number = ? OR content_id = ? OR number IN (SELECT s.number FROM desk_copy s"
    " WHERE s.content_id = ? OR s.content_url = ?))"
)
_OVERDUE: Final = (
    f"EXISTS (SELECT 1 FROM desk_copy o WHERE o.number = desk_case.number AND o.{_LATE})"  # noqa: S608
)


def _cursor(row: Any) -> str:
    return f"{row['place']}.{row['deadline']}.{row['number']}"


def _place(cursor: str | None) -> tuple[int, int, str] | None:
    if not cursor:
        return None
    place, _, rest = cursor[:80].partition(".")
    deadline, _, number = rest.partition(".")
    digits = place.isascii() and place.isdigit() and deadline.isascii() and deadline.isdigit()
    if not digits or len(deadline) > 15 or not number or number_of(number) != number:
        raise WrongField("cursor", "it is not what `next` said; begin anew without it")
    return int(place), int(deadline), number
