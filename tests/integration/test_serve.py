"""`egide serve` as a process of its own: ready, stopped, killed, in several, on both databases."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from egide import Item, fingerprints_of
from egide.bank import Home
from egide.identity import Identity
from tests import pictures

KNOWN = pictures.encode(pictures.smooth_noise(seed=1), "PNG")
COPY = pictures.encode(pictures.smooth_noise(seed=1), "JPEG")
EGIDE = Path(sys.executable).with_name("egide")


class Server:
    """A server and a client with a key to it."""

    def __init__(
        self, home: Home, key: str, *flags: str, command: Sequence[str | Path] = (EGIDE,)
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = home.path.with_name(f"log-{self.port}")
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "serve", "--port", str(self.port), "--home", home.path, *flags],
                env={**os.environ, "EGIDE_SANDBOX_WORKERS": "1"},
                stderr=log,
                stdout=log,
            )

    def wait(self) -> None:
        """Waits until it is ready."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def processes(self) -> float:
        """How many processes that read uploads there are: one for each that answers requests."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("egide_sandbox_processes{")
        )

    def wait_for(self, processes: int) -> None:
        """Waits until so many processes answer requests."""
        until = time.monotonic() + 60
        while self.processes() < processes:
            assert time.monotonic() < until
            time.sleep(0.1)

    def scan(self, data: bytes, key: str | None = None, **fields: str) -> httpx.Response:
        """Uploads a picture."""
        headers = {} if key is None else {"Idempotency-Key": key}
        files = {"file": ("a.jpg", data)}
        return self.client.post("/v1/scan", files=files, data=fields, headers=headers)

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(60)


Serves = Callable[..., Server]


@pytest.fixture
def serves(home: Home) -> Iterator[Serves]:
    """Starts servers on `home`, with a bank of one picture."""
    home.create("known").add(fingerprints_of(Item.from_bytes(KNOWN)))
    with Identity(home.database, home.path) as identity:
        scopes = ["scan:write", "scan:read", "bank:read", "bank:write", "library:read"]
        scopes += ["outbox:read", "outbox:write"]
        key = identity.keys.create("uploads", scopes)
    started: list[Server] = []

    def serve(*flags: str) -> Server:
        started.append(Server(home, key, *flags))
        started[-1].wait()
        return started[-1]

    yield serve
    for server in started:
        server.client.close()
        server.end(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.both_databases
def test_it_serves_and_stops(serves: Serves) -> None:
    server = serves()
    blocked = server.scan(COPY, content_id="a").json()
    kept = server.client.get("/v1/verdicts?content_id=a").json()["verdicts"]

    code = server.end()

    assert (blocked["action"], len(kept), code) == ("block", 1, 0)
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert {json.loads(line)["event"] for line in lines} == {"request"}
    assert "/welcome#" in server.log.read_text()


@pytest.mark.slow
@pytest.mark.both_databases
def test_what_was_acknowledged_is_there_after_a_kill(serves: Serves, home: Home) -> None:
    """Uploads go on while the server is killed; whoever got no answer asks again."""
    server = serves()
    pictures_ = {
        f"p-{n}": pictures.encode(pictures.smooth_noise(seed=100 + n), "JPEG") for n in range(24)
    }
    acknowledged: dict[str, str] = {}
    lock = threading.Lock()

    def upload(name: str) -> None:
        try:
            answer = server.scan(pictures_[name], name, remember="true", content_id=name)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            with lock:
                acknowledged[name] = answer.headers["egide-verdict-id"]

    for round_ in range(3):
        missing = [name for name in pictures_ if name not in acknowledged]
        with ThreadPoolExecutor(4) as threads:
            tasks = [threads.submit(upload, name) for name in missing]
            time.sleep(0.3 + 0.2 * round_)
            server.end(signal.SIGKILL)
        for task in tasks:
            task.result()
        server = serves()
    before = dict(acknowledged)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upload, pictures_))

    assert {name: acknowledged[name] for name in before} == before
    assert sorted(acknowledged) == sorted(pictures_)
    rows = home.database.fetch("SELECT content_id, id FROM verdict_record ORDER BY content_id")
    assert [(row["content_id"], row["id"]) for row in rows] == sorted(acknowledged.items())
    assert home.bank("library").stats()["entries"]["active"] == len(pictures_)
    assert list((home.path / "spool").iterdir()) == []


@pytest.mark.slow
def test_several_processes_answer_on_one_socket(serves: Serves) -> None:
    server = serves("--processes", "2")

    def ask(_: int) -> dict[str, Any]:
        with httpx.Client(base_url=server.client.base_url, trust_env=False, timeout=60) as client:
            headers = dict(server.client.headers)
            files = {"file": ("a.jpg", COPY)}
            verdict: dict[str, Any] = client.post("/v1/scan", files=files, headers=headers).json()
            return verdict

    def counted(name: str) -> list[float]:
        lines = server.client.get("/metrics").text.splitlines()
        return [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")]

    with ThreadPoolExecutor(4) as threads:
        actions = {verdict["action"] for verdict in threads.map(ask, range(20))}
    server.wait_for(2)  # the other may still be starting

    assert actions == {"block"}
    assert counted("egide_verdicts_total") == [20.0]
    assert server.processes() == 2
    assert server.end() == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")
def test_no_process_keeps_the_port_when_the_one_that_watches_is_killed(serves: Serves) -> None:
    server = serves("--processes", "2")
    server.wait_for(2)

    server.end(signal.SIGKILL)

    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                again.bind(("127.0.0.1", server.port))
                again.listen()
            except OSError:
                time.sleep(0.1)
            else:
                return
    raise AssertionError(server.log.read_text())


@pytest.mark.slow
def test_requests_under_way_are_answered_before_it_stops(serves: Serves) -> None:
    server = serves()
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(server.scan, COPY) for _ in range(4)]
        time.sleep(0.05)
        code = server.end()

    done = [task.result() for task in answers if task.exception() is None]
    refused = [task.exception() for task in answers if task.exception() is not None]
    assert code == 0
    assert all(answer.status_code == 200 for answer in done)
    assert all(isinstance(error, httpx.ConnectError) for error in refused)


def test_a_port_that_is_taken_is_said_so(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [EGIDE, "serve", "--port", port, "--home", home.path],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    assert done.returncode == 2
    assert port in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_bank_that_is_not_there_is_said_so(home: Home, processes: str) -> None:
    some = ("--processes", processes, "--bank", "none")
    done = subprocess.run(
        [EGIDE, "serve", "--port", "0", "--home", home.path, *some],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 2
    assert "'none'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_interface_keeps_to_its_description(serves: Serves, tmp_path: Path) -> None:
    """Hundreds of requests made up from the description: no fault, no answer that it lacks."""
    server = serves()
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("run", f"{server.client.base_url}/openapi.json"),
            *("--header", f"Authorization: {server.client.headers['Authorization']}"),
            *(
                "--include-path-regex",
                "^/(v1/(scan|match|library|verdicts|banks|webhooks|outbox)|livez|readyz)",
            ),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "1"),
            *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
            *("--checks", "response_schema_conformance", "--no-color"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8000:]
