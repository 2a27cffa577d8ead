"""Sends statements of reasons to the DSA Transparency Database. Off until it is configured.

    Statements ─► batches of 100 ─► POST /statements ─► 201: it has all of them
                                                     ├► 422: none; without those it has or
                                                     │       refuses, they are sent again
                                                     └► anything else, or nothing: later

A batch is taken as a whole or not at all. When an answer was lost, the existence of its first
statement tells whether it arrived.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

from egide.desk.statement_database import MOST_AT_ONCE, batches, faults
from egide.desk.statement_store import Kept, Statements
from egide.errors import AddressRefused, UsageError
from egide.outbox.allowed import webhook_guard
from egide.outgoing import Address, AddressGuard, connected

REQUEST_SECONDS: Final = 60.0
MOST_ANSWER: Final = 4 << 20
"""Bytes of an answer that are read: a hundred statements with their errors are far less."""
WAITS: Final = (1.0, 4.0, 16.0)
"""Seconds before each further attempt, in one run."""
LONGEST_WAIT: Final = 60.0
_CREATED: Final = 201
_FOUND: Final = 302
_UNKNOWN: Final = 404
_INVALID: Final = 422
_REFUSED_TOKEN: Final = frozenset({401, 403})
_FAILURES: Final = (OSError, http.client.HTTPException)
_PLACE: Final = re.compile(r"statement_(\d{1,3})")
_FIELD: Final = re.compile(r"[a-z_]{1,60}")
_TOKEN: Final = re.compile(r"[!-~]{1,500}")


class Answer(NamedTuple):
    """What the database said: a status, its JSON where that is an object, and how long to wait."""

    status: int
    document: Mapping[str, Any]
    retry_after: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run came to: statements that the database has, refuses, and still lacks."""

    sent: int
    refused: int
    waiting: int
    said: str = ""


class TransparencyDatabase:
    """The database behind `url`, such as `https://…/api/v1`, asked with `token`."""

    def __init__(self, url: str, token: str, guard: AddressGuard) -> None:
        if not _TOKEN.fullmatch(token):
            raise UsageError("EGIDE_DSA_TOKEN is no token; copy it from the database's own page")
        self._url = url.rstrip("/")
        self._token = token
        self._guard = guard
        guard.check(self._at(""))

    @classmethod
    def from_environment(cls) -> Self | None:
        """As EGIDE_DSA_URL and EGIDE_DSA_TOKEN say; None where neither is set. UsageError."""
        url, token = os.environ.get("EGIDE_DSA_URL"), os.environ.get("EGIDE_DSA_TOKEN")
        if not url and not token:
            return None
        if not url or not token:
            raise UsageError("EGIDE_DSA_URL and EGIDE_DSA_TOKEN belong together; set both")
        return cls(url, token, webhook_guard())

    def create(self, body: Mapping[str, Any]) -> Answer:
        """Posts a batch; OSError or HTTPException when there is no answer."""
        return self._ask("POST", "/statements", json.dumps(body).encode())

    def exists(self, puid: str) -> bool | None:
        """Whether the database has the statement; None when it does not say.

        OSError or HTTPException when there is no answer.
        """
        answer = self._ask("GET", f"/statement/existing-puid/{quote(puid, safe='')}")
        return {_FOUND: True, _UNKNOWN: False}.get(answer.status)

    def _at(self, path: str) -> Address:
        return Address.parse(self._url + path)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        address = self._at(path)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "egide",
        }
        if body is not None:
            headers["Content-Length"] = str(len(body))
        with connected(address, self._guard.resolve(address), REQUEST_SECONDS) as connection:
            connection.ask(method)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            text = b"" if answer.status == _CREATED else answer.read(MOST_ANSWER)
            return Answer(answer.status, _object(text), _seconds(answer.getheader("Retry-After")))


