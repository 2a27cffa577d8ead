"""What a bank holds at this moment, and whether it is there at all: asked before every search."""

from __future__ import annotations

import threading
from typing import Final

from egide.db import Database, Moment
from egide.errors import BankNotFound
from egide.fingerprint import FingerprintType

_THERE: Final = "SELECT 1 FROM bank WHERE id = ? AND key = ?"
# In the order of an index: asked for any one row, PostgreSQL would look through them all.
_NEXT: Final = "SELECT type FROM fingerprint WHERE bank = ? AND type > ? ORDER BY type LIMIT 1"


class _Known(threading.local):
    """What this thread was told last: moments of two threads are not to be compared."""

    moment: Moment | None = None
    held: frozenset[FingerprintType] = frozenset()


class Standing:
    """That of the bank numbered `number`. Thread-safe.

    By its `key` too: a backup may hold another bank of this number.
    """

    def __init__(self, database: Database, number: int, key: str, name: str) -> None:
        self._database = database
        self._number = number
        self._key = key
        self._name = name
        self._known = _Known()

    def moment(self) -> Moment:
        """The database's moment, at which the bank is there.

        BankNotFound when another process has removed it: that is not 'nothing found'.
        """
        known, moment = self._known, self._database.moment()
        if moment != known.moment:
            # Asked afterwards, so that what is known is as new as the moment, or newer.
            if not self._database.fetch(_THERE, (self._number, self._key)):
                raise BankNotFound(
                    f"{self._name!r} was removed while it was being used; open it anew"
                )
            known.held, known.moment = self._types(), moment
        return moment

    def held(self) -> frozenset[FingerprintType]:
        """The types that the bank has fingerprints of; BankNotFound."""
        self.moment()
        return self._known.held

    def _types(self) -> frozenset[FingerprintType]:
        found, after = set(), ""
        while rows := self._database.fetch(_NEXT, (self._number, after)):
            after = rows[0]["type"]
            found.add(after)
        # What was erased has a type that is none.
        return frozenset(type_ for type_ in FingerprintType if type_ in found)
