"""The server's secret: what keyed digests are keyed with, and what is encrypted is encrypted by.

It is kept outside the database, so that a copy of the database alone opens nothing: 32 random
bytes, hexadecimal, in `secret.key` in the home, or in the file that EGIDE_SECRET_FILE names. All
processes and machines on one database need the same one.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from egide.db import Database
from egide.errors import StorageError, UsageError

SECRET_FILE: Final = "secret.key"  # noqa: S105  a file's name
SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Secret:
    """The secret `value`, of 32 bytes; what is made of it is told apart by a purpose."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def digest(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 of `message`, 32 bytes, under a key of its own for `purpose`."""
        return hmac.digest(self._derived(purpose), message, "sha256")

    def commitment(self, text: str) -> str:
        """16 hexadecimal digits that stand for `text` and do not tell it; empty for none."""
        return self.digest("commitment", text.encode())[:8].hex() if text else ""

    def encrypt(self, purpose: str, plain: bytes) -> bytes:
        """AES-256-GCM of `plain` for `purpose`: a nonce of 12 bytes, then the ciphertext."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  slow, rare

        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self._derived(purpose)).encrypt(nonce, plain, purpose.encode())
        return nonce + sealed

    def decrypt(self, purpose: str, sealed: bytes) -> bytes:
        """What `encrypt` was given for the same purpose; StorageError."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow, rare
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self._derived(purpose)).decrypt(nonce, body, purpose.encode())
        except InvalidTag:
            raise StorageError(
                f"a {purpose} does not open with this secret; restore the one it was made with"
            ) from None

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._value, b"egide " + purpose.encode(), "sha256")


def open_secret(database: Database, home: Path) -> Secret:
    """The secret that belongs to `database`; made when neither is there yet. StorageError.

    `home` is the folder of `secret.key`; EGIDE_SECRET_FILE wins over it.
    """
    path = Path(os.environ.get("EGIDE_SECRET_FILE") or home / SECRET_FILE)
    rows = database.fetch("SELECT digest FROM secret_check")
    if not rows:
        write_once(path, secrets.token_hex(SECRET_BYTES))
    secret = Secret(_read(path))
    check = _check(secret)
    if not rows:
        with database.write() as connection:
            connection.execute(
                "INSERT INTO secret_check (id, digest) VALUES (1, ?) ON CONFLICT DO NOTHING",
                (check,),
            )
            # Read back: another process may have been first, on a machine with another file.
            rows = connection.execute("SELECT digest FROM secret_check").fetchall()
    if not hmac.compare_digest(check, bytes(rows[0]["digest"])):
        raise StorageError(
            f"{path} is not the secret that this database's keys were made with; restore that "
            "one, or name it in EGIDE_SECRET_FILE"
        )
    return secret


def check_of(path: Path) -> bytes:
    """What a database knows the secret in the file at `path` by; UsageError, StorageError."""
    return _check(Secret(_read(path)))


def write_once(path: Path, text: str) -> None:
    """Makes a file of its owner's alone with this line, whole at once, unless there is one.

    StorageError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if path.exists():
            return
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(part, path)  # unlike a rename, never replaces what another process made
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def _check(secret: Secret) -> bytes:
    return secret.digest("check", b"egide")


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; the secret is a file")
        if path.stat().st_mode & 0o007:
            raise UsageError(f"{path} can be read by others; do `chmod 600 {path}`")
        text = path.read_text(encoding="ascii").strip()
        value = bytes.fromhex(text)
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror}; without the secret no key opens anything: "
            "restore it from a backup"
        ) from error
    except ValueError:
        value = b""
    if len(value) < SECRET_BYTES:
        raise UsageError(
            f"{path} is no secret: it takes at least {2 * SECRET_BYTES} hexadecimal digits"
        )
    return value
