"""The DSA Transparency Database as its documentation describes it, on this machine.

All or nothing, at most a hundred at once, a Bearer token, 201 for what was created, 422 with errors
by place or with the identifiers it has already, 302 or 404 when it is asked for one.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

TOKEN = "17|abcDEF0123456789"
REQUIRED = (
    "decision_ground",
    "content_type",
    "category",
    "content_date",
    "application_date",
    "decision_facts",
    "source_type",
    "automated_detection",
    "automated_decision",
    "puid",
)


class TransparencyServer:
    """Takes statements; `moods` are how the next requests go: lose, drop, or a status."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.moods: list[str | int] = []
        self.names_existing = True
        self.retry_after = ""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.post(self)

            def do_GET(self) -> None:
                server.get(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(("GET", handler.path))
        puid = handler.path.removeprefix("/api/v1/statement/existing-puid/")
        there = puid in self.kept
        said = {"message": f"statement of reason {'' if there else 'not '}found", "puid": puid}
        self._answer(handler, 302 if there else 404, said)

    def post(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append(("POST", handler.path))
        mood = self.moods.pop(0) if self.moods else ""
        if mood == "drop":
            self._hang_up(handler)
            return
        if isinstance(mood, int):
            self._answer(handler, mood, {"message": "not now"})
            return
        status, said = self._created(handler, body)
        if mood == "lose":
            self._hang_up(handler)
        else:
            self._answer(handler, status, said)

    def _created(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any]]:
        assert handler.path == "/api/v1/statements"
        assert handler.headers["Content-Type"] == "application/json"
        if handler.headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthenticated."}
        statements = json.loads(body)["statements"]
        if not 1 <= len(statements) <= 100:
            return 422, {"message": "between 1 and 100", "errors": {"statements": ["between"]}}
        errors = {
            f"statement_{place}": {name: ["required"] for name in missing}
            for place, each in enumerate(statements)
            if (missing := [name for name in REQUIRED if not each.get(name)])
        }
        if errors:
            return 422, {"errors": errors}
        puids = [each["puid"] for each in statements]
        there = [puid for puid in puids if puid in self.kept]
        if there or len(set(puids)) < len(puids):
            said: dict[str, Any] = {"puid": ["The platform identifier(s) are not all unique."]}
            if self.names_existing:
                said["existing_puids"] = there
            return 422, {"message": said["puid"][0], "errors": said}
        self.kept |= {each["puid"]: each for each in statements}
        return 201, {"statements": statements}

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        if self.retry_after:
            handler.send_header("Retry-After", self.retry_after)
        if status == 302:
            handler.send_header("Location", f"{self.url}/elsewhere")
        handler.end_headers()
        handler.wfile.write(body)

    @staticmethod
    def _hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def transparency() -> Iterator[TransparencyServer]:
    """Such a server."""
    server = TransparencyServer()
    yield server
    server.close()
