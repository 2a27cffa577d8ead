"""A desk with neutral cases, the people who work at it, and the service that they reach it by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from egide.desk.copies import SIMILAR, Found, add_copies
from egide.desk.desk import Desk
from egide.desk.notices import Location, Notice, Sender
from egide.desk.views import Receipt
from egide.finding import Finding
from egide.identity import CONSOLE
from egide.identity.sessions import Method
from egide.label import Label
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from egide.web.app import create_app
from egide.web.settings import ServeSettings
from egide.web.state import Service
from tests import pictures, videos

PASSWORD = "neutral words for a test"
HARBOUR = 3
"""The seed of the picture that the cases are about: blurred colours."""
STATEMENT = "The picture at this address shows me. I never agreed to it."
SCRIPT = "<script>document.title='taken over'</script><img src=x onerror=alert(1)>"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing about it."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def hosting(folder: Path) -> Iterator[str]:
    """A platform that hosts what is in `folder`; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The application, started, on this port or any of this machine; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.02)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


class Office:
    """A service with a desk, and those who work there."""

    def __init__(self, app: FastAPI, hosted: str) -> None:
        self.app = app
        self.hosted = hosted
        self.numbers = count()
        self.origins = (f"10.{n // 250}.{n % 250}.1" for n in count())

    @property
    def service(self) -> Service:
        """What the routes work with."""
        service: Service = self.app.state.service
        return service

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.service.desk

    def hired(self, name: str, role: str = "moderator") -> str:
        """The token of a session of somebody new, who signed in by two factors."""
        identity = self.service.identity
        _, token = identity.people.accept(identity.people.invite(role), name, PASSWORD)
        with self.service.home.database.write(serial=False) as connection:
            identity.sessions.raise_to(connection, token, Method.PASSKEY)
        return token

    def host_all(self, client: httpx2.Client) -> None:
        """Has the service remember all that the platform hosts."""
        for name, data in CONTENT.items():
            self.host(client, name, data)

    def host(self, client: httpx2.Client, name: str, data: bytes) -> None:
        """Has the service remember content of the platform, as its uploads are."""
        key = self.service.identity.keys.create(f"key-of-{name}", ["scan:write"])
        answer = client.post(
            "/v1/scan",
            files={"file": (name, data)},
            data={"remember": "true", "content_id": name, "content_url": f"{self.hosted}/{name}"},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.text

    def let_pass(self, seconds: float = 120) -> None:
        """Has the desk do what is due so much later."""
        book = self.desk.book
        book._clock = lambda: time.time() + seconds
        try:
            self.desk.tick()
        finally:
            book._clock = time.time

    def found_since(self, case: str, content_id: str) -> None:
        """Adds a copy to a case that is decided, as a later search does."""
        with self.desk.book.writing() as writing:
            add_copies(writing, case, [Found(SIMILAR, content_id, f"{self.hosted}/{content_id}")])

    def screened(self, content_id: str) -> str:
        """The case of an upload that screening wants a person to look at."""
        finding = Finding("text-request.v1", Label.REQUEST_NUDIFY, 0.71)
        verdict = Verdict(
            content_id, Kind.TEXT, None, Action.REVIEW, "request", "default@1", (finding,)
        )
        screening = self.desk.screening
        with self.service.home.database.write() as connection:
            case = screening.screened(connection, verdict, content_id, record="r1")
        assert case is not None
        return case

    def noticed(self, name: str = "harbour.jpg", **given: Any) -> Receipt:
        """A complete notice about content of the platform."""
        said: dict[str, Any] = {
            "jurisdiction": "UK",
            "sender": Sender.SELF,
            "statement": STATEMENT,
            "good_faith": True,
            "signature": f"R. Example {next(self.numbers)}",
            "locations": (Location(url=f"{self.hosted}/{name}"),),
            "contact": {"email": f"r{next(self.numbers)}@example.org"},
        }
        authority = CONSOLE if "order" in given else None
        return self.desk.receive(Notice(**(said | given)), next(self.origins), authority)


def harbour(width: int = 640, height: int = 480) -> bytes:
    """The picture that the cases are about."""
    return pictures.encode(pictures.noise(width, height, seed=HARBOUR), "JPEG")


def edited() -> bytes:
    """The same, smaller and compressed once more."""
    return pictures.encode(pictures.noise(640, 480, seed=HARBOUR)[::2, ::2], "JPEG")


def other() -> bytes:
    """Another picture."""
    return pictures.encode(pictures.noise(640, 480, seed=HARBOUR + 1), "JPEG")


CONTENT = {"harbour.jpg": harbour(), "small.jpg": edited(), "other.jpg": other()}
"""What the platform hosts and the service remembers: one picture twice, and another one."""


@contextmanager
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A desk on an empty home, and a platform that hosts three contents of two pictures."""
    folder = tmp_path / "hosted"
    folder.mkdir()
    for name, data in CONTENT.items():
        (folder / name).write_bytes(data)
    (folder / "clip.mp4").write_bytes(videos.video(videos.shots(2)))
    with hosting(folder) as hosted:
        monkeypatch.setenv("EGIDE_CONTENT_SOURCES", f"private+{hosted}/")
        app = create_app(ServeSettings(home=tmp_path / "home", workers=1))
        yield Office(app, hosted)
