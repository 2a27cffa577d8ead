"""What the platform hosts: which content each entry of a library bank is of, and its copies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from egide.bank import Draft
from egide.bank.adding import add_drafts
from egide.bank.entry import VARIABLES, entry_id, parse_entry_id
from egide.fingerprint import Fingerprint

if TYPE_CHECKING:
    from egide.bank import Bank
    from egide.db import Connection, Database
    from egide.match import Match


class Content(NamedTuple):
    """Something that the platform hosts: what it calls it, and where it is shown."""

    content_id: str
    content_url: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Hosted content that shows what was asked for: the entry it is kept as, and how near it is."""

    content: Content
    match: Match

    def to_json(self) -> dict[str, Any]:
        """The copy as it is shown."""
        match = self.match
        return {
            "content_id": self.content.content_id or None,
            "content_url": self.content.content_url,
            "bank": match.bank,
            "entry": match.entry,
            "method": str(match.type),
            "distance": match.distance,
            "at": match.at,
        }


class Hosted:
    """The hosted content in `database`."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        connection: Connection,
        bank: Bank,
        content: Content,
        fingerprints: Iterable[Fingerprint],
    ) -> str:
        """Adds what a content shows to a library bank, in a serial write; the entry's id.

        What is there already under this content's id is not added twice, and takes the new address.
        """
        draft = Draft(tuple(fingerprints), ref=content.content_id)
        entry = add_drafts(connection, bank.number, bank.key, [draft])[0].entry
        connection.execute(
            "INSERT INTO hosted (content_id, entry, content_url, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (content_id, entry) DO UPDATE"
            " SET content_url = excluded.content_url, at = excluded.at",
            (
                content.content_id,
                parse_entry_id(entry)[1],
                content.content_url,
                int(self._clock() * 1000),
            ),
        )
        return entry

    def entries(self, content_id: str) -> list[str]:
        """The ids of the entries that `content_id` is kept as."""
        rows = self._database.fetch(
            "SELECT b.key, h.entry FROM hosted h JOIN entry e ON e.seq = h.entry"
            " JOIN bank b ON b.id = e.bank"
            " WHERE h.content_id = ? AND e.state <> 'withdrawn' ORDER BY h.entry",
            (content_id,),
        )
        return [entry_id(row["key"], row["entry"]) for row in rows]

    def forget(self, content_id: str) -> None:
        """Deletes what is known of `content_id`; its entries are withdrawn by their bank."""
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM hosted WHERE content_id = ?", (content_id,))

    def copies(
        self, banks: Iterable[Bank], fingerprints: Sequence[Fingerprint], threshold: int
    ) -> list[Copy]:
        """Hosted content within `threshold` bits of a fingerprint, each entry once, nearest first.

        Found in `banks`, which are libraries.
        """
        nearest: dict[str, Match] = {}
        for bank in banks:
            for match in bank.search(fingerprints, threshold):
                known = nearest.get(match.entry)
                if known is None or match.distance < known.distance:
                    nearest[match.entry] = match
        ranked = sorted(nearest.values(), key=lambda match: (match.distance, match.entry))
        contents = self.contents([parse_entry_id(match.entry)[1] for match in ranked])
        return [
            Copy(content, match)
            for match in ranked
            for content in contents.get(parse_entry_id(match.entry)[1], _told(match))
        ]

    def prune(self) -> None:
        """Forgets the addresses of what was withdrawn."""
        with self._database.write(serial=False) as connection:
            connection.execute(
                "DELETE FROM hosted WHERE entry IN (SELECT h.entry FROM hosted h"
                " JOIN entry e ON e.seq = h.entry WHERE e.state = 'withdrawn')"
            )

    def at(self, content_ids: Iterable[str], urls: Iterable[str]) -> list[tuple[str, Content]]:
        """What is kept under one of these ids or at one of these addresses, with its entries."""
        found: dict[tuple[str, str], tuple[str, Content]] = {}
        for column, values in (("content_id", content_ids), ("content_url", urls)):
            for value in dict.fromkeys(values):
                rows = self._database.fetch(
                    "SELECT b.key, h.entry, h.content_id, h.content_url FROM hosted h"  # noqa: S608
                    " JOIN entry e ON e.seq = h.entry JOIN bank b ON b.id = e.bank"
                    f" WHERE h.{column} = ? AND e.state <> 'withdrawn' ORDER BY h.entry",
                    (value,),
                )
                for row in rows:
                    entry = entry_id(row["key"], row["entry"])
                    content = Content(row["content_id"], row["content_url"])
                    found[entry, content.content_id] = entry, content
        return list(found.values())

    def contents(self, entries: Sequence[int]) -> dict[int, list[Content]]:
        """The contents that the entries with these numbers are of."""
        found: dict[int, list[Content]] = {}
        for start in range(0, len(entries), VARIABLES):
            part = entries[start : start + VARIABLES]
            rows = self._database.fetch(
                "SELECT entry, content_id, content_url FROM hosted"  # noqa: S608  question marks
                f" WHERE entry IN ({', '.join('?' * len(part))}) ORDER BY content_id",
                part,
            )
            for row in rows:
                content = Content(row["content_id"], row["content_url"])
                found.setdefault(row["entry"], []).append(content)
        return found


def _told(match: Match) -> list[Content]:
    """What an entry that was added by `egide bank add` tells of its content: its reference."""
    return [Content(match.ref or "")]
