"""An outbox, somebody who listens, and a clock that goes when it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from egide.bank import Home
from egide.identity.secret import Secret
from egide.outbox import Outbox
from egide.outgoing import Address, AddressGuard


class Request(NamedTuple):
    """What arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


class Listener:
    """A server on this machine that answers with `status`, and keeps what it is sent."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.seconds = 0.0
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                listener.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/secret-path"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.requests.append(Request(handler.path, dict(handler.headers), body))
        time.sleep(self.seconds)
        with self._lock:
            self._at_once -= 1
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Clock:
    """Stands at `now`, in seconds, until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture
def outbox(home: Home, clock: Clock, listener: Listener) -> Outbox:
    guard = AddressGuard((Address.parse(f"http://127.0.0.1:{listener.port}/hooks/"),))
    return Outbox(home.database, Secret(b"s" * 32), guard, clock)


Tell = Callable[..., str | None]


@pytest.fixture
def tell(home: Home, outbox: Outbox) -> Tell:
    """Writes a message in a transaction of its own."""

    def told(type: str = "scan.recorded", **data: object) -> str | None:  # noqa: A002
        with home.database.write(serial=False) as connection:
            return outbox.enqueue(connection, type, data)

    return told
