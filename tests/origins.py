"""Content sources on this machine, which say what they are told to say, byte for byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Speak = Callable[[socket.socket], None]


class Origin:
    """A server that hands each connection to `speak`, after the request's head was read."""

    def __init__(self, speak: Speak, host: str = "127.0.0.1") -> None:
        self.speak = speak
        self.heads: list[str] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = socket.create_server((host, 0), family=family)
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Takes no more connections, and waits for those that there are."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._answer, args=[connection]))
                self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (got := connection.recv(65536)):
                head += got
            self.heads.append(head.decode("latin-1"))
            self.speak(connection)


Serves = Callable[..., Origin]


@contextmanager
def started() -> Iterator[Serves]:
    """What starts servers; they end with the block."""
    origins: list[Origin] = []

    def serve(speak: Speak | bytes, host: str = "127.0.0.1") -> Origin:
        if isinstance(speak, bytes):
            said = speak
            origins.append(Origin(lambda connection: connection.sendall(said), host))
        else:
            origins.append(Origin(speak, host))
        return origins[-1]

    try:
        yield serve
    finally:
        for origin in origins:
            origin.close()


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with its length, unless the headers are about how it is sent."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith(("transfer-encoding", "content-length")) for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
