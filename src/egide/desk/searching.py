"""Searches of the library for a case: at once, again a little later, and whenever it grew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from egide.desk.banking import taken
from egide.desk.closing import held, remove_copies
from egide.desk.copies import Search, add_copies, same_picture, search
from egide.desk.deciding import owned
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import CaseState
from egide.desk.laws import laws
from egide.desk.means import alive
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
            if not alive(row) or row.state is CaseState.ESCALATED:
                asked = None
            else:
                asked = self._asked(reading, row)
        found = [] if asked is None else search(means, asked)
        with means.book.writing() as writing:
            row, _ = writing.case(number)
            before = writing.now - row.opened
            again = writing.now + AGAIN_MILLISECONDS if before < AGAIN_MILLISECONDS else None
            writing.set(number, search=again if asked is not None and alive(row) else None)
            if asked is None or not alive(row) or row.state is CaseState.ESCALATED:
                return 0
            new = add_copies(writing, number, found)
            self._follow(writing, row, new)
            if new or again is not None:
                told = {"found": len(found), "new": len(new), "threshold": asked.threshold}
                writing.append(number, EventKind.SEARCHED, THE_DESK, told)
        return len(new)

    def _follow(self, writing: Writing, row: CaseRow, new: Sequence[str]) -> None:
        """Copies that turn up once a removal holds go too, if they are the same picture.

        A person has decided on that; what is only like it stays found, for a person to see.
        """
        if row.state in (CaseState.DECIDED, CaseState.REMOVED):
            own = owned(writing, row)
            same = [each for each in same_picture(writing, new) if each not in own]
            remove_copies(self._means, writing, row, same, held(writing, row.number))

    def _asked(self, reading: Writing, row: CaseRow) -> Search:
        """What a case and those joined to it name, taken together."""
        numbers = [row.number, *self._reading.joined(reading, row.number)]
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
        except EgideError:
            with self._means.book.writing() as writing:
                writing.set(number, search=writing.now + LATER_MILLISECONDS)
            raise
        return True
