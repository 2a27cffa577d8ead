"""A key for each case: what is personal in it is sealed under that key, and gone with it.

32 random bytes, kept encrypted under the server's secret. Destroying the key overwrites its row:
contact, signature and words of the case can then be read by nobody, and what the log says of its
events can no longer be told from random bytes, while the log itself goes on holding together.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from egide.errors import AlreadyThere, CaseErased, StorageError

if TYPE_CHECKING:
    from egide.db import Connection
    from egide.identity.secret import Secret

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_PURPOSE: Final = "case key"
_COMMITMENT: Final = b"egide.commitment/1\n"


class CaseKey:
    """The key `value` of the case with this `number`; what it makes holds for that case alone."""

    def __init__(self, number: str, value: bytes) -> None:
        self._number = number
        self._value = value
        self._made: dict[str, bytes] = {}

    def seal(self, plain: bytes) -> bytes:
        """AES-256-GCM of `plain`: a nonce of 12 bytes, then the ciphertext."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  slow, rare

        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._derived("seal")).encrypt(nonce, plain, self._number.encode())

    def open(self, sealed: bytes) -> bytes:
        """What `seal` was given; StorageError when it was changed or is another case's."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow, rare
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self._derived("seal")).decrypt(nonce, body, self._number.encode())
        except (InvalidTag, ValueError):
            raise StorageError(
                f"what is sealed in case {self._number} does not open with its key; restore the "
                "database from a backup"
            ) from None

    def blind(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA256 of `data`, 32 bytes, under a key of its own for `purpose`."""
        return hmac.digest(self._derived(f"blind {purpose}"), data, "sha256")

    def opening(self, data: bytes) -> bytes:
        """32 bytes that show whoever has `data` what `commit` made of it, and of nothing else."""
        return hmac.digest(self._derived("commit"), data, "sha256")

    def commit(self, data: bytes) -> bytes:
        """A commitment of 32 bytes that tells nothing of `data` without its opening."""
        return commitment(data, self.opening(data))

    def _derived(self, purpose: str) -> bytes:
        if purpose not in self._made:
            text = f"{purpose} {self._number}"
            self._made[purpose] = hmac.digest(self._value, text.encode(), "sha256")
        return self._made[purpose]


def commitment(data: bytes, opening: bytes) -> bytes:
    """What `CaseKey.commit` makes of `data`, by those who have not the key but its `opening`."""
    return hashlib.sha256(_COMMITMENT + opening + data).digest()


class CaseKeys:
    """The keys of all cases, under the server's `secret`. `clock`: seconds since 1970, UTC."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock

    def make(self, connection: Connection, case: str) -> None:
        """A key for the case with this number, in a serial write; AlreadyThere if it has one."""
        if self._newest(connection, case) is not None:
            raise AlreadyThere(f"case {case} has a key")
        self._add(connection, case, 0)

    def key(self, connection: Connection, case: str, epoch: int = 0) -> CaseKey:
        """The key of the case; CaseErased when it was destroyed, StorageError when none is.

        What is personal is sealed in epoch 0 alone: nothing is after an erasure.
        """
        row = connection.execute(
            "SELECT sealed, destroyed FROM case_key WHERE number = ? AND epoch = ?", (case, epoch)
        ).fetchone()
        if row is None:
            raise StorageError(f"case {case} has no key; restore the database from a backup")
        if row["destroyed"] is not None:
            raise CaseErased(case)
        return CaseKey(case, self._secret.decrypt(_PURPOSE, bytes(row["sealed"])))

    def present(self, connection: Connection, case: str) -> tuple[int, CaseKey]:
        """The epoch and key that events are committed to under now, in a serial write.

        After an erasure the first event makes a key of the next epoch. StorageError.
        """
        newest = self._newest(connection, case)
        if newest is None:
            raise StorageError(f"case {case} has no key; restore the database from a backup")
        epoch, destroyed = newest
        if destroyed is not None:
            epoch += 1
            self._add(connection, case, epoch)
        return epoch, self.key(connection, case, epoch)

    def seal(self, connection: Connection, case: str, plain: bytes) -> bytes:
        """`plain`, encrypted for this case; errors as of `key`."""
        return self.key(connection, case).seal(plain)

    def open(self, connection: Connection, case: str, sealed: bytes) -> bytes:
        """What `seal` was given for this case; errors as of `key`, and StorageError."""
        return self.key(connection, case).open(sealed)

    def commit(self, connection: Connection, case: str, data: bytes) -> bytes:
        """The commitment of this case to `data`, 32 bytes; errors as of `key`."""
        return self.key(connection, case).commit(data)

    def destroy(self, connection: Connection, case: str) -> bool:
        """Overwrites the keys of the case; whether there was one that was not destroyed yet.

        In a serial write. Once it is committed, `Database.scrub` lets nothing of it linger.
        """
        done = connection.execute(
            "UPDATE case_key SET sealed = zeroblob(length(sealed)), destroyed = ?"
            " WHERE number = ? AND destroyed IS NULL",
            (int(self._clock() * 1000), case),
        )
        return done.rowcount > 0

    def _newest(self, connection: Connection, case: str) -> tuple[int, int | None] | None:
        row = connection.execute(
            "SELECT epoch, destroyed FROM case_key WHERE number = ? ORDER BY epoch DESC LIMIT 1",
            (case,),
        ).fetchone()
        return None if row is None else (row["epoch"], row["destroyed"])

    def _add(self, connection: Connection, case: str, epoch: int) -> None:
        sealed = self._secret.encrypt(_PURPOSE, secrets.token_bytes(KEY_BYTES))
        connection.execute(
            "INSERT INTO case_key (number, epoch, sealed) VALUES (?, ?, ?)", (case, epoch, sealed)
        )
