"""Sends one request to an address that was checked, and to no other."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Final, NamedTuple

from egide.outbox.addresses import Address

CONNECT_SECONDS: Final = 10.0
REQUEST_SECONDS: Final = 20.0
"""For a whole request, however slowly the other side answers."""


class Answered(NamedTuple):
    """The status of an answer, and the seconds that it asks to be left alone for, if any."""

    status: int
    retry_after: int | None


def post(
    address: Address,
    numeric: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = REQUEST_SECONDS,
) -> Answered:
    """Posts `body` to `address` at the first of its checked `numeric` addresses that answers.

    Redirects are not followed and the answer's body is not read. OSError or
    http.client.HTTPException when nothing comes back within `seconds`.
    """
    until = time.monotonic() + seconds
    connection = _Pinned(address, numeric, until)
    # A time limit of the socket begins anew with every byte that comes.
    watch = threading.Timer(seconds, connection.abort)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        connection.putrequest("POST", address.target, skip_host=True, skip_accept_encoding=True)
        told = {"Host": address.authority, "Content-Length": str(len(body)), **headers}
        for name, value in told.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.close()
        return Answered(answer.status, _seconds(answer.getheader("Retry-After")))
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to numeric addresses, under the name that certificates are checked against."""

    def __init__(self, address: Address, numeric: Sequence[str], until: float) -> None:
        super().__init__(address.host, address.port)
        self._address = address
        self._numeric = numeric
        self._until = until

    def connect(self) -> None:
        """Connects to the first that can be reached."""
        problem: OSError = OSError("the name has no address")
        for each in self._numeric:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("no connection in time")
            try:
                plain = socket.create_connection(
                    (each, self._address.port), min(CONNECT_SECONDS, left)
                )
            except OSError as error:
                problem = error
                continue
            plain.settimeout(max(0.001, self._until - time.monotonic()))
            self.sock = plain
            if self._address.scheme == "https":
                self._encrypt(plain)
            return
        raise problem

    def abort(self) -> None:
        """Ends whatever is being waited for."""
        if self.sock is not None:
            with suppress(OSError):
                # Not the method of an encrypted socket, which would go on in plain text.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _encrypt(self, plain: socket.socket) -> None:
        encrypted = _trust().wrap_socket(
            plain, server_hostname=self._address.host, do_handshake_on_connect=False
        )
        self.sock = encrypted
        encrypted.do_handshake()


@cache
def _trust() -> ssl.SSLContext:
    """The system's certificates, or those in SSL_CERT_FILE."""
    return ssl.create_default_context()


def _seconds(header: str | None) -> int | None:
    """What Retry-After says when it says a number of seconds."""
    text = (header or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
