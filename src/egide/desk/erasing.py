"""Erasing what is personal in a case: its key is destroyed, and what could be told by other means.

What stays: that there was a case, what was decided and when, without a name, a word or an address;
the fingerprints that still stop copies; and the case's commitments in the log, which open no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from egide.bank.entry import parse_entry_id
from egide.desk.closing import APPEAL
from egide.desk.events import EventKind, iso
from egide.desk.fold import CaseState
from egide.errors import CaseErased, CaseStands
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.desk.casebook import Casebook

DAY: Final = 86_400_000
PRESERVED_DAYS: Final = 365
ERASABLE: Final = frozenset(
    {
        CaseState.INCOMPLETE,
        CaseState.REMOVED,
        CaseState.REFUSED,
        CaseState.REVERSED,
        CaseState.WITHDRAWN,
        CaseState.ESCALATED,
    }
)
"""States in which nobody waits for anything."""
_BY_ITSELF: Final = ERASABLE - {CaseState.REMOVED, CaseState.REVERSED} | {CaseState.ERASED}
"""States that a case has by itself, also when it was joined to another."""


def erase(
    book: Casebook, number: str, actor: str, because: str, preserved_days: int = PRESERVED_DAYS
) -> None:
    """Erases what is personal in a case, in one write; `Database.scrub` is to follow.

    `because` goes into the record. CaseNotFound; CaseErased when it is; CaseStands while it is
    being worked on (`unfinished`), while an uploader can appeal, and while it must be preserved: so
    many days from its escalation.
    """
    with book.writing() as writing:
        row, _ = writing.case(number)
        if row.state is CaseState.ERASED:
            raise CaseErased(number)
        lead = None if row.joined is None else writing.case(row.joined)[0].state
        if settled_state(row.state, lead) not in ERASABLE:
            raise CaseStands(
                f"case {number} is {row.state}; what is personal in it is needed still"
            )
        undone = unfinished(writing.connection, number, writing.now)
        if undone is not None:
            raise CaseStands(undone)
        until = preserved_until(writing.connection, number, preserved_days)
        if writing.now < until:
            raise CaseStands(
                f"case {number} was escalated; it is preserved for {preserved_days} days"
            )
        until = appealable_until(writing.connection, number)
        if writing.now < until:
            raise CaseStands(f"the uploader in case {number} can appeal until {iso(until)}")
        writing.append(number, EventKind.ERASED, actor, {"because": because})  # destroys the key
        for statement in _REST:
            writing.connection.execute(statement, (number,))


def settled_state(state: str, lead: str | None) -> CaseState:
    """The state of a case for what becomes of its record: that of the case it is decided with.

    `lead` is the state of that one; once it is erased, this one counts as removed.
    """
    if lead is None or state in _BY_ITSELF:
        return CaseState(state)
    return CaseState.REMOVED if lead == CaseState.ERASED else CaseState(lead)


def unfinished(connection: Connection, number: str, now: int) -> str | None:
    """What somebody still has to do with a case, or with the one it is decided with, in words.

    None when it is settled. `now` is in milliseconds since 1970.
    """
    row = connection.execute(_CASE, (number,)).fetchone()
    led = row["joined"] is not None and row["state"] not in _BY_ITSELF
    lead = connection.execute(_CASE, (row["joined"],)).fetchone() if led else None
    for case in (row, lead):
        if case is None or case["state"] == CaseState.ERASED:
            continue
        name = f"case {case['number']}"
        if case["pending"] is not None:
            return f"a decision on {name} has not taken effect; wait until it has, or undo it"
        if case["claimed"] is not None and case["claimed"] > now:
            return f"somebody has claimed {name}; have it released, or wait for half an hour"
        # In other states nobody is asked about them any more.
        if case["state"] == CaseState.REMOVED and _has(connection, case, "fresh = 1"):
            return f"copies were found since {name} was decided; decide on them, or leave them"
        if _has(connection, case, "due IS NOT NULL"):
            return (
                f"the platform has not answered what it was told of copies of {name}; wait for it"
            )
    return None


def _has(connection: Connection, case: Any, which: str) -> bool:
    """Whether a case has such copies."""
    sql = f"SELECT 1 FROM desk_copy WHERE number = ? AND {which} LIMIT 1"  # noqa: S608  words of ours
    return connection.execute(sql, (case["number"],)).fetchone() is not None


def stops_copies(connection: Connection, number: str) -> bool:
    """Whether fingerprints of a case are still in a bank."""
    rows = connection.execute("SELECT entry FROM desk_entry WHERE number = ?", (number,)).fetchall()
    held = (
        connection.execute(
            "SELECT state FROM entry WHERE seq = ?", (parse_entry_id(row["entry"])[1],)
        ).fetchone()
        for row in rows
    )
    return any(entry is not None and entry["state"] != EntryState.WITHDRAWN for entry in held)


def preserved_until(connection: Connection, number: str, days: int) -> int:
    """Until when nothing of a case may go, in milliseconds since 1970; 0 of most cases."""
    row = connection.execute(
        "SELECT max(at) FROM desk_event WHERE number = ? AND kind = ?",
        (number, EventKind.ESCALATED),
    ).fetchone()
    return 0 if row[0] is None else int(row[0]) + days * DAY


def appealable_until(connection: Connection, number: str) -> int:
    """Until when an uploader can still appeal, in milliseconds since 1970; 0 when none can."""
    row = connection.execute(
        "SELECT max(expires) FROM desk_code WHERE number = ? AND kind = ? AND used IS NULL",
        (number, APPEAL),
    ).fetchone()
    return int(row[0] or 0)


_CASE: Final = "SELECT number, state, joined, pending, claimed FROM desk_case WHERE number = ?"
_REST: Final = (
    "DELETE FROM desk_mark WHERE number = ?",
    "DELETE FROM desk_code WHERE number = ?",
    "UPDATE desk_print SET sealed = zeroblob(length(sealed)) WHERE number = ?",
    "UPDATE desk_copy SET content_id = NULL, content_url = NULL, evidence = '{}' WHERE number = ?",
    "UPDATE desk_case SET origin = NULL, content_id = NULL WHERE number = ?",
)
"""What is personal, or nearly, and not under the key: addresses, and digests that repeat."""
