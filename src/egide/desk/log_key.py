"""The key that signs the log's checkpoints: in a file of its own, beside the server's secret.

Whoever has the database alone can make no checkpoint. All processes and machines on one database
need the same key; the database knows its public half, and refuses another. Keys that the log had
before are vouched for by a digest under the server's secret: a row that somebody put there is none.
"""

from __future__ import annotations

import hmac
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from egide.desk.log_note import Signer, Verifier
from egide.errors import LogError, StorageError, UsageError
from egide.identity.secret import open_secret, write_once

if TYPE_CHECKING:
    from egide.db import Database
    from egide.identity.secret import Secret

KEY_FILE: Final = "log.key"


def log_key_path(home: Path) -> Path:
    """EGIDE_LOG_KEY_FILE, or `log.key` in the home."""
    return Path(os.environ.get("EGIDE_LOG_KEY_FILE") or home / KEY_FILE)


def open_signer(database: Database, home: Path) -> Signer:
    """The key of the log in `database`; made when neither is there yet.

    A new one takes its name from EGIDE_LOG_ORIGIN. StorageError when the file is not there, or is
    not this log's; UsageError when others can read it, or it is no key.
    """
    path = log_key_path(home)
    if not verifiers(database):
        write_once(path, Signer.new(os.environ.get("EGIDE_LOG_ORIGIN", "")).secret_text())
    signer = _read(path)
    if not verifiers(database):
        _add(database, home, signer)
    present = verifiers(database)[-1]  # another machine may have been first, with another file
    if signer.verifier != present:
        raise StorageError(
            f"{path} is not the key of this log, which is {present}; restore that one, name it in "
            "EGIDE_LOG_KEY_FILE, or begin a new one by `egide desk log new-key`"
        )
    if database.fetch("SELECT 1 FROM log_key WHERE text = ? AND vouched IS NULL", (str(present),)):
        _vouch(database, home, present)  # from before keys were vouched for
    return signer


def new_signer(database: Database, home: Path) -> Signer:
    """Another key for the log, when the one it has is lost or known to others; errors as above.

    The file of the former one must have been moved away. What that one signed is checked with it
    as before.
    """
    path = log_key_path(home)
    if path.exists():
        raise UsageError(f"{path} is there; move it to where it is kept, and do this again")
    write_once(path, Signer.new(os.environ.get("EGIDE_LOG_ORIGIN", "")).secret_text())
    _add(database, home, _read(path))
    return open_signer(database, home)


def verifiers(database: Database) -> list[Verifier]:
    """The public keys that the log has had, the present one last."""
    return [
        Verifier.parse(row["text"]) for row in database.fetch("SELECT * FROM log_key ORDER BY seq")
    ]


def known_verifiers(database: Database, home: Path) -> list[Verifier]:
    """The keys that the log has had; LogError when they cannot be.

    The one in this home's file must be among them, and the others vouched for. A home without that
    file takes the database's word for it.
    """
    known = verifiers(database)
    path = log_key_path(home)
    if not path.exists():
        return known
    present = _read(path).verifier
    if present not in known:
        raise LogError(
            f"the database does not know the key in {path}: its keys were replaced, or the file is "
            "another log's"
        )
    secret = open_secret(database, home)
    for row in database.fetch("SELECT text, vouched FROM log_key ORDER BY seq"):
        vouched = hmac.compare_digest(bytes(row["vouched"] or b""), _voucher(secret, row["text"]))
        if not vouched and row["text"] != str(present):
            raise LogError(
                f"nobody who has this home's secret put {row['text']} among the log's keys: it is "
                "not believed; give those that you published by --key"
            )
    return known


def _add(database: Database, home: Path, signer: Signer) -> None:
    text = str(signer.verifier)
    voucher = _voucher(open_secret(database, home), text)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO log_key (text, at, vouched) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (text, int(time.time() * 1000), voucher),
        )


def _vouch(database: Database, home: Path, key: Verifier) -> None:
    voucher = _voucher(open_secret(database, home), str(key))
    with database.write() as connection:
        connection.execute("UPDATE log_key SET vouched = ? WHERE text = ?", (voucher, str(key)))


def _voucher(secret: Secret, key: str) -> bytes:
    """What whoever has the server's secret makes of a public key, and nobody else."""
    return secret.digest("log key", key.encode())


def _read(path: Path) -> Signer:
    try:
        open_to_others = path.stat().st_mode & 0o007
        text = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror}; restore the log's key from a backup, or begin "
            "a new one by `egide desk log new-key`"
        ) from error
    if open_to_others:
        raise UsageError(f"{path} can be read by others; do `chmod 600 {path}`")
    try:
        return Signer.parse(text.decode("ascii"))
    except (UsageError, UnicodeDecodeError):
        raise UsageError(f"{path} is no key of a log; restore it from a backup") from None
