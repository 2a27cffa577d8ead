"""What happens by itself: decisions take effect, searches are done, what is late is told.

Every step looks for what is due and does each in a write of its own that asks again: any number of
processes may do it, and whatever one was killed in is done by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from egide.desk.fold import CaseState
from egide.errors import EgideError, StorageError

if TYPE_CHECKING:
    from egide.desk.deciding import Deciding
    from egide.desk.looking import Looking
    from egide.desk.means import Means
    from egide.desk.platform import Platform
    from egide.desk.searching import Searching

MOST_AT_ONCE: Final = 100
MOST_SEARCHES: Final = 10
"""They take longest, and decisions must not wait for them."""
NEAR_MILLISECONDS: Final = 8 * 3_600_000
"""Time left at which the platform is told that a deadline is near."""

_log: Final = logging.getLogger(__name__)


class Ticking:
    """The desk's clockwork."""

    def __init__(
        self,
        means: Means,
        searching: Searching,
        deciding: Deciding,
        platform: Platform,
        looking: Looking,
    ) -> None:
        self._means = means
        self._searching = searching
        self._deciding = deciding
        self._platform = platform
        self._looking = looking

    def tick(self) -> int:
        """Does what is due now; how many things that were. StorageError."""
        now = self._means.book.now()
        # In the order of what must not wait: the person first.
        return (
            self._each(_EFFECTIVE, now, self._deciding.take_effect)
            + self._each(_SEARCH, now, self._searching.search_due, MOST_SEARCHES)
            + self._each(_OVERDUE, now, self._platform.overdue)
            + self._each(_NEAR, now + NEAR_MILLISECONDS, self._warn)
        )

    def prune(self) -> None:
        """Forgets what no longer counts."""
        self._looking.prune()

    def _each(
        self, query: str, until: int, work: Callable[[str], bool], most: int = MOST_AT_ONCE
    ) -> int:
        done = 0
        for row in self._means.book.database.fetch(query, (until, most)):
            try:
                done += work(row[0])
            except StorageError:
                raise
            except EgideError as error:  # one case must not keep the others waiting
                _log.warning("a case cannot go on: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  nor may a fault of ours that one case brings to light
                _log.exception("a case cannot go on")
        return done

    def _warn(self, number: str) -> bool:
        """Tells once that the clock of a case is about to end."""
        with self._means.book.writing() as writing:
            row, folded = writing.case(number)
            warned = writing.connection.execute(
                "UPDATE desk_case SET warned = 1 WHERE number = ? AND warned = 0", (number,)
            )
            if warned.rowcount != 1 or folded.state is not CaseState.OPEN:
                return False
            told = {"case": number, "jurisdiction": row.jurisdiction, "deadline": row.deadline}
            writing.tell("case.deadline", told)
            return True


_EFFECTIVE: Final = (
    "SELECT number FROM desk_case WHERE effective IS NOT NULL AND effective <= ?"
    " ORDER BY effective, number LIMIT ?"
)
_SEARCH: Final = (
    "SELECT number FROM desk_case WHERE search IS NOT NULL AND search <= ?"
    " ORDER BY search, number LIMIT ?"
)
_OVERDUE: Final = (
    "SELECT id FROM desk_copy WHERE due IS NOT NULL AND due <= ? ORDER BY due, id LIMIT ?"
)
_NEAR: Final = (
    "SELECT number FROM desk_case WHERE state = 'open' AND warned = 0 AND joined IS NULL"
    " AND paused IS NULL AND deadline <= ? ORDER BY deadline, number LIMIT ?"
)
