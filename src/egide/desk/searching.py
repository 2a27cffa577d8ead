"""Searches of the library for a case: at once, again a little later, and whenever it grew."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from egide.desk.banking import taken
from egide.desk.closing import held, remove_copies
from egide.desk.copies import Found, Search, add_copies, name_of, search
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import CaseState
from egide.desk.going import follow, gone, removals
from egide.desk.laws import laws
from egide.desk.means import alive
from egide.desk.status import told_copies
from egide.errors import EgideError, StorageError

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means
    from egide.desk.notices import Location
    from egide.desk.status import Reading
    from egide.fingerprint import Fingerprint

AGAIN_MILLISECONDS: Final = 20 * 60_000
"""When the library is searched again: what was being uploaded while it was, is in it by then."""
LATER_MILLISECONDS: Final = 5 * 60_000
MOST_AT_ONCE: Final = 2
"""Searches that notices wait for; in a flood they are left to `tick`, one after the other."""
MOST_APART: Final = 10
"""Joined cases, those that came last, of which it is looked up what each finds by itself."""

_log: Final = logging.getLogger(__name__)


class Searching:
    """The desk's searches."""

    def __init__(self, means: Means, reading: Reading) -> None:
        self._means = means
        self._reading = reading
        self._now = threading.BoundedSemaphore(MOST_AT_ONCE)

    def search(self, number: str) -> int:
        """Searches the library for a case and adds what was found; how many copies are new."""
        means = self._means
        with means.book.reading() as reading:
            row, _ = reading.case(number)
            due = _due(reading, number)
            if not alive(row) or row.state is CaseState.ESCALATED:
                asked, apart = None, {}
            else:
                joined = self._reading.joined(reading, number)
                asked = self._asked(reading, row, [number, *joined])
                apart = {each: self._asked(reading, row, [each]) for each in joined[-MOST_APART:]}
        found = [] if asked is None else search(means, asked)
        own = {each: search(means, theirs) for each, theirs in apart.items()}
        with means.book.writing() as writing:
            row, _ = writing.case(number)
            before = writing.now - row.opened
            again = writing.now + AGAIN_MILLISECONDS if before < AGAIN_MILLISECONDS else None
            # What was added meanwhile, and is to be searched for, was not: that stays due.
            if _due(writing, number) == due:
                writing.set(number, search=again if asked is not None and alive(row) else None)
            if asked is None or not alive(row) or row.state is CaseState.ESCALATED:
                return 0
            new = add_copies(writing, number, found)
            for other, theirs in own.items():
                _share(writing, number, other, theirs)
            self._follow(writing, row, new)
            if new or again is not None:
                told = {"found": len(found), "new": len(new), "threshold": asked.threshold}
                writing.append(number, EventKind.SEARCHED, THE_DESK, told)
        return len(new)

    def _follow(self, writing: Writing, row: CaseRow, new: Sequence[str]) -> None:
        """Copies that turn up once a removal holds go too, if they are the same picture.

        A person has decided on that. What is only like it, what was named later, and more than one
        reviewer decides on alone stays found, for a person to see.
        """
        if not new or row.state not in (CaseState.DECIDED, CaseState.REMOVED):
            return
        decided = removals(writing, row.number)
        places = self._reading.places_before(writing, row.number, decided[0]) if decided else []
        pictures = gone(writing, row, self._reading.joined(writing, row.number))
        most = self._means.settings.second_from
        same = follow(writing, row, new, pictures, places, decided, most=most)
        remove_copies(self._means, writing, row, same, held(writing, row.number))

    def _asked(self, reading: Writing, row: CaseRow, numbers: Sequence[str]) -> Search:
        """What cases name, taken together; `row` is the one that they are decided with."""
        prints: dict[Fingerprint, None] = {}
        places: dict[Location, None] = {}
        for number in numbers:
            other, _ = reading.case(number)
            prints |= dict.fromkeys(taken(reading.prints(number)))
            places |= dict.fromkeys(self._reading.notice(reading, other).locations)
        threshold = laws()[row.jurisdiction].copies.threshold
        return Search(tuple(prints), tuple(places), threshold)

    def search_now(self, number: str) -> None:
        """So that what is there is seen at once; what fails here is done again by `tick`."""
        if not self._now.acquire(blocking=False):
            return
        try:
            row = self._means.book.row(number)
            self.search(row.joined or number)
        except EgideError as error:
            _log.warning("the library is searched later: %s", type(error).__name__)
        finally:
            self._now.release()

    def search_due(self, number: str) -> bool:
        """Searches for a case as `tick` does: one that cannot be searched waits for a while."""
        try:
            self.search(number)
        except StorageError:
            raise
        except Exception:
            with self._means.book.writing() as writing:
                writing.set(number, search=writing.now + LATER_MILLISECONDS)
            raise
        return True


def _share(writing: Writing, lead: str, number: str, found: Sequence[Found]) -> None:
    """Notes which copies of the case that leads a joined one finds by itself: its sender is told
    of those alone.
    """
    case, _ = writing.case(number)
    if case.joined != lead or not alive(case):
        return
    names = {name_of(each.content_id, each.content_url, each.entry) for each in found}
    rows = writing.connection.execute(
        "SELECT id, content_id, content_url, entry, how FROM desk_copy WHERE number = ?"
        " ORDER BY found, id",
        (lead,),
    ).fetchall()
    there = {each["id"] for each in told_copies(writing, case)}
    new = {
        str(each["id"]): str(each["how"])
        for each in rows
        if each["id"] not in there
        and name_of(each["content_id"], each["content_url"], each["entry"]) in names
    }
    if new:
        told = {"copies": list(new), "how": Counter(new.values()), "state": "found", "lead": lead}
        writing.append(number, EventKind.FOUND, THE_DESK, told)


def _due(writing: Writing, number: str) -> int | None:
    """When the library is to be searched for a case."""
    (due,) = writing.connection.execute(
        "SELECT search FROM desk_case WHERE number = ?", (number,)
    ).fetchone()
    return None if due is None else int(due)
