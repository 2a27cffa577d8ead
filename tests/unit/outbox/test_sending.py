"""One request goes to the address that was checked, and ends in time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from egide.outbox.sending import Answered, post
from egide.outgoing import Address
from egide.outgoing import connection as outgoing
from tests.certificates import self_signed
from tests.growth import within
from tests.unit.outbox.conftest import Listener

FAILURES = (OSError, http.client.HTTPException)


def address_of(port: int, scheme: str = "http", host: str = "hooks.example") -> Address:
    return Address(scheme, host, port, "/a?b=c")


def test_the_name_is_told_and_not_resolved_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: int, **options: int) -> object:
        assert host == "127.0.0.1"
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    answered = post(address_of(listener.port), ["127.0.0.1"], b"{}", {"X-A": "b"})
    assert answered == Answered(204, None)
    (request,) = listener.requests
    assert request.path == "/a?b=c"
    assert request.body == b"{}"
    assert request.headers == {
        "Host": f"hooks.example:{listener.port}",
        "Content-Length": "2",
        "X-A": "b",
    }


def test_the_next_address_is_tried_when_one_does_not_answer(listener: Listener) -> None:
    numeric = ["127.0.0.9", "127.0.0.1"]
    assert post(address_of(listener.port), numeric, b"{}", {}).status == 204


def test_redirects_are_not_followed(listener: Listener) -> None:
    listener.status = 302
    listener.headers = {"Location": listener.url}
    assert post(address_of(listener.port), ["127.0.0.1"], b"{}", {}).status == 302
    assert len(listener.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("soon", None), ("-1", None), ("1e3", None), ("9" * 50, None)],
)
def test_how_long_to_wait_is_told(listener: Listener, header: str, seconds: int | None) -> None:
    listener.status = 503
    listener.headers = {"Retry-After": header}
    answered = post(address_of(listener.port), ["127.0.0.1"], b"{}", {})
    assert answered == Answered(503, seconds)


Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Has a function speak to whoever connects to the port that it returns."""
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def served(speak: Callable[[socket.socket], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def accept() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    speak(connection)

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        port: int = server.getsockname()[1]
        return port

    yield served
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()


def drip(pieces: bytes, seconds: float = 0.1) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        for _ in range(200):
            connection.sendall(pieces)
            time.sleep(seconds)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(lambda connection: time.sleep(1.5), id="silence"),
        pytest.param(drip(b"H"), id="one byte after the other"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n"), id="go on, for ever"),
        pytest.param(drip(b"\x16\x03\x03"), id="an endless greeting"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_never_ends_is_left(
    serve: Serve, speak: Callable[[socket.socket], None], scheme: str
) -> None:
    def send() -> None:
        address = address_of(serve(speak), scheme)  # one that has not been connected to yet
        with pytest.raises(FAILURES):
            post(address, ["127.0.0.1"], b"{}", {}, seconds=1)

    within(4, send, time.monotonic)


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"\0" * 100_000])
def test_who_speaks_nonsense_has_failed(serve: Serve, said: bytes) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    with pytest.raises(FAILURES):
        post(address_of(serve(speak)), ["127.0.0.1"], b"{}", {}, seconds=2)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate of hooks.example, trusted, with its key in the same file."""
    path = tmp_path / "certificate.pem"
    self_signed(path, "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    outgoing._trust.cache_clear()
    yield path
    outgoing._trust.cache_clear()


def encrypted(certificate: Path) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def speak(connection: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as within:
            # Head and body come apart; closing on unread bytes would reset the connection.
            while (piece := within.recv(65536)) and not piece.endswith(b"{}"):
                pass
            within.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return speak


def test_the_certificate_must_be_of_the_name(serve: Serve, certificate: Path) -> None:
    port = serve(encrypted(certificate))
    assert post(address_of(port, "https"), ["127.0.0.1"], b"{}", {}).status == 200
    port = serve(encrypted(certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        post(address_of(port, "https", "other.example"), ["127.0.0.1"], b"{}", {})


def test_an_unknown_certificate_is_refused(
    serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    outgoing._trust.cache_clear()
    port = serve(encrypted(certificate))
    with pytest.raises(ssl.SSLCertVerificationError):
        post(address_of(port, "https"), ["127.0.0.1"], b"{}", {})
