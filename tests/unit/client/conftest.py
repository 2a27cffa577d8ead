"""Both clients behind one face, and a server on a real socket that says what a test wants."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, Protocol

import pytest
import trio

from egide.client import AsyncClient, Client, Retries

KEY = "egide_0123456789ab_" + "x" * 49
QUICK = Retries(attempts=4, first=0.01, longest=0.02, patience=20)


class Runner(Protocol):
    """An event loop that goes on between what it is given to run."""

    def run(self, coro: Coroutine[Any, Any, Any], /) -> Any:
        """What the coroutine returns, or raises."""

    def __enter__(self) -> Runner:
        """Begins."""

    def __exit__(self, *_: object) -> None:
        """Ends."""


class TrioRunner:
    """Trio in a thread of its own."""

    def __enter__(self) -> TrioRunner:
        self._begun: SimpleQueue[trio.lowlevel.TrioToken] = SimpleQueue()
        self._thread = threading.Thread(target=trio.run, args=[self._main])
        self._thread.start()
        self._token = self._begun.get(timeout=30)
        return self

    def run(self, coro: Coroutine[Any, Any, Any], /) -> Any:
        """What the coroutine returns, or raises."""
        return trio.from_thread.run(_awaited, coro, trio_token=self._token)

    def __exit__(self, *_: object) -> None:
        trio.from_thread.run_sync(self._ended.set, trio_token=self._token)
        self._thread.join()

    async def _main(self) -> None:
        self._ended = trio.Event()
        self._begun.put(trio.lowlevel.current_trio_token())
        await self._ended.wait()


class Either:
    """A client, whichever: methods of the asynchronous one are run to their end."""

    def __init__(self, client: Client | AsyncClient, runner: Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            if inspect.isawaitable(found):
                return self._runner.run(_awaited(found))
            if hasattr(found, "__aiter__"):
                return self._runner.run(_all(found))
            return list(found) if hasattr(found, "__next__") else found

        return call


async def _awaited(found: Any) -> Any:
    return await found


async def _all(found: Any) -> list[Any]:
    return [each async for each in found]


Clients = Callable[..., Either]


KINDS = [(Client, asyncio.Runner), (AsyncClient, asyncio.Runner), (AsyncClient, TrioRunner)]


@pytest.fixture(params=KINDS, ids=["sync", "asyncio", "trio"])
def clients(request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Makes clients of each kind, the asynchronous one on each event loop, and closes them."""
    kind, loop = request.param
    with loop() as runner:
        made: list[Either] = []

        def make(url: str, key: str = KEY, **settings: Any) -> Either:
            made.append(Either(kind(url, key, **{"retries": QUICK, **settings}), runner))
            return made[-1]

        yield make
        for each in made:
            if isinstance(each.client, Client):
                each.client.close()
            else:
                runner.run(each.client.aclose())


@dataclass
class Said:
    """One answer of the scripted server.

    `wait` seconds pass before it; `broken` is a connection that ends instead of it, `cut` one that
    ends before the body does.
    """

    status: int = 200
    document: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    broken: bool = False
    cut: bool = False


@dataclass
class Seen:
    """One request that it was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int

    @property
    def document(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


class Scripted:
    """Answers as it was told, in order, the last for ever; notes what it was asked."""

    def __init__(self) -> None:
        self.script: list[Said] = [Said()]
        self.seen: list[Seen] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _answer(self) -> None:
                scripted.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def says(self, *script: Said) -> None:
        """What it answers from now on."""
        self.script = list(script)
        self.seen.clear()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        port = handler.client_address[1]
        self.seen.append(Seen(handler.command, handler.path, headers, body, port))
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        time.sleep(said.wait)
        if said.broken:
            handler.close_connection = True
            return
        raw = said.document
        data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
        handler.send_response(said.status)
        for name, value in said.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data) + 100 * said.cut))
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection |= said.cut

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def _scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def scripted(_scripted: Scripted) -> Scripted:
    """A server that answers as it is told."""
    _scripted.says(Said())
    return _scripted


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that clients would have made; none is made."""
    pauses: list[float] = []

    async def later(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("egide.client.clients.sleep", pauses.append)
    monkeypatch.setattr("egide.client.clients.anyio.sleep", later)
    return pauses
