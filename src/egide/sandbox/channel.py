"""Messages between a process and the one that it does not trust: bytes with a length, and a limit.

Whatever the other side does, waiting for it ends in time: it may send nothing, half a message, or
one byte a second.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Final

_LENGTH: Final = struct.Struct("!I")
_JOINED: Final = 1 << 16
"""Up to this size a message is sent together with its length; copying a larger one costs more."""


class Channel:
    """One end of a connection over `endpoint`, which it owns. For one thread at a time."""

    def __init__(self, endpoint: socket.socket) -> None:
        self._socket = endpoint

    def send(self, message: bytes, until: float | None = None) -> None:
        """Sends one message of less than 4 GiB.

        TimeoutError when the other side has not taken it at `until`, a time of `time.monotonic`;
        OSError when it is gone.
        """
        self._limit(until)
        length = _LENGTH.pack(len(message))
        if len(message) <= _JOINED:
            self._socket.sendall(length + message)
        else:
            self._socket.sendall(length)
            self._limit(until)
            self._socket.sendall(message)

    def receive(self, most: int, until: float | None = None) -> bytes:
        """The next message; TimeoutError as for `send`.

        EOFError when the other side is gone; ValueError for a message of over `most` bytes.
        """
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, until))
        if length > most:
            raise ValueError(f"a message of {length:,} bytes, the limit is {most:,}")
        return bytes(self._exactly(length, until))

    def close(self) -> None:
        """Closes this end."""
        self._socket.close()

    def _exactly(self, count: int, until: float | None) -> bytearray:
        buffer = bytearray(count)
        view = memoryview(buffer)
        while view:
            self._limit(until)
            got = self._socket.recv_into(view)
            if not got:
                raise EOFError("the other process has ended")
            view = view[got:]
        return buffer

    def _limit(self, until: float | None) -> None:
        if until is None:
            self._socket.settimeout(None)
            return
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        self._socket.settimeout(left)
