"""The cases of one database: how events are written, and how they are read.

Whatever happens to a case is one serial write: its events, their commitments in the log, what they
change in banks, and what they tell others, all of it or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egide.desk.case_keys import CaseKeys
from egide.desk.events import Event, EventKind, written
from egide.desk.fold import CaseState, Folded, begun, fold, step
from egide.desk.log import Log
from egide.desk.log_event import append_event
from egide.desk.numbers import number_of
from egide.errors import AlreadyThere, CaseErased, CaseNotFound

if TYPE_CHECKING:
    from egide.db import Connection, Database, Row
    from egide.identity import Secret
    from egide.outbox import Outbox


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as its row has it: what is not of its events, and the fold of those."""

    number: str
    kind: str
    jurisdiction: str
    content_id: str | None
    opened: int
    state: CaseState
    deadline: int
    paused: int | None
    tier: int
    claimant: str | None
    claimed: int | None
    pending: int | None
    effective: int | None
    deciders: tuple[str, ...]
    found: int
    untold: int
    joined: str | None
    version: int

    @classmethod
    def of(cls, row: Row) -> CaseRow:
        """The case that a row of `desk_case` is."""
        values = {name: row[name] for name in cls.__slots__}
        values["state"] = CaseState(values["state"])
        values["deciders"] = tuple(values["deciders"].split())
        return cls(**values)


