"""Stable names for people and accounts that do not tell who they are.

HMAC-SHA-256 (RFC 2104) under a key that stays in the home: the same person has the same pseudonym
in every audit made there, and whoever lacks the key cannot try out names.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import stat
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from egide.errors import StorageError

KEY_FILE: Final = "audit.key"
KEY_BYTES: Final = 32
_ALIAS: Final = b"egide.alias/1"


class Pseudonyms:
    """Gives pseudonyms under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_person(self, id_: str) -> str:
        """The pseudonym of the person with this id in the gazetteer, `person-4xq7m2kd3p`."""
        return f"person-{self._digest('person', id_)}"

    def of_creator(self, hub: str, name: str) -> str:
        """The pseudonym of an account, `account-…`."""
        return f"account-{self._digest('account', hub, name)}"

    def of_alias(self, kind: str, value: str) -> int:
        """What stands for a model's alias in the registry: 64 bits, signed.

        Keyed BLAKE2b (RFC 7693): there are many aliases, and it takes half the time.
        """
        text = f"{kind}\0{value}".encode("utf-8", "replace")
        digest = blake2b(text, digest_size=8, key=self._key, person=_ALIAS).digest()
        return int.from_bytes(digest, "big", signed=True)

    def of_mark(self, mark: str) -> str:
        """The pseudonym of what ties offers together, `kind:name`: `host-…`, `channel-…`."""
        return f"{mark.partition(':')[0]}-{self._digest('mark', mark)}"

    def of_provider(self, mark: str) -> str:
        """The pseudonym of the provider whose offers mostly have `mark`, `provider-…`."""
        return f"provider-{self._digest('provider', mark)}"

    @property
    def seed(self) -> str:
        """What samples are drawn by: unknown to those who put listings up."""
        return self._digest("sample")

    def _digest(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "replace")
        digest = hmac.digest(self._key, text, "sha256")
        return base64.b32encode(digest)[:10].decode("ascii").lower()


def open_pseudonyms(home: Path) -> Pseudonyms:
    """The pseudonyms of the home folder; its key is made when there is none.

    StorageError when the key cannot be read or made, or others may read it.
    """
    path = home / KEY_FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Pseudonyms(_read(path) if path.exists() else _make(path))
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}; give another --home") from error


def _make(path: Path) -> bytes:
    """A new key, complete before it is at `path`; another process may have been first."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  Path takes no descriptor
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(part)
    finally:
        part.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StorageError(f"{path} can be read by others; `chmod 600` it, or remove it")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise StorageError(f"{path} is no key of {KEY_BYTES} bytes; restore or remove it")
    return key
