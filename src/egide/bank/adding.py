"""Adds drafts to a bank: many in one transaction, none of them twice."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from egide.bank.entry import (
    VARIABLES,
    Added,
    Draft,
    entry_id,
    mark_of,
    parse_entry_id,
    withdraw_entry,
)
from egide.db import Connection
from egide.errors import BankNotFound, EntryNotFound
from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import EntryState

_MOST_HOLDERS: Final = 64
"""How many entries with one fingerprint in common are searched for a double of a draft."""

_Key = tuple[FingerprintType, bytes]
_Holders = dict[tuple[_Key, str | None], list[int]]


def add_drafts(connection: Connection, bank: int, key: str, drafts: Sequence[Draft]) -> list[Added]:
    """Adds `drafts` to the bank numbered `bank` within the transaction that `connection` is in.

    BankNotFound when the bank was removed meanwhile.
    """
    if connection.execute("SELECT 1 FROM bank WHERE id = ?", (bank,)).fetchone() is None:
        raise BankNotFound("it was removed while it was being used; `egide bank create` makes it")
    return _Adding(connection, bank, key).run(drafts)


class _Adding:
    def __init__(self, connection: Connection, bank: int, key: str) -> None:
        self.connection = connection
        self.bank = bank
        self.key = key
        self.now = int(time.time())
        self.held: dict[int, frozenset[_Key]] = {}

    def run(self, drafts: Sequence[Draft]) -> list[Added]:
        origins = self._origins(drafts)
        keys = [_keys(draft) for draft in drafts]
        holders = self._holders(held[0] for held in keys if held)
        seq = self.connection.reserve("entry", len(drafts))
        results: list[Added] = []
        entries: list[tuple[object, ...]] = []
        fingerprints: list[tuple[object, ...]] = []
        models: list[tuple[int, int]] = []
        for draft, held in zip(drafts, keys, strict=True):
            known = origins.get(draft.origin) if draft.origin else None
            if known is None and held:
                known = self._double(held, holders.get((held[0], _text(draft.ref)), ()))
            if known is not None:
                if draft.state is EntryState.WITHDRAWN:
                    withdraw_entry(self.connection, known)
                results.append(Added(entry_id(self.key, known), new=False))
                continue
            seq += 1
            if draft.origin:
                origins[draft.origin] = seq
            entries.append(self._entry(seq, draft))
            if held:
                fingerprints += (self._fingerprint(seq, f) for f in draft.fingerprints)
                self.held[seq] = frozenset(held)
            if draft.state is not EntryState.WITHDRAWN:
                models += ((digest, seq) for digest in draft.models)
            for key in held:
                _note(holders, key, _text(draft.ref), seq)
            results.append(Added(entry_id(self.key, seq), new=True))
        self.connection.executemany(
            "INSERT INTO entry (seq, bank, state, label, ref, origin, added, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            entries,
        )
        self.connection.executemany(
            "INSERT INTO fingerprint (entry, bank, type, edit, quality, mark, value, at, span)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            fingerprints,
        )
        self.connection.executemany(
            "INSERT INTO made_with (digest, entry) VALUES (?, ?) ON CONFLICT DO NOTHING", models
        )
        return results

    def _entry(self, seq: int, draft: Draft) -> tuple[object, ...]:
        gone = draft.state is EntryState.WITHDRAWN
        label, ref = (None, None) if gone else (_text(draft.label), _text(draft.ref))
        return seq, self.bank, draft.state, label, ref, draft.origin, self.now, self.now

    def _fingerprint(self, seq: int, f: Fingerprint) -> tuple[object, ...]:
        mark = mark_of(f.value)
        return seq, self.bank, f.type, f.edit, f.quality, mark, f.value, f.at, f.span

    def _origins(self, drafts: Sequence[Draft]) -> dict[str, int]:
        """Which drafts are entries of this bank already, by the ids they come with.

        An id that this bank itself gave counts when either side has withdrawn the entry. Otherwise
        it may be of a copy of this bank that went its own way: the fingerprints decide.
        """
        known: dict[str, int] = {}
        for draft in drafts:
            if not draft.origin:
                continue
            row = self.connection.execute(
                "SELECT seq FROM entry WHERE bank = ? AND origin = ?", (self.bank, draft.origin)
            ).fetchone()
            if row is None and (own := self._own(draft.origin)):
                row = self.connection.execute(
                    "SELECT seq, state FROM entry WHERE bank = ? AND seq = ?", (self.bank, own)
                ).fetchone()
                if row is not None and EntryState.WITHDRAWN not in (row["state"], draft.state):
                    row = None
            if row is not None:
                known[draft.origin] = row[0]
        return known

    def _own(self, origin: str) -> int | None:
        """The number of the entry id `origin` when it is of this bank."""
        try:
            key, number = parse_entry_id(origin)
        except EntryNotFound:
            return None
        return number if key == self.key else None

    def _holders(self, keys: Iterable[_Key]) -> _Holders:
        """Which entries of this bank hold each of `keys`, by their references.

        A picture that comes with another reference is another entry: when one case ends and its
        entry is withdrawn, the other case's stays.
        """
        wanted = set(keys)
        marks = [mark_of(value) for _, value in wanted]
        holders: _Holders = {}
        for start in range(0, len(marks), VARIABLES):
            part = marks[start : start + VARIABLES]
            rows = self.connection.execute(
                # The sum keeps the planner from the index by banks: a mark is rarer.
                "SELECT f.type, f.value, e.ref, e.seq FROM fingerprint f"  # noqa: S608
                " JOIN entry e ON e.seq = f.entry"
                f" WHERE f.mark IN ({', '.join('?' * len(part))}) AND f.bank + 0 = ?"
                " ORDER BY f.seq",
                (*part, self.bank),
            )
            for type_, value, ref, entry in rows:
                if (type_, value) in wanted:
                    _note(holders, (type_, value), ref, entry)
        return holders

    def _double(self, held: Sequence[_Key], entries: Iterable[int]) -> int | None:
        """The first of `entries`, which hold the first of `held`, that holds all of them."""
        if len(held) == 1:
            return next(iter(entries), None)
        for entry in entries:
            if entry not in self.held:
                rows = self.connection.execute(
                    "SELECT type, value FROM fingerprint WHERE entry = ?", (entry,)
                )
                self.held[entry] = frozenset((row[0], row[1]) for row in rows)
            if self.held[entry].issuperset(held):
                return entry
        return None


def _note(holders: _Holders, key: _Key, ref: str | None, entry: int) -> None:
    """Notes that `entry` holds `key`, for drafts with its reference and for those without one."""
    for asked in {ref, None}:
        entries = holders.setdefault((key, asked), [])
        if len(entries) < _MOST_HOLDERS:
            entries.append(entry)


def _keys(draft: Draft) -> list[_Key]:
    """What a draft is known by: its SHA-256 first, then its other fingerprints."""
    if draft.state is EntryState.WITHDRAWN:
        return []
    held = list(dict.fromkeys((f.type, f.value) for f in draft.fingerprints))
    if len(held) > 1:
        held.sort(key=lambda key: key[0] is not FingerprintType.SHA256)
    return held


def _text(text: str | None) -> str | None:
    """`text` as any database can hold it: half surrogate pairs and zeros become question marks."""
    return text and text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")
