"""A stream under a passphrase: argon2id (RFC 9106) makes the key, AES-256-GCM seals pieces of it.

    egide-sealed/1\\n | time u32 | memory KiB u32 | lanes u32 | salt 16 | nonce 7 | pieces

All numbers are big-endian. A piece is 64 KiB and its tag of 16 bytes; the last one may be shorter.
Its nonce is those 7 bytes, its number u32, and 1 for the last piece or else 0, so that pieces can
be neither exchanged, left out, nor cut off (STREAM: Hoang, Reyhanitabar, Rogaway, Vizar 2015). The
header is authenticated with each.
"""

from __future__ import annotations

import io
import secrets
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from egide.errors import ArchiveError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"egide-sealed/1\n"
PIECE: Final = 1 << 16
TAG: Final = 16
MOST_PIECES: Final = (1 << 32) - 1
TIME, MEMORY, LANES = 3, 1 << 16, 4
"""RFC 9106's second choice: three passes over 64 MiB."""
_MOST_TIME, _MOST_MEMORY, _MOST_LANES = 16, 1 << 20, 16
"""What an archive may ask of who opens it: up to 1 GiB."""
_HEADER: Final = struct.Struct(">III16s7s")
_WRONG: Final = "the passphrase is wrong, or it was changed or cut off; try another copy of it"


class SealingWriter(io.RawIOBase):
    """Seals what is written to it into `file`; complete when it was closed."""

    def __init__(self, file: BinaryIO, passphrase: bytes) -> None:
        self._file = file
        self._salt, self._nonce = secrets.token_bytes(16), secrets.token_bytes(7)
        self._header = MAGIC + _HEADER.pack(TIME, MEMORY, LANES, self._salt, self._nonce)
        self._box = _box(passphrase, self._salt, TIME, MEMORY, LANES)
        self._held = bytearray()
        self._number = 0
        file.write(self._header)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: object, /) -> int:
        """Seals the pieces that are full."""
        given = bytes(data)  # type: ignore[call-overload]  # whatever is a buffer
        self._held += given
        # The last piece is sealed as such: one that is full may still be it.
        while len(self._held) > PIECE:
            self._seal(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]
        return len(given)

    def finish(self) -> None:
        """Seals the last piece: without it what was written is not complete."""
        self._seal(bytes(self._held), last=True)
        self._held.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._nonce, self._number, last=last)
        self._file.write(self._box.encrypt(nonce, piece, self._header))
        self._number += 1


class OpeningReader(io.RawIOBase):
    """What a SealingWriter sealed, once every byte of a piece was verified; ArchiveError."""

    def __init__(self, file: BinaryIO, passphrase: bytes) -> None:
        self._file = file
        packed = file.read(_HEADER.size)
        if len(packed) != _HEADER.size:
            raise ArchiveError(_WRONG)
        time, memory, lanes, salt, self._nonce = _HEADER.unpack(packed)
        within = 1 <= time <= _MOST_TIME and 1 <= lanes <= _MOST_LANES
        if not (within and 8 * lanes <= memory <= _MOST_MEMORY):
            raise ArchiveError("it asks for too much work to be opened; it is not égide's")
        self._header = MAGIC + packed
        self._box = _box(passphrase, salt, time, memory, lanes)
        self._next = file.read(PIECE + TAG)
        self._number = 0
        self._ready = bytearray()
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer at the end alone."""
        while not self._ended and (size < 0 or len(self._ready) < size):
            self._open()
        count = len(self._ready) if size < 0 else size
        piece = bytes(self._ready[:count])
        del self._ready[:count]
        return piece

    def _open(self) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow, rare

        piece, self._next = self._next, self._file.read(PIECE + TAG)
        self._ended = not self._next
        nonce = _nonce(self._nonce, self._number, last=self._ended)
        try:
            self._ready += self._box.decrypt(nonce, piece, self._header)
        except (InvalidTag, ValueError):
            raise ArchiveError(_WRONG) from None
        self._number += 1


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    if number >= MOST_PIECES:
        raise ArchiveError("it is over 256 TiB, which is more than one passphrase can seal")
    return prefix + struct.pack(">IB", number, last)


def _box(passphrase: bytes, salt: bytes, time: int, memory: int, lanes: int) -> AESGCM:
    from argon2.low_level import Type, hash_secret_raw  # noqa: PLC0415  slow, rare
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(hash_secret_raw(passphrase, salt, time, memory, lanes, 32, Type.ID))
