"""Verdict records: what was said of which content, kept for the retention time.

No media, no text, no file name. Of an escalated item the content's id, the time and the route
alone.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egide.finding import MASK
from egide.sniff import Kind
from egide.verdict import Action, Verdict

if TYPE_CHECKING:
    from egide.db import Connection, Database

MOST_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Record:
    """A verdict as it is kept: `at` in milliseconds since 1970, UTC; `verdict` masked."""

    id: str
    at: int
    actor: str
    content_id: str | None
    verdict: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The record as it is shown; who asked is in the audit log."""
        return {
            "id": self.id,
            "at": self.at,
            "content_id": self.content_id,
            "verdict": self.verdict,
        }


class Records:
    """The verdict records of `database`, kept for `keep_days`; 0 keeps none."""

    def __init__(
        self, database: Database, keep_days: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self.keep_days = keep_days
        self._clock = clock

    def new(self, verdict: Verdict, actor: str, content_id: str | None) -> Record:
        """A record of `verdict`, still to be stored."""
        at = int(self._clock() * 1000)
        id_ = f"{at:012x}{secrets.token_hex(10)}"
        return Record(id_, at, actor, content_id, _kept(verdict))

    def store(self, connection: Connection, record: Record) -> None:
        """Stores `record`, unless none are kept."""
        if self.keep_days <= 0:
            return
        verdict = record.verdict
        connection.execute(
            "INSERT INTO verdict_record (id, at, actor, content_id, kind, action, rule, verdict)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.id,
                record.at,
                record.actor,
                record.content_id,
                verdict["item"]["kind"],
                verdict["action"],
                verdict["rule"],
                json.dumps(verdict, ensure_ascii=False),
            ),
        )

    def find(self, id_: str) -> Record | None:
        """The record with the id `id_`."""
        rows = self._database.fetch("SELECT * FROM verdict_record WHERE id = ?", (id_,))
        return _record(rows[0]) if rows else None

    def list(
        self,
        *,
        content_id: str | None = None,
        action: Action | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Record]:
        """At most `limit` records (500), newest first: those with an id under `before`."""
        where, values = ["id < ?"], [before if before is not None else "g"]
        if content_id is not None:
            where.append("content_id = ?")
            values.append(content_id)
        if action is not None:
            where.append("action = ?")
            values.append(str(action))
        rows = self._database.fetch(
            f"SELECT * FROM verdict_record WHERE {' AND '.join(where)}"  # noqa: S608  fixed words
            " ORDER BY id DESC LIMIT ?",
            (*values, min(limit, MOST_LISTED)),
        )
        return [_record(row) for row in rows]

    def prune(self) -> None:
        """Deletes what is older than the retention time."""
        oldest = int((self._clock() - self.keep_days * 86_400) * 1000)
        with self._database.write(serial=False) as connection:
            # By the key, which begins with the time.
            connection.execute(
                "DELETE FROM verdict_record WHERE id < ?", (f"{max(oldest, 0):012x}",)
            )


def _kept(verdict: Verdict) -> dict[str, Any]:
    """What is kept of `verdict`: masked, and without what tells the item from its record."""
    document = verdict.to_json()
    document["item"]["ref"] = MASK
    if verdict.kind is Kind.TEXT:
        # The digest of a short text is as good as the text: whoever guesses it can tell.
        document["item"]["sha256"] = None
    return document


def _record(row: Any) -> Record:
    return Record(row["id"], row["at"], row["actor"], row["content_id"], json.loads(row["verdict"]))
