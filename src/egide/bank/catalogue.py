"""The catalogue of a bank's index files: which there are, and what must be written out of them.

With SQLite it lies in the same file as the bank. PostgreSQL is shared by machines, each of which
has index files of its own: there it is a small SQLite file in the home, which notes of which moment
of the database the files are. Files that are of no past of the present database, because a backup
was put in its place or another one is used, are not believed.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from egide.bank.segment import SegmentFile
from egide.db import Database, Moment
from egide.fingerprint import FingerprintType

_COLUMNS: Final = ", ".join(SegmentFile._fields)
_INSERT: Final = f"INSERT INTO segment (bank, type, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_LISTED: Final = f"SELECT {_COLUMNS} FROM segment WHERE bank = ? AND type = ? ORDER BY low"  # noqa: S608
_TOTALS: Final = (
    "SELECT count(*), coalesce(sum(entries), 0), coalesce(sum(size), 0) FROM segment WHERE bank = ?"
)


class Erased(NamedTuple):
    """Withdrawn fingerprints that may still stand in a file, and how far their list was read."""

    seqs: list[int]
    number: int = 0


class Catalogue(ABC):
    """The index files of one bank on this machine. Thread-safe."""

    def __init__(self, database: Database, files: Database, bank: int | str) -> None:
        self._database = database
        self._files = files
        self._bank = bank

    def listed(self, type_: FingerprintType) -> tuple[SegmentFile, ...]:
        """The files of one type, in the order of what they cover."""
        return tuple(SegmentFile(*row) for row in self._files.fetch(_LISTED, (self._bank, type_)))

    def restamp(self, moved: Collection[SegmentFile]) -> None:
        """Notes that files which were moved or copied here have been verified."""
        with self._files.write() as connection:
            connection.executemany(
                "UPDATE segment SET stamp = ? WHERE file = ?",
                [(known.stamp, known.file) for known in moved],
            )

    def totals(self) -> tuple[int, int, int]:
        """How many files there are of all types, with how many fingerprints and bytes."""
        (row,) = self._files.fetch(_TOTALS, (self._bank,))
        return row[0], row[1], row[2]

    @abstractmethod
    def verify(self, type_: FingerprintType) -> None:
        """Forgets the files that are of no past of the present database."""

    @abstractmethod
    def erased(self, type_: FingerprintType) -> Erased:
        """What was withdrawn and may still stand in a file."""

    @abstractmethod
    def behind(self, type_: FingerprintType, *, opening: bool) -> bool:
        """Whether the files must be rewritten; `opening` when they are read for the first time."""

    @abstractmethod
    def replace(
        self,
        type_: FingerprintType,
        gone: Collection[str],
        made: Sequence[SegmentFile],
        erased: Erased,
        moment: Moment,
    ) -> None:
        """Puts the files `made` in the place of those `gone`, all at once.

        They hold none of `erased`, and all that had been added at `moment`.
        """

    def _exchange(
        self,
        connection: Any,
        type_: FingerprintType,
        gone: Collection[str],
        made: Sequence[SegmentFile],
    ) -> None:
        connection.executemany("DELETE FROM segment WHERE file = ?", [(file,) for file in gone])
        connection.executemany(_INSERT, [(self._bank, type_, *known) for known in made])


class EmbeddedCatalogue(Catalogue):
    """Within the database that holds the bank."""

    def __init__(self, database: Database, bank: int) -> None:
        super().__init__(database, database, bank)

    def verify(self, type_: FingerprintType) -> None:
        """Nothing to do: files and bank are of one database, and of one moment."""

    def erased(self, type_: FingerprintType) -> Erased:
        """What was withdrawn since files were last written."""
        rows = self._database.fetch(
            "SELECT seq FROM erased WHERE bank = ? AND type = ?", (self._bank, type_)
        )
        return Erased([row[0] for row in rows])

    def behind(self, type_: FingerprintType, *, opening: bool) -> bool:
        """Only who opens a bank cleans up after a process that was killed; others do so at once."""
        return opening and bool(self.erased(type_).seqs)

    def replace(
        self,
        type_: FingerprintType,
        gone: Collection[str],
        made: Sequence[SegmentFile],
        erased: Erased,
        moment: Moment,  # noqa: ARG002
    ) -> None:
        """In one transaction with what need no longer be erased."""
        with self._database.write() as connection:
            self._exchange(connection, type_, gone, made)
            connection.executemany(
                "DELETE FROM erased WHERE seq = ?", [(seq,) for seq in erased.seqs]
            )


class LocalCatalogue(Catalogue):
    """In a file of this machine, `files`; the bank is in a database that machines share.

    What is withdrawn is listed there for all of them, with running numbers, and each machine notes
    how far it has followed.
    """

    def __init__(self, database: Database, files: Database, number: int, key: str) -> None:
        super().__init__(database, files, key)
        self._number = number

    def verify(self, type_: FingerprintType) -> None:
        """One look at the database for each change there."""
        moment, _ = self._followed(type_)
        if moment and not self._database.follows(moment):
            with self._files.write() as connection:
                for table in ("segment", "followed"):
                    connection.execute(
                        f"DELETE FROM {table} WHERE bank = ? AND type = ?",  # noqa: S608
                        (self._bank, type_),
                    )

    def erased(self, type_: FingerprintType) -> Erased:
        """What any machine has withdrawn since files were last written here."""
        _, done = self._followed(type_)
        rows = self._database.fetch(
            "SELECT seq, number FROM erased WHERE bank = ? AND type = ? AND number > ?"
            " ORDER BY number",
            (self._number, type_, done),
        )
        return Erased([row[0] for row in rows], rows[-1][1] if rows else done)

    def behind(self, type_: FingerprintType, *, opening: bool) -> bool:  # noqa: ARG002
        """Each machine rewrites its files when it sees that another has withdrawn something."""
        return bool(self.erased(type_).seqs)

    def replace(
        self,
        type_: FingerprintType,
        gone: Collection[str],
        made: Sequence[SegmentFile],
        erased: Erased,
        moment: Moment,
    ) -> None:
        """In one transaction with how far the files now follow."""
        with self._files.write() as connection:
            self._exchange(connection, type_, gone, made)
            connection.execute(
                "INSERT INTO followed (bank, type, moment, erased) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (bank, type) DO UPDATE"
                " SET moment = excluded.moment, erased = excluded.erased",
                (self._bank, type_, json.dumps(moment), erased.number),
            )

    def _followed(self, type_: FingerprintType) -> tuple[Moment, int]:
        """The moment that the files are of, none when there are no files, and the last number."""
        rows = self._files.fetch(
            "SELECT moment, erased FROM followed WHERE bank = ? AND type = ?", (self._bank, type_)
        )
        return (tuple(json.loads(rows[0][0])), rows[0][1]) if rows else ((), 0)


def forget_banks(files: Database, kept: Collection[str]) -> None:
    """Drops the files of banks whose keys are not among `kept` from a machine's catalogue."""
    held = {row[0] for row in files.fetch("SELECT bank FROM followed")}
    gone = [(key,) for key in held.difference(kept)]
    if gone:
        with files.write() as connection:
            connection.executemany("DELETE FROM segment WHERE bank = ?", gone)
            connection.executemany("DELETE FROM followed WHERE bank = ?", gone)
