"""A bank: a named set of fingerprints with a purpose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from egide.bank.adding import add_drafts
from egide.bank.catalogue import Catalogue
from egide.bank.descriptors import Descriptors
from egide.bank.entry import (
    VARIABLES,
    Added,
    Draft,
    Entry,
    entry_id,
    mark_of,
    parse_entry_id,
    withdraw_entry,
)
from egide.bank.local_index import LocalIndex
from egide.bank.pdq_index import PdqIndex
from egide.bank.standing import Standing
from egide.db import Connection, Database, Row
from egide.errors import EntryNotFound
from egide.fingerprint import (
    DEFAULT_THRESHOLD,
    LEAST_SIMILARITY,
    MAX_THRESHOLD,
    Fingerprint,
    FingerprintType,
)
from egide.match import ALIGNED_SCORE, Alignment, EntryState, Match, Purpose, nearness

if TYPE_CHECKING:
    from egide._kernel import LocalFeatures


class Bank:
    """One bank of a home; get it from `Home.bank`, `Bank.open` or `Bank.create`. Thread-safe."""

    def __init__(self, database: Database, row: Row, folder: Path, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self.number: int = row["id"]
        self.key: str = row["key"]
        self._name: str = row["name"]
        self._purpose = Purpose(row["purpose"])
        self.created: int = row["created"]
        self._pdq = PdqIndex(database, self.number, folder, catalogue)
        self._local = LocalIndex(database, self.number, folder, catalogue)
        self._descriptors = Descriptors(database, self.number)
        self._standing = Standing(database, self.number, self.key, self._name)

    @classmethod
    def open(cls, name: str, home: Path | str | None = None) -> Bank:
        """The bank called `name` in `home` (EGIDE_HOME when None); BankNotFound."""
        from egide.bank.home import Home  # noqa: PLC0415  the home makes banks: no cycle at import

        return Home(home).bank(name)

    @classmethod
    def create(
        cls, name: str, purpose: Purpose | str = Purpose.BLOCK, home: Path | str | None = None
    ) -> Bank:
        """A new bank called `name` in `home`; BankExists."""
        from egide.bank.home import Home  # noqa: PLC0415

        return Home(home).create(name, purpose)

    @property
    def name(self) -> str:
        """The bank's name."""
        return self._name

    @property
    def purpose(self) -> Purpose:
        """What the bank is for."""
        return self._purpose

    # ── adding ──────────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        fingerprints: Iterable[Fingerprint],
        label: str | None = None,
        ref: str | None = None,
    ) -> Added:
        """Adds one entry; on the disk when it returns.

        What is there already, as one entry that holds all these fingerprints under this reference
        (under any, when `ref` is None), is not added twice.
        """
        return self.add_all([Draft(tuple(fingerprints), label, ref)])[0]

    def add_all(self, drafts: Sequence[Draft]) -> list[Added]:
        """Adds entries in one transaction: all of them are on the disk when it returns, or none.

        A tombstone among them withdraws the entry that it names, as `withdraw` does.
        """
        with self._database.write() as connection:
            added = add_drafts(connection, self.number, self.key, drafts)
        if any(draft.state is EntryState.WITHDRAWN for draft in drafts):
            self.erase()
        return added

    # ── looking up ──────────────────────────────────────────────────────────────────────────────

    def lookup(self, fingerprint: Fingerprint, threshold: int = DEFAULT_THRESHOLD) -> list[Match]:
        """Every live entry within `threshold` bits (0..63) of `fingerprint`, nearest first."""
        return self.search([fingerprint], threshold)

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance.

        Exact; digests match when equal, descriptors from `LEAST_SIMILARITY` on. Sees what
        other processes add and withdraw at once.
        """
        if not 0 <= threshold <= MAX_THRESHOLD:
            raise ValueError(f"a threshold lies in 0..{MAX_THRESHOLD} bits, not {threshold}")
        moment = self._standing.moment()
        found: dict[int, list[tuple[int, int]]] = {}
        pdq = [n for n, query in enumerate(queries) if query.type is FingerprintType.PDQ]
        if pdq:
            asked = np.frombuffer(b"".join(queries[n].value for n in pdq), np.uint8)
            hits = self._pdq.search(asked.reshape(-1, 32), threshold, moment)
            for position, seq, distance in zip(
                hits.query.tolist(), hits.seq.tolist(), hits.distance.tolist(), strict=True
            ):
                found.setdefault(seq, []).append((pdq[position], distance))
        rows = self._confirmed(list(found), FingerprintType.PDQ)
        matches = [
            self._match(row, query, distance)
            for row in rows
            for query, distance in found[row["fingerprint"]]
        ]
        for position, query in enumerate(queries):
            if query.type is FingerprintType.SSCD:
                matches += self._similar(query, position)
            elif query.type is not FingerprintType.PDQ:
                matches += [self._match(row, position, 0) for row in self._equal(query)]
        matches.sort(key=nearness)
        return matches

    def align(self, queries: Sequence[LocalFeatures]) -> list[Match]:
        """Every live entry whose picture shares a part with a query, by query, then score.

        The likeliest pictures by an inverted file over their points are compared point by point
        with the query and its mirror image; those count that reach `ALIGNED_SCORE`.
        """
        self._standing.moment()
        matches: list[Match] = []
        for position, features in enumerate(queries):
            candidates = self._local.shortlist(features)
            rows = self._confirmed([c.seq for c in candidates], FingerprintType.LOCAL)
            held = {row["fingerprint"]: row for row in rows}
            found: dict[int, tuple[float, Match]] = {}  # the better face of each picture
            for seq, face, seeds in candidates:
                if seq not in held:
                    continue
                record = held[seq]["value"]
                verified = features.verify(record, face, seeds)
                best = found[seq][0] if seq in found else ALIGNED_SCORE
                if verified is not None and verified[0] >= best:
                    alignment = Alignment.of(features, record, verified, mirrored=face == 1)
                    match = replace(self._match(held[seq], position, 0), alignment=alignment)
                    found[seq] = alignment.score, match
            ranked = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].entry))
            matches += (match for _, match in ranked)
        return matches

    def duration(self, entry: str) -> int | None:
        """How long the frames of the video that `entry` is stand for, in ms; None of a picture."""
        (row,) = self._database.fetch(
            "SELECT sum(span) FROM (SELECT DISTINCT at, span FROM fingerprint"
            " WHERE entry = ? AND type = 'pdq' AND at IS NOT NULL) AS frames",
            (self._seq(entry),),
        )
        duration: int | None = row[0]
        return duration

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        """Whether the bank has any fingerprint of `type`, so that it is worth computing."""
        return type in self.held()

    def held(self) -> frozenset[FingerprintType]:
        """The types that the bank has fingerprints of."""
        return self._standing.held()

    _SELECT: Final = (
        "SELECT f.seq AS fingerprint, f.type, f.edit, f.at, f.span, f.value,"
        " e.seq, e.state, e.label, e.ref FROM fingerprint f JOIN entry e ON e.seq = f.entry"
    )

    def _confirmed(self, seqs: list[int], type_: FingerprintType) -> list[Row]:
        """The fingerprints numbered `seqs` that the database still holds, with their entries."""
        rows: list[Row] = []
        for start in range(0, len(seqs), VARIABLES):
            part = seqs[start : start + VARIABLES]
            marks = ", ".join("?" * len(part))
            rows += self._database.fetch(
                f"{self._SELECT} WHERE f.seq IN ({marks}) AND f.type = ?", (*part, type_)
            )
        return rows

    def _similar(self, query: Fingerprint, position: int) -> list[Match]:
        similar = dict(self._descriptors.search(query.value, LEAST_SIMILARITY))
        return [
            replace(self._match(row, position, 0), similarity=similar[row["fingerprint"]])
            for row in self._confirmed(list(similar), FingerprintType.SSCD)
        ]

    def _equal(self, query: Fingerprint) -> list[Row]:
        return self._database.fetch(
            # The sum keeps the planner from the index by banks: a mark is rarer.
            f"{self._SELECT} WHERE f.mark = ? AND f.value = ? AND f.type = ? AND f.bank + 0 = ?",
            (mark_of(query.value), query.value, query.type, self.number),
        )

    def _match(self, row: Row, query: int, distance: int) -> Match:
        return Match(
            query=query,
            bank=self._name,
            purpose=self._purpose,
            entry=entry_id(self.key, row["seq"]),
            state=EntryState(row["state"]),
            type=FingerprintType(row["type"]),
            distance=distance,
            edit=row["edit"],
            label=row["label"],
            ref=row["ref"],
            at=row["at"],
            span=row["span"],
        )

    # ── entries ─────────────────────────────────────────────────────────────────────────────────

    def entries(self, *, newest_first: bool = False, beyond: str | None = None) -> Iterator[Entry]:
        """Every entry, tombstones included, in the order of adding; streaming.

        With the id `beyond`, those that come after that entry; EntryNotFound for no id of here.
        """
        order = "DESC" if newest_first else "ASC"
        further = "<" if newest_first else ">"
        last = 2**62 if newest_first else 0
        if beyond is not None:
            last = self._seq(beyond)
        while True:
            with self._database.read() as connection:
                rows = connection.execute(
                    f"SELECT * FROM entry WHERE bank = ? AND seq {further} ?"  # noqa: S608
                    f" ORDER BY seq {order} LIMIT 1000",
                    (self.number, last),
                ).fetchall()
                entries = [self._entry(connection, row) for row in rows]
            if not rows:
                return
            yield from entries
            last = rows[-1]["seq"]

    def entry(self, entry: str) -> Entry:
        """The entry with the id `entry`; EntryNotFound."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM entry WHERE bank = ? AND seq = ?",
                (self.number, self._seq(entry)),
            ).fetchone()
            if row is None:
                raise EntryNotFound(f"{entry!r} in bank {self._name!r}; see `egide bank show`")
            return self._entry(connection, row)

    def _entry(self, connection: Connection, row: Row) -> Entry:
        fingerprints = connection.execute(
            "SELECT type, value, quality, edit, at, span FROM fingerprint"
            " WHERE entry = ? AND type NOT LIKE '-%' ORDER BY seq",
            (row["seq"],),
        )
        return Entry(
            id=entry_id(self.key, row["seq"]),
            state=EntryState(row["state"]),
            label=row["label"],
            ref=row["ref"],
            added=row["added"],
            changed=row["changed"],
            fingerprints=tuple(
                Fingerprint(FingerprintType(f["type"]), *tuple(f)[1:]) for f in fingerprints
            ),
        )

    def _seq(self, entry: str) -> int:
        key, seq = parse_entry_id(entry)
        if key != self.key:
            raise EntryNotFound(f"{entry!r} is not of bank {self._name!r}; see `egide bank show`")
        return seq

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    def withdraw(self, entries: Iterable[str]) -> None:
        """Takes entries out of every answer, in every process, from the moment it returns.

        Their fingerprints are erased from the database and the index files; what is left is a
        tombstone with the id and the dates. EntryNotFound when one is not here: then none is.
        StorageError when a file could not be rewritten; doing it again finishes the work.
        """
        with self._database.write() as connection:
            for entry in entries:
                self._change(connection, entry, EntryState.WITHDRAWN)
        self.erase()

    def dispute(self, entries: Iterable[str]) -> None:
        """Marks entries as disputed: they still match, but their matches go to a reviewer."""
        with self._database.write() as connection:
            for entry in entries:
                self._change(connection, entry, EntryState.DISPUTED)

    def restore(self, entries: Iterable[str]) -> None:
        """Ends a dispute. A withdrawn entry has nothing left to restore: EntryNotFound."""
        with self._database.write() as connection:
            for entry in entries:
                self._change(connection, entry, EntryState.ACTIVE)

    def _change(self, connection: Connection, entry: str, state: EntryState) -> None:
        seq = self._seq(entry)
        row = connection.execute(
            "SELECT state FROM entry WHERE bank = ? AND seq = ?", (self.number, seq)
        ).fetchone()
        if row is None:
            raise EntryNotFound(f"{entry!r} in bank {self._name!r}; see `egide bank show`")
        if row["state"] == EntryState.WITHDRAWN:
            if state is EntryState.WITHDRAWN:
                return
            raise EntryNotFound(
                f"{entry!r} was withdrawn, its fingerprints are erased; add it anew"
            )
        if state is EntryState.WITHDRAWN:
            withdraw_entry(connection, seq)
        else:
            connection.execute(
                "UPDATE entry SET state = ?, changed = ? WHERE seq = ?",
                (state, int(time.time()), seq),
            )

    def erase(self) -> None:
        """Takes what was withdrawn out of this machine's index files and the database's log."""
        self.store_index()
        self._database.scrub()

    # ── housekeeping ────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> None:
        """Takes in what was added and withdrawn anywhere, so that the next search need not.

        For processes that stay: called every second or two, it also takes what other machines
        withdrew out of this machine's index files, when nobody searches.
        """
        self._standing.moment()
        self._pdq.refresh()
        self._local.refresh()

    def store_index(self) -> None:
        """Writes what was added into the index files, so that the next process opens quickly."""
        self._pdq.store()
        self._local.store()

    def stats(self) -> dict[str, Any]:
        """Counts: entries by state, fingerprints by type, index files and their bytes."""
        with self._database.read() as connection:
            number = (self.number,)
            states = connection.execute(
                "SELECT state, count(*) FROM entry WHERE bank = ? GROUP BY state", number
            ).fetchall()
            types = connection.execute(
                "SELECT type, count(*), min(quality), avg(quality) FROM fingerprint"
                " WHERE bank = ? AND type NOT LIKE '-%' GROUP BY type",
                number,
            ).fetchall()
        files = self._catalogue.totals()
        return {
            "bank": self._name,
            "purpose": str(self._purpose),
            "created": self.created,
            "entries": {str(state): 0 for state in EntryState} | {row[0]: row[1] for row in states},
            "fingerprints": {row[0]: row[1] for row in types},
            "pdq_quality": {
                "least": next((row[2] for row in types if row[0] == "pdq"), None),
                "mean": next((round(row[3], 1) for row in types if row[0] == "pdq"), None),
            },
            "index": {"files": files[0], "fingerprints": files[1], "bytes": files[2]},
        }