class Sender:
    """Sends what `statements` keeps to `database`; `clock` gives seconds since 1970."""

    def __init__(
        self,
        statements: Statements,
        database: TransparencyDatabase,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._statements = statements
        self._database = database
        self._pause = pause
        self._clock = clock

    def send(self, begin: int, end: int) -> Sent:
        """Sends those made from `begin` to just before `end`, in ms since 1970, not sent so far.

        UsageError when the token is refused, or the address. What does not arrive in some attempts
        waits for the next run.
        """
        due = [
            kept
            for kept in self._statements.made_between(begin, end)
            if kept.sent is None and not kept.refused
        ]
        run = _Run()
        for first in range(0, len(due), MOST_AT_ONCE):
            self._send(self._valid(due[first : first + MOST_AT_ONCE], run), run)
            if run.stopped:
                break
        waiting = len(due) - run.sent - run.refused
        return Sent(run.sent, run.refused, waiting, run.said if waiting else "")

    def _valid(self, batch: Sequence[Kept], run: _Run) -> list[Kept]:
        """Those that our own schema takes; one that is wrong would cost the whole batch."""
        good = []
        for kept in batch:
            wrong = faults(kept.document)
            if wrong:
                self._refuse([kept], f"not sent: {'; '.join(wrong)}", run)
            else:
                good.append(kept)
        return good

    def _send(self, batch: list[Kept], run: _Run) -> None:
        """Sends one batch until it is there, or is given up for now."""
        waits = iter(WAITS)
        while batch:
            answer, said = self._attempt(batch)
            if answer is None and self._there(batch[0]):
                self._have(batch, "it was there already", run)
                return
            if answer is not None and answer.status == _CREATED:
                self._have(batch, said, run)
                return
            if answer is not None and answer.status in _REFUSED_TOKEN:
                self._statements.mark_tried([kept.puid for kept in batch], said)
                raise UsageError(f"the Transparency Database {said}: look at EGIDE_DSA_TOKEN")
            left = self._without(batch, answer, run)
            if len(left) < len(batch):
                batch = left
                continue
            wait = next(waits, None)
            if wait is None or (answer is not None and answer.status == _INVALID):
                self._statements.mark_tried([kept.puid for kept in batch], said)
                run.stopped, run.said = True, said
                return
            self._pause(min(max(wait, answer.retry_after if answer else 0), LONGEST_WAIT))

    def _attempt(self, batch: Sequence[Kept]) -> tuple[Answer | None, str]:
        (body,) = batches([kept.document for kept in batch])
        try:
            answer = self._database.create(body)
        except AddressRefused as error:
            raise UsageError(f"EGIDE_DSA_URL: {error.detail}") from None
        except _FAILURES as error:
            return None, f"no answer ({type(error).__name__})"
        return answer, f"answered {answer.status}"

    def _there(self, kept: Kept) -> bool:
        """Whether a batch of which no answer came has arrived: it did if its first one did."""
        try:
            return self._database.exists(kept.puid) is True
        except _FAILURES:
            return False

    def _without(self, batch: list[Kept], answer: Answer | None, run: _Run) -> list[Kept]:
        """What is left of `batch` when what the answer complains of is settled."""
        if answer is None or answer.status != _INVALID:
            return batch
        errors = answer.document.get("errors")
        if not isinstance(errors, Mapping):
            return batch
        there = self._already(batch, errors)
        self._have(there, "it was there already", run)
        wrong = {place: fields for key, fields in errors.items() if (place := _place(key)) >= 0}
        for place, fields in wrong.items():
            if place < len(batch) and batch[place] not in there:
                self._refuse([batch[place]], f"refused: {_fields(fields)}", run)
        gone = {kept.puid for kept in there} | {
            batch[place].puid for place in wrong if place < len(batch)
        }
        return [kept for kept in batch if kept.puid not in gone]

    def _already(self, batch: Sequence[Kept], errors: Mapping[str, Any]) -> list[Kept]:
        """Those that the database has, when it complains of identifiers that are not new."""
        if "puid" not in errors:
            return []
        named = errors.get("existing_puids")
        if isinstance(named, list) and named:
            return [kept for kept in batch if kept.puid in named]
        try:
            return [kept for kept in batch if self._database.exists(kept.puid)]
        except _FAILURES:
            return []

    def _have(self, batch: Sequence[Kept], said: str, run: _Run) -> None:
        if batch:
            now = round(self._clock() * 1000)
            self._statements.mark_sent([kept.puid for kept in batch], now, said)
            run.sent += len(batch)

    def _refuse(self, batch: Sequence[Kept], said: str, run: _Run) -> None:
        self._statements.mark_refused([kept.puid for kept in batch], said)
        run.refused += len(batch)


@dataclass(slots=True)
class _Run:
    """What has come of a run so far."""

    sent: int = 0
    refused: int = 0
    stopped: bool = False
    said: str = ""


def _place(key: object) -> int:
    found = _PLACE.fullmatch(str(key))
    return int(found[1]) if found else -1


def _fields(fields: object) -> str:
    """The names of fields, and nothing else that the other side wrote."""
    names = [str(name) for name in fields] if isinstance(fields, Mapping) else []
    return ", ".join(name for name in names if _FIELD.fullmatch(name)) or "without a reason"


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _seconds(header: str | None) -> float:
    text = (header or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0