class Casebook:
    """The cases of `database`. Thread-safe; `clock` gives seconds since 1970, UTC."""

    def __init__(
        self, database: Database, secret: Secret, outbox: Outbox, clock: Callable[[], float]
    ) -> None:
        self.database = database
        self.secret = secret
        self.outbox = outbox
        self.keys = CaseKeys(secret, clock)
        self.log = Log()
        self._clock = clock
        self.lingers = True
        """Whether something erased may stand in the database's log: also what was erased by a
        process that ended before it could scrub."""

    def now(self) -> int:
        """The time in milliseconds since 1970, UTC."""
        return int(self._clock() * 1000)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A serial write on the cases: committed when the block ends, or not at all."""
        with self.database.write() as connection:
            yield self.within(connection)

    def within(self, connection: Connection) -> Writing:
        """The same in a serial write that somebody else has begun."""
        return Writing(self, connection)

    def scrub(self) -> None:
        """`Database.scrub`, once an erasure is committed; StorageError.

        What failed is done again by `Upkeep`, for `lingers` says so.
        """
        self.lingers = False  # before: what another thread fails to do meanwhile counts
        try:
            self.database.scrub()
        except BaseException:
            self.lingers = True
            raise

    def row(self, number: str) -> CaseRow:
        """The case with this number; CaseNotFound."""
        rows = self.database.fetch("SELECT * FROM desk_case WHERE number = ?", (number,))
        if not rows:
            raise not_found(number)
        return CaseRow.of(rows[0])

    def events(self, number: str) -> list[Event]:
        """The events of a case, in their order."""
        rows = self.database.fetch(_EVENTS, (number,))
        return [_event(row) for row in rows]

    @contextmanager
    def reading(self) -> Iterator[Writing]:
        """All that is read in the block is of one moment; nothing is written."""
        with self.database.read() as connection:
            yield self.within(connection)


class Writing:
    """A transaction on the cases: a serial write, or a read in which nothing is changed."""

    def __init__(self, book: Casebook, connection: Connection) -> None:
        self.book = book
        self.connection = connection
        self.now = book.now()
        self._read: dict[str, list[Event]] = {}
        self._folded: dict[str, Folded] = {}

    def begin(
        self,
        number: str,
        kind: str,
        jurisdiction: str,
        data: Mapping[str, Any],
        personal: Mapping[str, Any] | None = None,
        *,
        actor: str,
        pin: bytes | None = None,
        origin: bytes | None = None,
        content_id: str | None = None,
    ) -> Folded:
        """A new case, with its first event; AlreadyThere when the number is taken."""
        taken = self.connection.execute(
            "INSERT INTO desk_case (number, kind, jurisdiction, pin, origin, content_id, opened,"
            ' version, state, deadline, "tier", deciders, found, untold)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 'open', 0, 0, '', 0, 0)"
            " ON CONFLICT (number) DO NOTHING",
            (number, kind, jurisdiction, pin, origin, content_id, self.now),
        )
        if taken.rowcount != 1:
            raise AlreadyThere(f"case {number}")
        self.book.keys.make(self.connection, number)
        return self.append(number, EventKind.RECEIVED, actor, data, personal)

    def append(
        self,
        number: str,
        kind: EventKind,
        actor: str,
        data: Mapping[str, Any] | None = None,
        personal: Mapping[str, Any] | None = None,
    ) -> Folded:
        """One more event, and the state after it. `personal` is sealed; CaseErased."""
        events = self.events(number)
        before = self._fold(number) if events else None
        seq = len(events)
        sealed = None
        if personal:
            plain = written(personal).encode()
            sealed = self.book.keys.seal(self.connection, number, plain)
        event = Event(number, seq, self.now, kind, actor, written(data or {}), sealed)
        self.connection.execute(
            "INSERT INTO desk_event (number, seq, at, kind, actor, data, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, seq, event.at, event.kind, actor, event.data, sealed),
        )
        append_event(self.connection, self.book.keys, self.book.log, event)
        events.append(event)
        after = begun(event) if before is None else step(before, event)
        self._folded[number] = after
        self.set(number, **columns_of(after))
        return after

    def case(self, number: str) -> tuple[CaseRow, Folded]:
        """The case as it stands in this transaction; CaseNotFound."""
        row = self.connection.execute(
            "SELECT * FROM desk_case WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            raise not_found(number)
        return CaseRow.of(row), self._fold(number)

    def tell(self, event: str, told: Mapping[str, Any]) -> None:
        """Writes a message to webhooks, sent if this write is committed."""
        self.book.outbox.enqueue(self.connection, event, told)

    def set(self, number: str, **columns: int | str | bytes | None) -> None:
        """Changes columns of a case that are not of its fold."""
        setting = ", ".join(f"{name} = ?" for name in columns)
        self.connection.execute(
            f"UPDATE desk_case SET {setting} WHERE number = ?",  # noqa: S608  names of ours
            (*columns.values(), number),
        )

    def personal(self, number: str) -> dict[int, dict[str, Any]]:
        """What is personal in a case, by the number of the event; CaseErased."""
        key = self.book.keys.key(self.connection, number)
        return {
            event.seq: json.loads(key.open(event.sealed))
            for event in self.events(number)
            if event.sealed is not None
        }

    def keep_prints(self, number: str, prints: list[dict[str, Any]]) -> None:
        """Seals fingerprints that came with a notice, in the place of those kept so far."""
        sealed = self.book.keys.seal(self.connection, number, json.dumps(prints).encode())
        self.connection.execute(
            "INSERT INTO desk_print (number, sealed) VALUES (?, ?)"
            " ON CONFLICT (number) DO UPDATE SET sealed = excluded.sealed",
            (number, sealed),
        )

    def prints(self, number: str) -> list[dict[str, Any]]:
        """The fingerprints that came with a notice; none when they are gone."""
        row = self.connection.execute(
            "SELECT sealed FROM desk_print WHERE number = ?", (number,)
        ).fetchone()
        if row is None or not any(bytes(row["sealed"])):
            return []
        plain = self.book.keys.open(self.connection, number, bytes(row["sealed"]))
        found: list[dict[str, Any]] = json.loads(plain)
        return found

    def forget_prints(self, number: str) -> None:
        """Overwrites the fingerprints that came with a notice."""
        self.connection.execute(
            "UPDATE desk_print SET sealed = zeroblob(length(sealed)) WHERE number = ?", (number,)
        )

    def events(self, number: str) -> list[Event]:
        """The events of a case, in their order; read once, for nobody else adds to them."""
        if number not in self._read:
            rows = self.connection.execute(_EVENTS, (number,)).fetchall()
            self._read[number] = [_event(row) for row in rows]
        return self._read[number]

    def _fold(self, number: str) -> Folded:
        """The state after all events: of a case with very many they are gone through once."""
        if number not in self._folded:
            self._folded[number] = fold(self.events(number))
        return self._folded[number]


def columns_of(folded: Folded) -> dict[str, int | str | None]:
    """What a case's row has of the fold of its events, by the names of its columns."""
    return {
        "version": folded.version,
        "state": str(folded.state),
        "deadline": folded.deadline,
        "paused": folded.paused,
        "tier": folded.tier,
        "claimant": folded.claimant,
        "claimed": folded.claimed,
        "pending": folded.pending,
        "effective": folded.effective,
        "deciders": " ".join(folded.deciders),
        "found": len(folded.copies),
        "untold": folded.untold,
    }


_EVENTS: Final = "SELECT * FROM desk_event WHERE number = ? ORDER BY seq"


def not_found(text: str) -> CaseNotFound:
    """The error that says nothing of what else there is."""
    return CaseNotFound(f"{number_of(text) or 'this number'}; look at the number again")


def _event(row: Row) -> Event:
    sealed = None if row["sealed"] is None else bytes(row["sealed"])
    return Event(
        row["number"],
        row["seq"],
        row["at"],
        EventKind(row["kind"]),
        row["actor"],
        row["data"],
        sealed,
    )


__all__ = ["CaseErased", "CaseRow", "Casebook", "Writing", "not_found"]
