"""Looks at pictures: on purpose, one at a time, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egide.desk.events import EventKind
from egide.desk.fold import CaseState
from egide.desk.numbers import new_code
from egide.desk.views import Exposure, Look
from egide.errors import CaseNotFound, CaseStands
from egide.identity import Principal, Scope

if TYPE_CHECKING:
    from egide.desk.means import Means

LOOK: Final = "look"
LOOK_MILLISECONDS: Final = 60_000
REST_HOURLY: Final = 60
"""Pictures an hour from which on a break is offered; unveiled ones count three times."""
UNVEILED_COUNTS: Final = 3
KEPT_MILLISECONDS: Final = 90 * 86_400_000
_HOUR: Final = 3_600_000


class Looking:
    """Tokens that open one picture once, for one reviewer."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def look(self, viewer: Principal, case: str, copy: str, *, veiled: bool) -> str:
        """A token that `looked` takes once, from the same reviewer, within a minute.

        It is an event of the case. NotAllowed without `case:media`; CaseStands for an escalated
        case, of which nothing is shown to anybody; CaseNotFound for a copy of another case.
        """
        viewer.require(Scope.CASE_MEDIA)
        with self._means.book.writing() as writing:
            row, _ = self._means.to_change(writing, viewer, case, scope=Scope.CASE_READ)
            if row.state in (CaseState.ESCALATED, CaseState.WITHDRAWN, CaseState.ERASED):
                raise CaseStands(f"it is {row.state}: nothing of it is shown")
            there = writing.connection.execute(
                "SELECT 1 FROM desk_copy WHERE id = ? AND number = ?", (copy[:40], row.number)
            ).fetchone()
            if there is None:
                raise CaseNotFound("it has no such copy")
            token = new_code()
            writing.connection.execute("DELETE FROM desk_code WHERE expires <= ?", (writing.now,))
            writing.connection.execute(
                "INSERT INTO desk_code (digest, kind, number, copy, holder, veiled, expires)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self._means.digest("code", token),
                    LOOK,
                    row.number,
                    copy,
                    viewer.actor,
                    int(veiled),
                    writing.now + LOOK_MILLISECONDS,
                ),
            )
            told = {"copy": copy, "veiled": veiled}
            writing.append(row.number, EventKind.VIEWED, viewer.actor, told)
        return token

    def looked(self, viewer: Principal, token: str) -> Look:
        """What the token opens, which is void from now on; CaseNotFound."""
        viewer.require(Scope.CASE_MEDIA)
        now = self._means.book.now()
        with self._means.book.database.write(serial=False) as connection:
            row = connection.execute(
                "DELETE FROM desk_code WHERE digest = ? AND kind = ? AND holder = ? AND expires > ?"
                " RETURNING number, copy, veiled",
                (self._means.digest("code", token[:100]), LOOK, viewer.actor, now),
            ).fetchone()
            if row is None:
                raise CaseNotFound("this look was used, or has ended; open the picture anew")
            copy = connection.execute(
                "SELECT content_id, content_url FROM desk_copy WHERE id = ?", (row["copy"],)
            ).fetchone()
            connection.execute(
                "INSERT INTO desk_look (actor, at, veiled) VALUES (?, ?, ?)",
                (viewer.actor, now, row["veiled"]),
            )
        return Look(
            row["number"], row["copy"], copy["content_id"], copy["content_url"], bool(row["veiled"])
        )

    def exposure(self, viewer: Principal) -> Exposure:
        """How many pictures this reviewer looked at lately, and whether a break is due."""
        now = self._means.book.now()
        (row,) = self._means.book.database.fetch(
            "SELECT count(*) AS day, coalesce(sum(CASE WHEN at > ? THEN 1 ELSE 0 END), 0) AS hour,"
            " coalesce(sum(CASE WHEN at > ? AND veiled = 0 THEN 1 ELSE 0 END), 0) AS bare"
            " FROM desk_look WHERE actor = ? AND at > ?",
            (now - _HOUR, now - _HOUR, viewer.actor, now - 24 * _HOUR),
        )
        hour, bare = int(row["hour"]), int(row["bare"])
        weight = hour + (UNVEILED_COUNTS - 1) * bare
        return Exposure(hour, int(row["day"]), bare, weight >= REST_HOURLY)

    def prune(self) -> None:
        """Forgets looks that no longer count."""
        oldest = self._means.book.now() - KEPT_MILLISECONDS
        with self._means.book.database.write(serial=False) as connection:
            connection.execute("DELETE FROM desk_look WHERE at < ?", (oldest,))
