"""Banks of realistic hashes, kept in the cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from benchmarks import hashes
from benchmarks.timing import clock_seconds
from egide.bank import Bank, Draft, Home
from egide.bank.entry import mark_of
from egide.db.opening import DATABASE_FILE
from egide.db.scripts import scripts
from egide.fingerprint import Fingerprint, FingerprintType

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.results import Settings

NAME: Final = "known"
MOST_ADDED: Final = 1_000_000
_BATCH: Final = 20_000


def path(settings: Settings, count: int) -> Path:
    """The folder of the home with `count` entries; another one when the tables are others."""
    tables = hashlib.sha256("".join(script.text for script in scripts()).encode()).hexdigest()
    return settings.cache / f"home-{count}-{tables[:8]}"


def home(settings: Settings, count: int) -> tuple[Home, float, float]:
    """A home with one block bank of `count` entries; seconds that adding and indexing took.

    Up to a million are added as `egide bank import` does; more are put into the tables with their
    indices made afterwards, since searching is what is measured: their seconds of adding are 0.
    """
    folder = path(settings, count)
    note = folder / "made.json"
    if not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
        bank = Home(folder).create(NAME)
        known = hashes.bank_hashes(settings, hashes.REALISTIC, count)
        if count <= MOST_ADDED:
            adding = clock_seconds(lambda: _add(bank, known))
        else:
            adding = 0.0
            _insert(folder / DATABASE_FILE, bank.number, known)
            bank = Home(folder).bank(NAME)
        made = {"adding": adding, "storing": clock_seconds(bank.store_index)}
        note.write_text(json.dumps(made), encoding="utf-8")
    made = json.loads(note.read_text(encoding="utf-8"))
    return Home(folder), made["adding"], made["storing"]


def _add(bank: Bank, known: NDArray[np.uint8]) -> None:
    for at in range(0, len(known), _BATCH):
        rows = (row.tobytes() for row in known[at : at + _BATCH])
        bank.add_all([Draft((Fingerprint(FingerprintType.PDQ, row),)) for row in rows])


def _insert(database: Path, bank: int, known: NDArray[np.uint8]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA cache_size = -1048576")
        indices = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indices:
            connection.execute(f"DROP INDEX {name}")
        connection.executemany(
            "INSERT INTO entry (seq, bank, added, changed) VALUES (?, ?, 0, 0)",
            ((seq, bank) for seq in range(1, len(known) + 1)),
        )
        connection.executemany(
            "INSERT INTO fingerprint (seq, entry, bank, type, mark, value)"
            " VALUES (?, ?, ?, 'pdq', ?, ?)",
            (
                (seq, seq, bank, mark_of(value), value)
                for seq, value in enumerate(map(bytes, known), 1)
            ),
        )
        for _, statement in indices:
            connection.execute(statement)
