"""The audit log: every grant and every denial, with who, what and when, and nobody's name.

What changes something is written in the transaction of the change. Requests come by the thousand:
those alike within one second are one row with a count, written at the end of that second, so that
neither load nor a flood of refused requests fills the disk row by row.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egide.errors import StorageError, UsageError
from egide.identity.kept import Kept
from egide.identity.scopes import Actor, Principal

if TYPE_CHECKING:
    from egide.db import Connection, Database
    from egide.identity.secret import Secret

GRANTED: Final = "granted"
DENIED: Final = "denied"
NOBODY: Final = Principal(Actor.NOBODY, "", "", frozenset())
FLUSH_SECONDS: Final = 1.0
MOST_WAITING: Final = 5_000
"""Rows a second; what is beyond is counted without its origin, so that a flood stays small."""
MOST_LISTED: Final = 500
PRUNE_SECONDS: Final = 3600.0
KEEP_DAYS: Final = 730.0


def audit_days() -> float:
    """Days for which the log is kept: EGIDE_AUDIT_DAYS, or KEEP_DAYS; UsageError."""
    text = os.environ.get("EGIDE_AUDIT_DAYS") or str(KEEP_DAYS)
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 1 <= days <= 36_500:
        raise UsageError("EGIDE_AUDIT_DAYS must be a number of days from 1 to 36500")
    return days


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the log: `times` alike within the second `at`."""

    seq: int
    at: int
    actor: str
    action: str
    object: str
    outcome: str
    reason: str
    origin: str
    times: int


class AuditLog(Kept):
    """The log of one database. Thread-safe; `close` writes what still waits."""

    def __init__(
        self, database: Database, secret: Secret, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(database, secret, clock)
        self._waiting: Counter[tuple[int, str, str, str, str, str, str]] = Counter()
        self._days = audit_days()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._writer: threading.Thread | None = None

    def write(
        self,
        connection: Connection,
        principal: Principal,
        action: str,
        object_: str = "",
        *,
        outcome: str = GRANTED,
        reason: str = "",
        address: str = "",
    ) -> None:
        """One row in the transaction of `connection`: there if and only if the change is."""
        key = self._row(principal, action, object_, outcome, reason, address)
        connection.execute(_INSERT, (*key, 1))

    def note(
        self,
        principal: Principal,
        action: str,
        object_: str = "",
        *,
        outcome: str = GRANTED,
        reason: str = "",
        address: str = "",
    ) -> None:
        """Counts one request; in the database within FLUSH_SECONDS."""
        key = self._row(principal, action, object_, outcome, reason, address)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING and key not in self._waiting:
                key = (*key[:3], "", *key[4:6], "")
            self._waiting[key] += 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_on, name="audit", daemon=True)
                self._writer.start()

    def flush(self) -> None:
        """Writes what waits; StorageError, and then it goes on waiting."""
        with self._lock:
            rows, self._waiting = self._waiting, Counter()
        if not rows:
            return
        try:
            with self._database.write(serial=False) as connection:
                for key, times in rows.items():
                    connection.execute(_INSERT, (*key, times))
        except BaseException:
            with self._lock:
                self._waiting.update(rows)
            raise

    def rows(
        self, *, before: int | None = None, actor: str | None = None, limit: int = 100
    ) -> list[AuditRow]:
        """At most `limit` rows (500), newest first: those with a `seq` under `before`."""
        where = ["seq < ?"]
        values: list[int | str] = [before if before is not None else 1 << 62]
        if actor is not None:
            where.append("actor = ?")
            values.append(actor)
        found = self._database.fetch(
            f"SELECT * FROM audit WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?",  # noqa: S608  fixed words
            (*values, min(limit, MOST_LISTED)),
        )
        return [AuditRow(*(row[name] for name in AuditRow.__slots__)) for row in found]

    def prune(self, keep_days: float) -> int:
        """Deletes rows older than `keep_days`; how many."""
        with self._database.write(serial=False) as connection:
            gone = connection.execute(
                "DELETE FROM audit WHERE at < ? RETURNING seq",
                (int(self._clock() - keep_days * 86_400),),
            ).fetchall()
        return len(gone)

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        self._ended.set()
        if self._writer is not None:
            self._writer.join()
        self.flush()

    def _row(
        self,
        principal: Principal,
        action: str,
        object_: str,
        outcome: str,
        reason: str,
        address: str,
    ) -> tuple[int, str, str, str, str, str, str]:
        origin = self._secret.commitment(address)
        return int(self._clock()), principal.actor, action, object_, outcome, reason, origin

    def _write_on(self) -> None:
        pruned = 0.0
        while not self._ended.wait(FLUSH_SECONDS):
            try:
                self.flush()
                if self._clock() - pruned > PRUNE_SECONDS:
                    pruned = self._clock()
                    self.prune(self._days)
            except StorageError:
                continue  # full or away for a while: tried again with what came meanwhile
        self._database.close()


_INSERT: Final = (
    "INSERT INTO audit (at, actor, action, object, outcome, reason, origin, times) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
