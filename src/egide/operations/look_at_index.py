"""The index files of this machine, beside what the database says of them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from egide.bank import Home
from egide.bank.home import FILES_DATABASE, INDEX_FOLDER
from egide.bank.local_index import TAIL_LIMIT as LOCAL_TAIL
from egide.bank.pdq_index import TAIL_LIMIT as PDQ_TAIL
from egide.db.opening import database_url
from egide.operations.lines import Line, ok, warn

_TAILS: Final = {"pdq": PDQ_TAIL, "local": LOCAL_TAIL}
_ANEW: Final = "nothing need be done: it is made anew with the next write to the bank"
_LISTED: Final = "SELECT {bank} AS bank, file, type, high, entries, size, sha256 FROM segment"


class _File(NamedTuple):
    """An index file as it is listed: `bank` is the bank's key."""

    bank: str
    file: str
    type: str
    high: int
    entries: int
    size: int
    sha256: str


def look_at_index(home: Home, *, thorough: bool) -> Iterator[Line]:
    """Whether the files are there and as they were written; `thorough` reads all of them."""
    banks = {bank.key: bank for bank in home.banks()}
    files = list(_files(home))
    size = sum(file.size for file in files)
    yield ok(
        "index",
        f"{len(banks)} banks, {len(files)} files, {size >> 20:,} MiB, "
        f"{sum(file.entries for file in files):,} fingerprints",
    )
    for file in files:
        wrong = _wrong(home.path / INDEX_FOLDER / file.bank / file.file, file, thorough=thorough)
        if wrong:
            name = banks[file.bank].name if file.bank in banks else file.bank
            yield warn("index.damaged", f"a file of bank {name} {wrong}", _ANEW)
    for bank in banks.values():
        for type_, tail in _TAILS.items():
            high = max((f.high for f in files if (f.bank, f.type) == (bank.key, type_)), default=0)
            rows = home.database.fetch(
                "SELECT count(*) FROM fingerprint WHERE bank = ? AND type = ? AND seq > ?",
                (bank.number, type_, high),
            )
            if rows[0][0] >= 2 * tail:
                yield warn(
                    "index.stale",
                    f"{rows[0][0]:,} {type_} fingerprints of bank {bank.name} are in no file: "
                    "processes start slowly",
                    "the next write to the bank writes them",
                )
    if waiting := _waiting(home):
        yield warn(
            "index.erased",
            f"{waiting:,} withdrawn fingerprints may still stand in files of this machine",
            "start the service, or scan something: who opens the bank writes them out",
        )
    folders = home.path / INDEX_FOLDER
    foreign = [path for path in folders.glob("*") if path.name not in banks]
    if foreign:
        yield warn(
            "index.foreign",
            f"{len(foreign)} folders in {folders} are of no bank",
            f"remove them: they hold fingerprints ({foreign[0].name}, …)",
        )


def _files(home: Home) -> Iterator[_File]:
    if database_url() is None:
        sql = _LISTED.format(bank="(SELECT key FROM bank WHERE bank.id = segment.bank)")
        yield from (_File(*row) for row in home.database.fetch(sql))
        return
    with closing(_catalogue(home.path)) as catalogue:
        yield from (_File(*row) for row in catalogue.execute(_LISTED.format(bank="bank")))


def _waiting(home: Home) -> int:
    """How many withdrawn fingerprints this machine has not yet written out of its files."""
    if database_url() is None:
        return int(home.database.fetch("SELECT count(*) FROM erased")[0][0])
    with closing(_catalogue(home.path)) as catalogue:
        followed = catalogue.execute("SELECT bank, type, erased FROM followed").fetchall()
    return sum(
        int(
            home.database.fetch(
                "SELECT count(*) FROM erased WHERE type = ? AND number > ?"
                " AND bank = (SELECT id FROM bank WHERE key = ?)",
                (type_, done, key),
            )[0][0]
        )
        for key, type_, done in followed
    )


def _catalogue(home: Path) -> sqlite3.Connection:
    address = (home / FILES_DATABASE).absolute().as_uri()
    return sqlite3.connect(f"{address}?mode=ro", 5, uri=True)


def _wrong(path: Path, file: _File, *, thorough: bool) -> str:
    """What is wrong with the file at `path`; empty when nothing is."""
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != file.size:
        return "is cut off"
    if thorough:
        with path.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
                return "is damaged"
    return ""
