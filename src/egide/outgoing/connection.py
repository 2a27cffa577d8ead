"""A connection to an address that was checked, and to no other, that ends in time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final

from egide.outgoing.address import Address

CONNECT_SECONDS: Final = 10.0


class Pinned(http.client.HTTPConnection):
    """A connection to numeric addresses, under the name that certificates are checked against."""

    def __init__(self, address: Address, numeric: Sequence[str], until: float) -> None:
        super().__init__(address.host, address.port)
        self._address = address
        self._numeric = numeric
        self._reached: socket.socket | None = None
        self.until = until

    def connect(self) -> None:
        """Connects to the first that can be reached."""
        problem: OSError = OSError("the name has no address")
        for each in self._numeric:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("no connection in time")
            try:
                plain = socket.create_connection(
                    (each, self._address.port), min(CONNECT_SECONDS, left)
                )
            except OSError as error:
                problem = error
                continue
            plain.settimeout(max(0.001, self.until - time.monotonic()))
            self.sock = self._reached = plain
            if self._address.scheme == "https":
                self._encrypt(plain)
            return
        raise problem

    def ask(self, method: str) -> None:
        """Begins a request for the address; headers and `endheaders` follow."""
        self.putrequest(method, self._address.target, skip_host=True, skip_accept_encoding=True)
        self.putheader("Host", self._address.authority)

    def abort(self) -> None:
        """Ends whatever is being waited for."""
        # Not `sock`: an answer that ends with its connection has taken that over.
        if self._reached is not None:
            with suppress(OSError):
                # Not the method of an encrypted socket, which would go on in plain text.
                socket.socket.shutdown(self._reached, socket.SHUT_RDWR)

    def _encrypt(self, plain: socket.socket) -> None:
        encrypted = _trust().wrap_socket(
            plain, server_hostname=self._address.host, do_handshake_on_connect=False
        )
        self.sock = self._reached = encrypted
        encrypted.do_handshake()


@contextmanager
def connected(address: Address, numeric: Sequence[str], seconds: float) -> Iterator[Pinned]:
    """A connection to `address` at the first of its checked `numeric` addresses that answers.

    It ends after `seconds`, whatever is going on then: what is being read comes to an end, so look
    at `until`. OSError when none answers.
    """
    connection = Pinned(address, numeric, time.monotonic() + seconds)
    # A time limit of the socket begins anew with every byte that comes.
    watch = threading.Timer(seconds, connection.abort)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        yield connection
    finally:
        watch.cancel()
        connection.close()


@cache
def _trust() -> ssl.SSLContext:
    """The system's certificates, or those in SSL_CERT_FILE."""
    return ssl.create_default_context()
