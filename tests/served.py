"""`egide serve` under load: processes, clients that keep asking, a platform that is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import httpx2 as httpx

from egide.bank import Home
from egide.identity import Identity
from egide.identity.sessions import Method

EGIDE = Path(sys.executable).with_name("egide")
PASSWORD = "neutral words for a test"
SCOPES = (
    *("scan:write", "scan:read", "bank:read", "bank:write", "library:read"),
    *("notice:write", "copy:write", "outbox:read"),
)
PATIENCE = 90.0
MEDIAN_SECONDS = 2.0
PROBLEM = "application/problem+json"


class Served:
    """`egide serve` as a process, on a port of its own."""

    def __init__(self, home: Path, log: Path, *flags: str, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = home
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [EGIDE, "serve", "--port", str(self.port), "--home", home, *flags],
                env={**os.environ, "EGIDE_SANDBOX_WORKERS": "1", **environment},
                stdout=out,
                stderr=out,
            )

    @property
    def log(self) -> str:
        """All that it said so far."""
        return self._log.read_text()

    def wait(self) -> None:
        """Waits until it is ready."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE) as client:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                assert self.process.poll() is None, self.log
                with suppress(httpx.TransportError):
                    if client.get("/readyz").status_code == 200:
                        return
                time.sleep(0.05)
        raise AssertionError(self.log)

    def end(self) -> int:
        """Ends it as an administrator does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def check_log(self) -> None:
        """Nothing in it is a fault of ours: no traceback, no request that failed unforeseen."""
        assert "Traceback" not in self.log
        for line in self.log.splitlines():
            if line.startswith("{"):
                told = json.loads(line)
                assert told["event"] != "request.failed", line
                assert (told["event"], told["level"]) != ("library", "error"), line
                assert told.get("status") != 500, line


@dataclass(frozen=True)
class Answer:
    """What came back for one request, and after how many seconds; status 0 when nothing did."""

    what: str
    status: int
    seconds: float
    at: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def succeeded(self) -> bool:
        """Whether the service acknowledged it."""
        return 200 <= self.status < 400

    @property
    def page(self) -> bool:
        """Whether it is for people."""
        return self.headers["content-type"].startswith("text/html")

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Clients:
    """Threads that ask one service after the other until they are told to stop."""

    def __init__(self, urls: list[str], key: str, session: str) -> None:
        self.answers: list[Answer] = []
        self.ending = threading.Event()
        self._urls = urls
        self._key = key
        self._session = session
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._local = threading.local()
        self._turn = 0

    def run(self, work: Callable[[int], None], pause: float = 0.0) -> None:
        """Has a thread do `work` of 0, 1, 2 and so on until the end."""

        def loop() -> None:
            number = 0
            try:
                while not self.ending.is_set():
                    work(number)
                    number += 1
                    self.ending.wait(pause)
            except Exception as error:  # noqa: BLE001  told by `stop`
                self._failures.append(error)
            finally:
                self.close()

        self._threads.append(threading.Thread(target=loop))
        self._threads[-1].start()

    def stop(self) -> None:
        """Lets every thread finish what it is doing."""
        self.ending.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a client hangs"
        if self._failures:
            raise self._failures[0]

    def ask(
        self, what: str, method: str, path: str, *, on: int | None = None, **more: Any
    ) -> Answer:
        """One request to a service: the next one, or the one with the number `on`."""
        self._turn += 1
        url = self._urls[(self._turn if on is None else on) % len(self._urls)]
        headers = {"Authorization": f"Bearer {self._key}", **more.pop("headers", {})}
        if path.startswith("/desk"):
            headers = {"Origin": url, "Cookie": f"egide={self._session}"}
        began = time.monotonic()
        try:
            came = self._client().request(method, url + path, headers=headers, **more)
        except httpx.TransportError as error:
            answer = Answer(what, 0, time.monotonic() - began, began, body=repr(error).encode())
        else:
            took = time.monotonic() - began
            answer = Answer(what, came.status_code, took, began, came.headers, came.content)
        self.answers.append(answer)
        return answer

    def insist(self, what: str, method: str, path: str, **more: Any) -> Answer:
        """Asks until the service has answered otherwise than that it cannot now."""
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.ask(what, method, path, **more)
            if answer.status not in (0, 503, 507):
                return answer
            assert time.monotonic() < until, f"{what}: {answer}"
            time.sleep(0.1)

    def scan(self, content_id: str, data: bytes, *, insist: bool = True) -> Answer:
        """Uploads a picture to be remembered, repeatedly under one `Idempotency-Key`."""
        fields = {"remember": "true", "content_id": content_id, "content_url": place_of(content_id)}
        asked = self.insist if insist else self.ask
        return asked(
            "picture", "POST", "/v1/scan", data=fields, files={"file": ("a.jpg", data)},
            headers={"Idempotency-Key": content_id},
        )  # fmt: skip

    def text(self, content_id: str, text: str) -> Answer:
        """Has a text screened."""
        body = {"kind": "text", "text": text, "content_id": content_id}
        headers = {"Idempotency-Key": content_id}
        return self.insist("text", "POST", "/v1/scan", json=body, headers=headers)

    def check_refusals(self, *, status: tuple[int, ...], most_seconds: float) -> int:
        """Whatever was not acknowledged was told so clearly and soon; how many those were.

        409 is what stands already, though the first answer was lost.
        """
        refused = [each for each in self.answers if not (each.succeeded or each.status == 409)]
        assert median(each.seconds for each in refused) < MEDIAN_SECONDS
        for each in refused:
            assert each.status in status, each
            assert each.seconds < most_seconds, each
            assert int(each.headers["retry-after"]) >= 1, each
            if not each.page:
                assert each.headers["content-type"] == PROBLEM, each
                assert "\n" not in each.body.decode(), each
                assert "; " in each.json["detail"], each  # what happened; what to do
        return len(refused)

    def close(self) -> None:
        """Closes the connections of this thread."""
        self._client().close()

    def _client(self) -> httpx.Client:
        """The thread's own."""
        if not hasattr(self._local, "client"):
            self._local.client = httpx.Client(timeout=60, trust_env=False)
        found: httpx.Client = self._local.client
        return found


class Told:
    """A platform whose webhook takes what comes, and what it was told."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.note(self.headers["webhook-id"], body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, id_: str, message: dict[str, Any]) -> None:
        """Takes a message in; the same one may come again, and says the same."""
        with self._lock:
            assert self.messages.setdefault(id_, message) == message

    def of(self, type_: str) -> list[dict[str, Any]]:
        """What messages of one type told."""
        with self._lock:
            return [each["data"] for each in self.messages.values() if each["type"] == type_]


@contextmanager
def told() -> Iterator[Told]:
    """A platform until the block ends."""
    platform = Told()
    try:
        yield platform
    finally:
        platform.server.shutdown()
        platform.server.server_close()


def place_of(content_id: str) -> str:
    """Where a content is shown."""
    return f"https://platform.example/{content_id}"


def admitted(home: Home) -> tuple[str, str]:
    """A key to everything, and the session of a reviewer who signed in by two factors."""
    with Identity(home.database, home.path) as identity:
        _, token = identity.people.accept(identity.people.invite("lead"), "ann", PASSWORD)
        with home.database.write(serial=False) as connection:
            identity.sessions.raise_to(connection, token, Method.PASSKEY)
        return identity.keys.create("all", SCOPES), token


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> float:
    """Waits until something is true; after how many seconds it was."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - began
