"""Cases with events in a log, for the tests of the record: no more of the desk than that."""

from __future__ import annotations

from pathlib import Path

from egide.bank import Home
from egide.db import Connection, Database
from egide.desk.casebook import Casebook
from egide.desk.events import EventKind
from egide.desk.log_checkpoint import Checkpoint, Checkpoints
from egide.desk.log_key import open_signer, verifiers
from egide.desk.log_verify import Verification, verify
from egide.identity.secret import open_secret
from egide.outbox import Outbox

BEGUN = 1_700_000_000_000
WORDS = "please call me after six"


class Record:
    """The record of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home.path
        self.database: Database = home.database
        secret = open_secret(home.database, home.path)
        outbox = Outbox(home.database, secret)
        self.book = Casebook(home.database, secret, outbox, lambda: BEGUN / 1000)
        self.keys = self.book.keys
        self.log = self.book.log
        self.signer = open_signer(home.database, home.path)
        self.checkpoints = Checkpoints(home.database, self.log)

    def open_case(self, number: str, events: int = 1) -> None:
        """A case with so many events, in one write."""
        told = {"hours": 48, "tier": 10, "missing": [], "pauses": []}
        with self.book.writing() as writing:
            writing.begin(number, "notice", "EU", told, {"words": WORDS}, actor="account:7")
            for seq in range(1, events):
                writing.now = BEGUN + seq
                writing.append(number, EventKind.NOTE, "account:7", {"n": seq})

    def add(
        self,
        connection: Connection,
        number: str,
        seq: int,
        kind: EventKind = EventKind.NOTE,
    ) -> None:
        """One more event of a case, of the number `seq`, in the transaction of `connection`."""
        writing = self.book.within(connection)
        assert len(writing.events(number)) == seq
        writing.now = BEGUN + seq
        writing.append(number, kind, "account:7", {"n": seq})

    def erase(self, number: str) -> None:
        """Erases a case, by one more event."""
        with self.database.write() as connection:
            last = connection.execute(
                "SELECT max(seq) FROM desk_event WHERE number = ?", (number,)
            ).fetchone()[0]
            self.add(connection, number, last + 1, EventKind.ERASED)
        self.database.scrub()

    def sign(self) -> Checkpoint:
        """A checkpoint of the present head."""
        return self.checkpoints.sign(self.signer)

    def change(self, sql: str, *values: object) -> None:
        """What somebody does who can write to the database."""
        with self.database.write() as connection:
            connection.execute(sql, values)

    def verify(self, *outside: str) -> Verification:
        """The log checked, against notes that were kept elsewhere too."""
        named = [(f"file {n}", note) for n, note in enumerate(outside)]
        with self.database.read() as connection:
            kept = self.checkpoints.all(connection)
            return verify(connection, self.keys, verifiers(self.database), kept, named)

    def troubles(self, *outside: str) -> list[str]:
        """What is wrong, a line each."""
        return self.verify(*outside).troubles


def case(number: int) -> str:
    """A case's number."""
    return f"EG-2222-{number:04d}".replace("0", "K").replace("1", "L")


def copy_of(home: Path, to: Path) -> None:
    """A backup of an embedded database, as a copy of its files."""
    for file in home.glob("egide.sqlite*"):
        (to / file.name).write_bytes(file.read_bytes())
