"""What stays of a case that is taken back while others are decided with it: another one leads then.

The person has asked more than once that the same goes: as long as one of her notices stands, what
was removed stays away, and whose it was can appeal. With the last of them it is put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egide.desk.appeals import undecided
from egide.desk.banking import taken
from egide.desk.closing import APPEAL
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import CaseState
from egide.desk.going import active

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing

_REMOVED: Final = (CaseState.DECIDED, CaseState.REMOVED)


def hand_on(writing: Writing, row: CaseRow, numbers: list[str]) -> bool:
    """Lets the first of `numbers`, the cases that were joined to this one, lead the others.

    Whether it asks for what was removed, and so has that from now on. Called before the
    fingerprints of the case that ends are erased.
    """
    for place, number in enumerate(numbers):
        writing.set(number, joined=None if place == 0 else numbers[0])
    if not numbers:
        return False
    writing.set(numbers[0], search=writing.now)
    heir, _ = writing.case(numbers[0])
    # Of an erased case nobody knows any more where the copies were.
    if heir.state not in _REMOVED or row.state is CaseState.ERASED:
        return False
    _take_over(writing, row, heir.number)
    return True


def _take_over(writing: Writing, row: CaseRow, heir: str) -> None:
    rows = writing.connection.execute(
        "UPDATE desk_copy SET number = ? WHERE number = ? AND state NOT IN ('found', 'blocked')"
        " RETURNING id, state",
        (heir, row.number),
    ).fetchall()
    copies = {str(each["id"]): str(each["state"]) for each in rows}
    writing.connection.executemany(
        "UPDATE desk_code SET number = ? WHERE number = ? AND kind = ? AND copy = ?",
        [(heir, row.number, APPEAL, copy) for copy in sorted(copies)],
    )
    # What she gave with the notice that ends goes with it, also where the library knew the same.
    given = {(each.type, each.value) for each in taken(writing.prints(row.number))}
    others = [
        entry
        for entry, held in active(writing, row.number)
        if given.isdisjoint((each.type, each.value) for each in held)
    ]
    writing.connection.executemany(
        "UPDATE desk_entry SET number = ? WHERE entry = ?", [(heir, entry) for entry in others]
    )
    told = {
        "from": row.number,
        "copies": dict(sorted(copies.items())),
        "deciders": list(writing.case(row.number)[1].deciders),
    }
    writing.append(heir, EventKind.JOINED, THE_DESK, told)
    personal = writing.personal(row.number)
    for each in undecided(writing.events(row.number)):
        if each.told.get("copy") in copies:
            words = personal.get(each.seq)
            writing.append(heir, EventKind.APPEALED, each.actor, each.told, words)
