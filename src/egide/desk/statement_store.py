"""Statements that are due to the DSA Transparency Database: kept until it has them.

A statement is written in the transaction of the decision that it tells, under an identifier made by
chance. Sending it again after an answer was lost therefore cannot double it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egide.desk.statement_cases import RemovedCopy
from egide.desk.statement_database import LANGUAGE, document_of, new_puid

if TYPE_CHECKING:
    from egide.db import Connection, Database, Row

_MOST_SAID: Final = 300


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement and how far it came; times in milliseconds since 1970, UTC.

    Attributes:
        made: when the decision took effect.
        sent: when the database was seen to have it; None before.
        refused: whether the database found it wrong: it is not sent again.
        said: what the last attempt came to.
    """

    puid: str
    document: dict[str, Any]
    made: int
    sent: int | None
    refused: bool
    said: str


def record(connection: Connection, copy: RemovedCopy, now: int) -> str | None:
    """Keeps the statement for `copy` in the caller's transaction; its identifier.

    None for what the regulation does not apply to. The platform's name is not part of it.
    """
    restriction = copy.restriction("", LANGUAGE)
    if not restriction.european:
        return None
    puid = new_puid()
    body = json.dumps(document_of(restriction, puid), ensure_ascii=False, separators=(",", ":"))
    connection.execute(
        "INSERT INTO desk_statement (puid, body, made) VALUES (?, ?, ?)", (puid, body, now)
    )
    return puid


class Statements:
    """The statements in `database`. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def made_between(self, begin: int, end: int) -> list[Kept]:
        """Those made from `begin` to just before `end`, oldest first."""
        rows = self._database.fetch(
            "SELECT * FROM desk_statement WHERE made >= ? AND made < ? ORDER BY seq", (begin, end)
        )
        return [_kept(row) for row in rows]

    def mark_sent(self, puids: Iterable[str], now: int, said: str) -> None:
        """Notes that the database has them."""
        self._mark("UPDATE desk_statement SET sent = ?, said = ? WHERE puid = ?", now, said, puids)

    def mark_refused(self, puids: Iterable[str], said: str) -> None:
        """Notes that the database will not have them as they are."""
        self._mark("UPDATE desk_statement SET refused = ?, said = ? WHERE puid = ?", 1, said, puids)

    def mark_tried(self, puids: Iterable[str], said: str) -> None:
        """Notes that they did not arrive; they are sent again."""
        self._mark(
            "UPDATE desk_statement SET refused = ?, said = ? WHERE puid = ? AND sent IS NULL",
            0,
            said,
            puids,
        )

    def _mark(self, sql: str, value: int, said: str, puids: Iterable[str]) -> None:
        rows: Sequence[tuple[int, str, str]] = [(value, said[:_MOST_SAID], each) for each in puids]
        with self._database.write(serial=False) as connection:
            for row in rows:
                connection.execute(sql, row)


def _kept(row: Row) -> Kept:
    return Kept(
        row["puid"],
        json.loads(row["body"]),
        row["made"],
        row["sent"],
        bool(row["refused"]),
        row["said"],
    )
