"""EGIDE_HOME: the folder with the database and the index files of all banks."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from egide.bank.bank import Bank
from egide.bank.catalogue import EmbeddedCatalogue, LocalCatalogue, forget_banks
from egide.bank.entry import ERASE, parse_entry_id
from egide.bank.local_index import LocalIndex
from egide.bank.pdq_index import PdqIndex
from egide.db import Database, Row, open_database
from egide.db.opening import DATABASE_FILE, database_url
from egide.errors import (
    AlreadyThere,
    BankExists,
    BankNotFound,
    EntryNotFound,
    StorageError,
    UsageError,
)
from egide.match import Purpose

FILES_DATABASE: Final = "index.sqlite"
FILES_SCHEMA: Final = "index_files"
INDEX_FOLDER: Final = "index"
SUFFIXES: Final = (PdqIndex.suffix, LocalIndex.suffix)
BANK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def default_home() -> Path:
    """EGIDE_HOME, or `egide` in the user's data folder."""
    if home := os.environ.get("EGIDE_HOME"):
        return Path(home)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "egide"


class Home:
    """The banks under one folder, readable by its owner alone. Made when first opened.

    When EGIDE_DATABASE_URL is set the banks are in that database, shared with other homes, and the
    folder has this machine's index files alone.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path) if path is not None else default_home()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files = self._open_files()
            self._database = open_database(self.path)
            if self._files is not None:
                self._remove_folders()  # of banks that another machine removed
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror}; give another --home") from error

    @property
    def database(self) -> Database:
        """Where the banks are kept, for what else belongs beside them."""
        return self._database

    def _open_files(self) -> Database | None:
        """The catalogue of the index files, where it is not in the same database as the banks."""
        if database_url() is None:
            self._refuse_lost_database()
            return None
        from egide.db.sqlite import SqliteDatabase  # noqa: PLC0415  SQLite's homes need it not

        return SqliteDatabase(self.path / FILES_DATABASE, FILES_SCHEMA)

    def _refuse_lost_database(self) -> None:
        """An index without its database is a home that was damaged, and no new one."""
        database, index = self.path / DATABASE_FILE, self.path / INDEX_FOLDER
        lost = not database.exists() or database.stat().st_size == 0
        if lost and (self.path / FILES_DATABASE).exists():
            raise StorageError(
                f"{self.path} has the index files of banks that are in PostgreSQL; set "
                "EGIDE_DATABASE_URL, or give another --home"
            )
        if lost and any(next(index.glob(f"*/*{suffix}"), None) for suffix in SUFFIXES):
            raise StorageError(
                f"{database} is missing or empty, but {index} is there; restore it from a backup, "
                "or remove both to begin anew"
            )

    def banks(self) -> list[Bank]:
        """All banks, by name."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM bank ORDER BY name").fetchall()
        return [self._bank(row) for row in rows]

    def bank(self, name: str) -> Bank:
        """The bank called `name`; BankNotFound."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM bank WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise BankNotFound(
                f"{name!r} in {self.path}; `egide bank list` shows what is there, "
                f"`egide bank create {name} --purpose block` makes it"
            )
        return self._bank(row)

    def create(self, name: str, purpose: Purpose | str = Purpose.BLOCK) -> Bank:
        """A new bank; BankExists, UsageError for a name or purpose that cannot be."""
        if not BANK_NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be a bank's name; use up to 64 lower-case letters, digits, "
                "dots, hyphens and underscores, beginning with a letter or digit"
            )
        if purpose not in list(Purpose):
            raise UsageError(f"{purpose!r} is no purpose; use {', '.join(Purpose)}")
        try:
            with self._database.write() as connection:
                connection.execute(
                    "INSERT INTO bank (key, name, purpose, created) VALUES (?, ?, ?, ?)",
                    (secrets.token_hex(4), name, purpose, int(time.time())),
                )
        except AlreadyThere:
            raise BankExists(f"{name!r} in {self.path}; add to it, or take another name") from None
        return self.bank(name)

    def remove(self, name: str) -> None:
        """Removes a bank with its entries, fingerprints and files; BankNotFound.

        The database is written anew without them, which takes a while for a large one.
        """
        bank = self.bank(name)
        with self._database.write() as connection:
            connection.execute(f"{ERASE} WHERE bank = ?", (bank.number,))
            connection.execute("DELETE FROM fingerprint WHERE bank = ?", (bank.number,))
            connection.execute("DELETE FROM bank WHERE id = ?", (bank.number,))
        self._remove_folders()
        self._database.scrub(removed=True)

    def _remove_folders(self) -> None:
        """Removes the index files that belong to no bank: of this one, or left by a crash."""
        # Listed before the banks are: a bank is there before its folder is.
        folders = list((self.path / INDEX_FOLDER).glob("*"))
        kept = {bank.key for bank in self.banks()}
        for folder in folders:
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        if self._files is not None:
            forget_banks(self._files, kept)

    def bank_of(self, entry: str) -> Bank:
        """The bank that the entry id `entry` belongs to; EntryNotFound."""
        key, _ = parse_entry_id(entry)
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM bank WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise EntryNotFound(f"{entry!r} in {self.path}; `egide bank show NAME` lists ids")
        return self._bank(row)

    def by_bank(self, entries: Iterable[str]) -> list[tuple[Bank, list[str]]]:
        """`entries` by the banks they belong to; EntryNotFound before anything is changed."""
        grouped: dict[str, tuple[Bank, list[str]]] = {}
        for entry in entries:
            bank = self.bank_of(entry)
            bank = grouped.setdefault(bank.key, (bank, []))[0]
            bank.entry(entry)
            grouped[bank.key][1].append(entry)
        return list(grouped.values())

    def close(self) -> None:
        """Closes this thread's connection to the database."""
        self._database.close()
        if self._files is not None:
            self._files.close()

    def _bank(self, row: Row) -> Bank:
        number, key = row["id"], row["key"]
        catalogue = (
            EmbeddedCatalogue(self._database, number)
            if self._files is None
            else LocalCatalogue(self._database, self._files, number, key)
        )
        return Bank(self._database, row, self._folder(key), catalogue)

    def _folder(self, key: str) -> Path:
        return self.path / INDEX_FOLDER / key
