"""The queue: which message goes to which webhook, who has it now, and when it is tried again."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from egide.db import Connection, Database, Row

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

FIRST_DELAY: Final = 5 * SECOND
LONGEST_DELAY: Final = 12 * HOUR
GROWTH: Final = 4
JITTER: Final = 0.2
"""So much of a delay, at most, is added or taken off: many that failed together come apart."""

TRIED_FOR: Final = 3 * DAY
LEASED_FOR: Final = 2 * MINUTE
"""A worker that has not reported by then is held to be dead; a request takes far less."""

DELIVERED_KEPT: Final = 7 * DAY
DEAD_KEPT: Final = 30 * DAY
MOST_AT_ONCE: Final = 1_000


class State(StrEnum):
    """Where a delivery stands: `dead` ones were given up, and can be replayed."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one webhook; times in milliseconds since 1970."""

    seq: int
    message: str
    type: str
    webhook: str
    host: str
    state: State
    begun: int
    due: int
    attempts: int
    said: str
    changed: int

    def to_json(self) -> dict[str, Any]:
        """The delivery as `egide outbox list` prints it."""
        return {
            "delivery": self.seq,
            "message": self.message,
            "type": self.type,
            "webhook": self.webhook,
            "host": self.host,
            "state": str(self.state),
            "attempts": self.attempts,
            "due": self.due if self.state is State.WAITING else None,
            "said": self.said,
            "changed": self.changed,
        }


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this worker's until its lease ends."""

    seq: int
    lease: str
    leased: int
    message: str
    webhook: str
    begun: int
    attempts: int


class Backlog(NamedTuple):
    """What was not delivered: how much waits, how much was given up, and since when it waits.

    `oldest` is in milliseconds since 1970, None when nothing waits.
    """

    waiting: int
    dead: int
    oldest: int | None


_LISTED: Final = (
    "SELECT d.seq, d.message, m.type, d.webhook, coalesce(w.host, ''), d.state, d.begun, d.due,"
    " d.attempts, d.said, d.changed FROM delivery d JOIN message m ON m.id = d.message"
    " LEFT JOIN webhook w ON w.id = d.webhook"
)


