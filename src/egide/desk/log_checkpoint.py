"""Checkpoints: signed heads of the log (C2SP tlog-checkpoint), to be kept elsewhere too."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from egide.desk.log_note import Signer, Verifier, split, unbase64
from egide.desk.log_tree import HASH_BYTES, extends
from egide.errors import LogError

if TYPE_CHECKING:
    from egide.db import Connection, Database
    from egide.desk.log import Log

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root, of 32 bytes, that a log called `origin` had at `size` leaves; the signed note."""

    origin: str
    size: int
    root: bytes
    note: str

    @classmethod
    def parse(cls, note: str) -> Self:
        """What the note says, whoever signed it; LogError when it is no checkpoint."""
        text, _ = split(note)
        lines = text.split("\n")[:-1]
        if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
            raise LogError("this is no checkpoint of a log; give the file as it was written")
        root = unbase64(lines[2])
        if len(root) != HASH_BYTES:
            raise LogError("this is no checkpoint of a log: its root is not of 32 bytes")
        return cls(lines[0], int(lines[1]), root, note)

    @classmethod
    def opened(cls, note: str, keys: Sequence[Verifier]) -> Self:
        """What the note says, when one of these keys signed it for its own log; LogError."""
        checkpoint = cls.parse(note)
        if not any(key.name == checkpoint.origin and key.signed(note) for key in keys):
            raise LogError(
                f"the checkpoint of {checkpoint.size} leaves is not signed by the key of this log"
            )
        return checkpoint


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as the database has it: its number there, and when it was signed, in ms."""

    seq: int
    at: int
    note: str


class Checkpoints:
    """Those that were signed of the log in `database`. `clock`: seconds since 1970, UTC."""

    def __init__(
        self, database: Database, log: Log, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    def sign(self, signer: Signer) -> Checkpoint:
        """The head as it is now, signed: the last checkpoint, when nothing came since.

        LogError when the log does not go on from the last one: two that contradict one another are
        never signed.
        """
        with self._database.write() as connection:
            size = self._log.size(connection)
            root = self._log.root(connection, size)
            last = self._last(connection)
            if last is not None:
                self._require(connection, last, size, root)
                if last.size == size and signer.verifier.signed(last.note):
                    return last
            head = base64.b64encode(root).decode()
            note = signer.sign(f"{signer.verifier.name}\n{size}\n{head}\n")
            connection.execute(
                "INSERT INTO log_checkpoint (size, at, note) VALUES (?, ?, ?)",
                (size, int(self._clock() * 1000), note),
            )
        return Checkpoint.parse(note)

    def due(self, seconds: float) -> bool:
        """Whether leaves came since the last checkpoint, and that is older than `seconds`."""
        rows = self._database.fetch("SELECT size, at FROM log_checkpoint ORDER BY seq DESC LIMIT 1")
        if rows and self._clock() * 1000 - rows[0]["at"] < seconds * 1000:
            return False
        with self._database.read() as connection:
            return self._log.size(connection) > (rows[0]["size"] if rows else 0)

    def all(self, connection: Connection) -> list[Kept]:
        """All of them, in the order in which they were signed."""
        rows = connection.execute("SELECT seq, at, note FROM log_checkpoint ORDER BY seq")
        return [Kept(*row) for row in rows.fetchall()]

    def _last(self, connection: Connection) -> Checkpoint | None:
        row = connection.execute(
            "SELECT note FROM log_checkpoint ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return None if row is None else Checkpoint.parse(row["note"])

    def _require(self, connection: Connection, last: Checkpoint, size: int, root: bytes) -> None:
        if last.size > size:
            raise LogError(
                f"the log has {size} leaves, and a checkpoint was signed of {last.size}; nothing "
                "is signed, `egide desk log verify` tells what is wrong"
            )
        path = self._log.consistency(connection, last.size, size)
        if not extends(last.size, last.root, size, root, path):
            raise LogError(
                f"the log does not go on from the checkpoint of {last.size} leaves; nothing is "
                "signed, `egide desk log verify` tells what is wrong"
            )


def to_json(kept: Kept) -> dict[str, Any]:
    """One line of `egide desk log checkpoints`."""
    checkpoint = Checkpoint.parse(kept.note)
    return {"seq": kept.seq, "at": kept.at, "size": checkpoint.size, "root": checkpoint.root.hex()}
