"""Whether a secret belongs to a copied database: one without the other opens nothing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from egide.db.opening import DATABASE_FILE
from egide.errors import StorageError
from egide.identity.secret import check_of

_COPIED: Final = re.compile(rb"\\\\x([0-9a-f]{64})\n")
_MOST_COPIED: Final = 1 << 10
_TABLE: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'secret_check'"


def belongs(folder: Path, secret: Path) -> bool:
    """Whether the database that was copied into `folder` works with the secret in a file.

    True without a secret for one that has never had any. UsageError, StorageError for a file that
    is there and holds none.
    """
    check = _check_in(folder)
    return check is None or (secret.exists() and check_of(secret) == check)


def _check_in(folder: Path) -> bytes | None:
    """The digest that the copied database knows its secret by."""
    copied = folder / "secret_check.copy"
    if copied.exists():
        with copied.open("rb") as file:
            row = file.read(_MOST_COPIED)
        if not row:
            return None
        if not (found := _COPIED.search(row)):
            raise StorageError("the table secret_check is not as égide writes it")
        return bytes.fromhex(found[1].decode())
    database = folder / DATABASE_FILE
    if not database.exists():
        return None
    uri = database.absolute().as_uri() + "?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as opened:
            if not opened.execute(_TABLE).fetchone():  # of before there were secrets
                return None
            held = opened.execute("SELECT digest FROM secret_check").fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"{database}: {error}; see docs/how-to/repair.md") from error
    return bytes(held[0]) if held else None