class Deliveries:
    """The deliveries in `database`; `clock` gives milliseconds. Thread-safe."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def claim(self, webhook: str, most: int) -> list[Claimed]:
        """Up to `most` deliveries that are due and that nobody has; nobody else gets them now."""
        if most <= 0:
            return []
        now, lease = self._clock(), secrets.token_hex(8)
        leased = now + LEASED_FOR
        with self._database.write(serial=False) as connection:
            rows = connection.execute(
                # The conditions stand twice: another worker may have been given some in between,
                # and then only the outer ones are looked at again.
                "UPDATE delivery SET lease = ?, leased = ? WHERE state = 'waiting' AND leased <= ?"
                " AND seq IN (SELECT seq FROM delivery WHERE webhook = ? AND state = 'waiting'"
                " AND due <= ? AND leased <= ? ORDER BY due LIMIT ?)"
                " RETURNING seq, message, webhook, begun, attempts",
                (lease, leased, now, webhook, now, now, most),
            ).fetchall()
        return [Claimed(row[0], lease, leased, *tuple(row)[1:]) for row in rows]

    def due_webhooks(self) -> list[str]:
        """The webhooks that something can be sent to now."""
        now = self._clock()
        rows = self._database.fetch(
            "SELECT w.id FROM webhook w WHERE w.disabled IS NULL AND EXISTS (SELECT 1 FROM"
            " delivery d WHERE d.webhook = w.id AND d.state = 'waiting' AND d.due <= ?"
            " AND d.leased <= ?) ORDER BY w.id",
            (now, now),
        )
        return [row[0] for row in rows]

    def delivered(self, claimed: Claimed, said: str) -> bool:
        """Notes that it arrived; False when the lease was lost meanwhile."""
        return self._finish(claimed, State.DELIVERED, self._clock(), said)

    def failed(self, claimed: Claimed, said: str, *, least: int = 0) -> State | None:
        """Notes that it did not arrive: tried again later, in `least` ms or more, or given up.

        None when the lease was lost meanwhile.
        """
        now = self._clock()
        due = now + max(least, delay(claimed.attempts + 1))
        state = State.WAITING if due <= claimed.begun + TRIED_FOR else State.DEAD
        return state if self._finish(claimed, state, due, said) else None

    def release(self, claimed: Claimed) -> None:
        """Gives it back untried."""
        with self._database.write(serial=False) as connection:
            connection.execute(
                "UPDATE delivery SET lease = NULL, leased = 0 WHERE seq = ? AND lease = ?",
                (claimed.seq, claimed.lease),
            )

    def listed(
        self, state: State | None = None, *, before: int | None = None, most: int = 100
    ) -> list[Delivery]:
        """Deliveries, newest first, those with a number under `before`; 1 to 1,000 of them."""
        wanted: list[Any] = [2**62 if before is None else before]
        where = " WHERE d.seq < ?"
        if state is not None:
            where += " AND d.state = ?"
            wanted.append(state)
        rows = self._database.fetch(
            f"{_LISTED}{where} ORDER BY d.seq DESC LIMIT ?",
            (*wanted, min(max(most, 1), MOST_AT_ONCE)),
        )
        return [_delivery(row) for row in rows]

    def replay(self, seqs: Sequence[int]) -> list[int]:
        """Sends these again from the beginning, at once; which of them there are."""
        found: list[int] = []
        now = self._clock()
        with self._database.write(serial=False) as connection:
            for seq in seqs:
                # One that is being sent at this moment is left to its worker.
                cursor = connection.execute(
                    "UPDATE delivery SET state = 'waiting', begun = ?, due = ?, attempts = 0,"
                    " lease = NULL, leased = 0, changed = ? WHERE seq = ? AND leased <= ?",
                    (now, now, now, seq, now),
                )
                if cursor.rowcount:
                    found.append(seq)
        return found

    def replay_dead(self, webhook: str | None = None) -> int:
        """Sends all again that were given up, of one webhook or of all; how many."""
        now = self._clock()
        with self._database.write(serial=False) as connection:
            return connection.execute(
                "UPDATE delivery SET state = 'waiting', begun = ?, due = ?, attempts = 0,"
                " changed = ? WHERE state = 'dead' AND webhook = coalesce(?, webhook)",
                (now, now, now, webhook),
            ).rowcount

    def counts(self) -> dict[State, int]:
        """How many there are in each state."""
        rows = self._database.fetch("SELECT state, count(*) FROM delivery GROUP BY state")
        return dict.fromkeys(State, 0) | {State(row[0]): row[1] for row in rows}

    def backlog(self) -> Backlog:
        """What was not delivered; cheap, whatever there is that was."""
        (row,) = self._database.fetch(
            "SELECT (SELECT count(*) FROM delivery WHERE state = 'waiting'),"
            " (SELECT count(*) FROM delivery WHERE state = 'dead'),"
            " (SELECT min(begun) FROM delivery WHERE state = 'waiting')"
        )
        return Backlog(*row)

    def purge(self) -> int:
        """Removes what was delivered a week ago or given up a month ago; how many deliveries.

        And those of webhooks that are no longer there.
        """
        now = self._clock()
        removed = 0
        for state, kept in ((State.DELIVERED, DELIVERED_KEPT), (State.DEAD, DEAD_KEPT)):
            while True:
                with self._database.write(serial=False) as connection:
                    count = connection.execute(
                        "DELETE FROM delivery WHERE seq IN (SELECT seq FROM delivery"
                        " WHERE state = ? AND changed < ? LIMIT ?)",
                        (state, now - kept, MOST_AT_ONCE),
                    ).rowcount
                removed += count
                if count < MOST_AT_ONCE:
                    break
        with self._database.write(serial=False) as connection:
            removed += connection.execute(
                "DELETE FROM delivery WHERE webhook NOT IN (SELECT id FROM webhook)"
            ).rowcount
            connection.execute(
                "DELETE FROM message WHERE created < ? AND NOT EXISTS"
                " (SELECT 1 FROM delivery WHERE delivery.message = message.id)",
                (now - DELIVERED_KEPT,),
            )
        return removed

    def _finish(self, claimed: Claimed, state: State, due: int, said: str) -> bool:
        with self._database.write(serial=False) as connection:
            cursor = connection.execute(
                "UPDATE delivery SET state = ?, due = ?, said = ?, attempts = attempts + 1,"
                " lease = NULL, leased = 0, changed = ? WHERE seq = ? AND lease = ?",
                (state, due, said, self._clock(), claimed.seq, claimed.lease),
            )
            return bool(cursor.rowcount)


def enqueue(connection: Connection, message: str, webhooks: Sequence[str], now: int) -> None:
    """One delivery of `message` for each of `webhooks`, due at once."""
    connection.executemany(
        "INSERT INTO delivery"
        " (message, webhook, state, begun, due, attempts, said, leased, changed)"
        " VALUES (?, ?, 'waiting', ?, ?, 0, '', 0, ?)",
        [(message, webhook, now, now, now) for webhook in webhooks],
    )


def delay(attempt: int) -> int:
    """Milliseconds to wait after the failed attempt number `attempt`, 1 and up; by chance."""
    grown = FIRST_DELAY * int(GROWTH ** min(attempt - 1, 20))
    jitter = 1 + JITTER * random.uniform(-1, 1)  # noqa: S311  no secret
    return round(min(grown, LONGEST_DELAY) * jitter)


def _delivery(row: Row) -> Delivery:
    seq, message, type_, webhook, host, state, *rest = row
    return Delivery(seq, message, type_, webhook, host, State(state), *rest)
