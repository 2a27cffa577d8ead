"""Entries: what a bank's rows are to the rest of the code."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from egide.db import Connection
from egide.errors import EntryNotFound
from egide.fingerprint import Fingerprint
from egide.match import EntryState

VARIABLES: Final = 500
"""How many values one statement names; SQLite's default limit is far higher, old builds' is 999."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be: its fingerprints, and what is known of it.

    `origin` is the id the entry has in the bank it comes from; importing it again changes nothing,
    and once withdrawn here it stays so. `models` stand for the models that the picture names, as
    the registry keeps them: 64 bits each.
    """

    fingerprints: tuple[Fingerprint, ...]
    label: str | None = None
    ref: str | None = None
    origin: str | None = None
    state: EntryState = EntryState.ACTIVE
    models: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the bank holds it. Times are seconds since 1970, UTC."""

    id: str
    state: EntryState
    label: str | None
    ref: str | None
    added: int
    changed: int
    fingerprints: tuple[Fingerprint, ...]


class Added(NamedTuple):
    """What became of a draft: the entry's id, and whether it is new."""

    entry: str
    new: bool


def withdraw_entry(connection: Connection, seq: int) -> None:
    """Erases the fingerprints and models of the entry numbered `seq`, and leaves a tombstone.

    What the index files may still hold of it is noted, for the next process that writes them.
    """
    connection.execute(
        "UPDATE entry SET state = 'withdrawn', label = NULL, ref = NULL, changed = ?"
        " WHERE seq = ? AND state <> 'withdrawn'",
        (int(time.time()), seq),
    )
    connection.execute(
        "INSERT INTO erased (seq, bank, type) SELECT seq, bank, type FROM fingerprint"
        " WHERE entry = ? AND type IN ('pdq', 'local')",
        (seq,),
    )
    connection.execute(f"{ERASE} WHERE entry = ?", (seq,))
    connection.execute("DELETE FROM made_with WHERE entry = ?", (seq,))


ERASE: Final = (
    "UPDATE fingerprint SET type = substr('----------------', 1, length(type)),"
    " mark = zeroblob(length(mark)), value = zeroblob(length(value))"
)
"""Overwrites fingerprints in their places: every part keeps its length, so that nothing moves."""


def mark_of(value: bytes) -> bytes:
    """The eight bytes by which equal fingerprints are found; they tell nothing of the picture."""
    return hashlib.blake2b(value, digest_size=8).digest()


def entry_id(key: str, seq: int) -> str:
    """The id that people see: the bank's key, and the entry's number in the database."""
    return f"{key}-{seq}"


def parse_entry_id(entry: str) -> tuple[str, int]:
    """Key and number of the entry id `entry`; EntryNotFound when it is none."""
    key, _, number = entry.partition("-")
    if not (len(key) == 8 and number.isascii() and number.isdigit() and len(number) < 19):
        raise EntryNotFound(f"{entry!r} is no entry id; ids look like 1f0c9a3e-42")
    return key, int(number)
