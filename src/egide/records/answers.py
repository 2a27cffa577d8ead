"""Answers to requests that carry an `Idempotency-Key`: asked again, they are given again.

The answer is stored in the transaction of what the request did, so that after any crash either
both are there or neither is. draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from egide.db import Connection, Database

KEPT_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP; `digest` is the SHA-256 of the request that it was given to."""

    digest: bytes
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """The answers of the last KEPT_SECONDS in `database`."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def find(self, actor: str, key: str) -> Answer | None:
        """The answer that `actor` was given for `key`."""
        rows = self._database.fetch(_SELECT, (actor, key, self._oldest()))
        return _answer(rows[0]) if rows else None

    def store(self, connection: Connection, actor: str, key: str, answer: Answer) -> Answer | None:
        """Stores `answer`; or gives the one that another request with this key got meanwhile.

        In that case nothing else of the request is to be done.
        """
        connection.execute(
            "DELETE FROM answered WHERE actor = ? AND key = ? AND at < ?",
            (actor, key, self._oldest()),
        )
        made = connection.execute(
            "INSERT INTO answered (actor, key, digest, status, headers, body, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING status",
            (
                actor,
                key,
                answer.digest,
                answer.status,
                json.dumps(dict(answer.headers)),
                answer.body,
                self._now(),
            ),
        ).fetchall()
        if made:
            return None
        return _answer(connection.execute(_SELECT, (actor, key, 0)).fetchone())

    def prune(self) -> None:
        """Forgets what is older than KEPT_SECONDS."""
        with self._database.write(serial=False) as connection:
            connection.execute("DELETE FROM answered WHERE at < ?", (self._oldest(),))

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _oldest(self) -> int:
        return self._now() - KEPT_SECONDS * 1000


_SELECT: Final = (
    "SELECT digest, status, headers, body FROM answered WHERE actor = ? AND key = ? AND at >= ?"
)


def _answer(row: Any) -> Answer:
    digest, status, headers, body = row
    return Answer(bytes(digest), status, bytes(body), json.loads(headers))
