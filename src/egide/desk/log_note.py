"""Signed notes, as C2SP signed-note v1 has them: a text, and Ed25519 signatures under it.

A key is written as Go's checksum database does: `name+id+base64` to check with, and with
`PRIVATE+KEY+` before it to sign with. The name is that of the log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final, Self

from egide.errors import LogError, UsageError

ED25519: Final = b"\x01"
KEY_BYTES: Final = 32
MOST_NOTE: Final = 100_000
MOST_SIGNATURES: Final = 16
_PRIVATE: Final = "PRIVATE+KEY+"
_NAME: Final = re.compile(r"[!-*,-~]{1,200}", re.ASCII)  # no blanks, no plus
_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE: Final = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True, slots=True)
class Verifier:
    """What checks the signatures of the key called `name`; `public` is of 32 bytes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` gives; UsageError."""
        name, _, rest = text.strip().partition("+")
        key = _key_bytes(name, rest.partition("+")[2])
        verifier = cls(name, key)
        if text.strip() != str(verifier):
            raise _no_key()
        return verifier

    @property
    def id(self) -> bytes:
        """Four bytes that a signature is found by."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def signed(self, note: str) -> bool:
        """Whether the note carries a signature of this key that holds; LogError when it is none."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  slow, rare
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )

        text, signatures = split(note)
        ours = [
            signature[4:]
            for name, signature in signatures
            if name == self.name and signature[:4] == self.id
        ]
        try:
            for signature in ours:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return bool(ours)


class Signer:
    """What signs as `name`, by the 32 bytes of an Ed25519 `seed`."""

    def __init__(self, name: str, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  slow, rare
            Ed25519PrivateKey,
        )

        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be a log's name; use up to 200 signs without blanks and plus, "
                "such as example.org/desk"
            )
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def new(cls, name: str = "") -> Self:
        """A new key; without a name its own first digits make one."""
        seed = secrets.token_bytes(KEY_BYTES)
        mark = hashlib.sha256(cls("unnamed", seed).verifier.public).hexdigest()[:16]
        return cls(name or f"egide-desk/{mark}", seed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `secret_text` wrote; UsageError."""
        if not text.startswith(_PRIVATE):
            raise _no_key()
        name, _, rest = text.strip().removeprefix(_PRIVATE).partition("+")
        signer = cls(name, _key_bytes(name, rest.partition("+")[2]))
        if text.strip() != signer.secret_text():
            raise _no_key()
        return signer

    def secret_text(self) -> str:
        """The key, to be kept in a file of its own."""
        verifier = self.verifier
        encoded = base64.b64encode(ED25519 + self._seed).decode()
        return f"{_PRIVATE}{verifier.name}+{verifier.id.hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """The note of `text`, which ends with a line's end, with this key's signature."""
        signature = self.verifier.id + self._key.sign(text.encode())
        return f"{text}\n— {self.verifier.name} {base64.b64encode(signature).decode()}\n"


def split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text and its signatures, with the names of their keys; LogError."""
    text, blank, below = note.rpartition("\n\n")
    lines = below.splitlines()
    found = [_SIGNATURE.fullmatch(line) for line in lines]
    if (
        len(note) > MOST_NOTE
        or not blank
        or not note.endswith("\n")
        or _CONTROLS.search(note)
        or not 1 <= len(lines) <= MOST_SIGNATURES
    ):
        raise LogError("this is no signed note; give the file as it was written")
    signatures = []
    for line in found:
        if line is None:
            raise LogError("this is no signed note: a line under it is no signature")
        signatures.append((line[1], unbase64(line[2])))
    return text + "\n", signatures


def unbase64(text: str) -> bytes:
    """What `text` encodes, strictly; LogError."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if not value or base64.b64encode(value).decode() != text:
        raise LogError("a part that should be base64 is not; give the file as it was written")
    return value


def _key_bytes(name: str, encoded: str) -> bytes:
    try:
        value = unbase64(encoded)
    except LogError:
        raise _no_key() from None
    if not _NAME.fullmatch(name) or len(value) != 1 + KEY_BYTES or value[:1] != ED25519:
        raise _no_key()
    return value[1:]


def _no_key() -> UsageError:
    return UsageError(
        "this is no key of a log; it reads name+8 hexadecimal digits+base64, as "
        "`egide desk log key` prints it"
    )
