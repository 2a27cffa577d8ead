"""Both clients against a server on a socket: what they send, what they make of answers, when they
ask again.
"""

from __future__ import annotations

import asyncio
import io
import json
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, assert_type

import pytest

from egide.client import (
    AsyncClient,
    BadAnswer,
    Client,
    Conflict,
    Invalid,
    ModelListing,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refused,
    Retries,
    Scanned,
    ServiceError,
    Text,
    TimedOut,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unreachable,
    Wrong,
)
from egide.client.results import Copy
from egide.fingerprint import Fingerprint
from egide.outbox.signing import new_secret
from egide.web.contract import ALLOWED_EXAMPLE, VERDICT_EXAMPLE
from tests.unit.client.conftest import KEY, Clients, Said, Scripted

VERDICT = Said(document=VERDICT_EXAMPLE, headers={"Egide-Verdict-Id": "aa", "Egide-Entry-Id": "b"})
BUSY = Said(503, {"detail": "the storage cannot be used"}, {"Retry-After": "2"})
PDQ = Fingerprint.from_hex("pdq", "0f" * 32)


def problem(status: int, **more: Any) -> Said:
    return Said(status, {"detail": "do this", "request_id": "r-1", **more})


def test_a_scan_is_answered_with_its_verdict(scripted: Scripted, clients: Clients) -> None:
    scripted.says(VERDICT)

    scanned = clients(scripted.url).scan_text("a text", context="prompt", content_id="p-1")

    assert (scanned.action, scanned.id, scanned.entry, scanned.replayed) == (
        "block",
        "aa",
        "b",
        False,
    )
    assert scanned.verdict.to_json(reveal=True) == VERDICT_EXAMPLE
    (seen,) = scripted.seen
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.document == {
        "kind": "text",
        "text": "a text",
        "context": "prompt",
        "content_id": "p-1",
    }


@pytest.mark.parametrize("kind", ["path", "text path", "bytes", "open file"])
def test_files_are_sent_whatever_they_come_as(
    scripted: Scripted, clients: Clients, tmp_path: Path, kind: str
) -> None:
    scripted.says(VERDICT)
    data = b"\r\n--picture--" * 20_000
    path = tmp_path / 'ein "Bild".jpg'
    path.write_bytes(data)
    with path.open("rb") as file:
        source = {"path": path, "text path": str(path), "bytes": data, "open file": file}[kind]
        clients(scripted.url).scan_file(source, content_id="é", remember=True)
        assert not file.closed

    (seen,) = scripted.seen
    assert seen.body.count(data) == 1
    assert b'name="content_id"\r\n\r\n\xc3\xa9\r\n' in seen.body
    assert b'name="remember"\r\n\r\ntrue\r\n' in seen.body
    named = b"file" if kind == "bytes" else b"ein %22Bild%22.jpg"
    assert b'filename="%s"' % named in seen.body
    assert seen.headers["content-length"] == str(len(seen.body))


def test_a_batch_has_its_items_in_order(scripted: Scripted, clients: Clients) -> None:
    results = [
        {"id": "1", "entry": None, "verdict": ALLOWED_EXAMPLE},
        {"id": "2", "entry": "e", "verdict": VERDICT_EXAMPLE},
    ]
    scripted.says(Said(document={"results": results}, headers={"Idempotency-Replayed": "true"}))

    first, second = clients(scripted.url).scan_batch(
        [Text("one", attributes={"title": "t"}), ModelListing({"id": 1}, "m-1")]
    )

    assert (first.id, first.action, second.entry, second.action) == ("1", "allow", "e", "block")
    assert first.replayed
    assert scripted.seen[0].document["items"] == [
        {"kind": "text", "text": "one", "title": "t"},
        {"kind": "listing", "listing": {"id": 1}, "content_id": "m-1"},
    ]


def test_lists_are_followed_to_their_end(scripted: Scripted, clients: Clients) -> None:
    def copies(number: int, following: str | None) -> Said:
        copy: dict[str, Any] = {"content_id": f"c-{number}", "content_url": None, "bank": "library"}
        copy |= {"entry": "e", "method": "pdq", "distance": number, "at": None, "later": True}
        return Said(document={"copies": [copy], "next": following})

    scripted.says(copies(1, "1-e"), copies(2, None))

    found = clients(scripted.url).copies(fingerprints=[PDQ], threshold=20)

    assert [copy.content_id for copy in found] == ["c-1", "c-2"]
    assert [seen.path for seen in scripted.seen] == [
        "/v1/library/copies",
        "/v1/library/copies?after=1-e",
    ]
    assert scripted.seen[1].document["fingerprints"] == [
        {"type": "pdq", "hash": "0f" * 32, "quality": 100}
    ]


def test_names_in_a_path_stay_in_their_place(scripted: Scripted, clients: Clients) -> None:
    client = clients(f"{scripted.url}/below/")
    for name in ("../keys", "a/b?c#d", "..", "é"):
        client.remove_bank(name)

    assert [seen.path for seen in scripted.seen] == [
        "/below/v1/banks/..%2Fkeys",
        "/below/v1/banks/a%2Fb%3Fc%23d",
        "/below/v1/banks/%2E%2E",
        "/below/v1/banks/%C3%A9",
    ]


def test_an_export_comes_as_it_is_sent(scripted: Scripted, clients: Clients) -> None:
    scripted.says(Said(503, {}), Said(document=b"line\n" * 50_000))

    exported = clients(scripted.url).export_list("known", "csv")

    assert b"".join(exported) == b"line\n" * 50_000
    assert [seen.path for seen in scripted.seen] == ["/v1/banks/known/export?format=csv"] * 2


def test_an_export_that_breaks_off_is_an_error(scripted: Scripted, clients: Clients) -> None:
    scripted.says(Said(document=b"line\n", cut=True))

    with pytest.raises(Unreachable):
        clients(scripted.url).export_list("known")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, NotAuthenticated),
        (403, NotAllowed),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (422, Invalid),
        (500, Unavailable),
    ],
)
def test_problems_are_errors_of_their_own(
    scripted: Scripted, clients: Clients, status: int, kind: type[Refused]
) -> None:
    scripted.says(problem(status, errors=[{"field": "items.0.text", "detail": "too long"}]))

    with pytest.raises(kind) as raised:
        clients(scripted.url).scan_text("x")

    error = raised.value
    assert (error.status, error.detail, error.request_id) == (status, "do this", "r-1")
    assert error.fields == (Wrong("items.0.text", "too long"),)
    assert (error.attempts, len(scripted.seen)) == (1, 1)
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.fields, str(copied)) == (kind, error.fields, str(error))


@pytest.mark.parametrize(
    "said",
    [
        Said(document=b"<html>not us"),
        Said(document=[1]),
        Said(document=VERDICT_EXAMPLE | {"schema": "egide.verdict/2"}),
        Said(document=b"[" * 100_000),
        Said(302, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
    ],
)
def test_what_is_no_answer_of_ours_is_said(
    scripted: Scripted, clients: Clients, said: Said
) -> None:
    scripted.says(said)

    with pytest.raises(BadAnswer):
        clients(scripted.url).scan_text("x")
    assert len(scripted.seen) == 1


@pytest.mark.parametrize(
    "result", ["one", None, [], {}, {"id": None, "verdict": ALLOWED_EXAMPLE}, {"id": "1"}]
)
def test_what_is_no_batch_of_ours_is_said(
    scripted: Scripted, clients: Clients, result: Any
) -> None:
    scripted.says(Said(document={"results": [result]}))

    with pytest.raises(BadAnswer, match="upgrade this client"):
        clients(scripted.url).scan_batch([Text("one")])


# httpcore2 leaves its own generator open, which Trio tells.
@pytest.mark.filterwarnings("ignore:Async generator .httpcore2:ResourceWarning")
def test_an_answer_without_end_is_cut_off(
    scripted: Scripted, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.client.clients.MOST_ANSWER", 1000)
    scripted.says(Said(document=b"x" * 200_000))

    with pytest.raises(BadAnswer):
        clients(scripted.url).whoami()


def test_it_asks_again_with_the_same_key(
    scripted: Scripted, clients: Clients, slept: list[float]
) -> None:
    scripted.says(BUSY, Said(broken=True), Said(429, {}, {"Retry-After": "7"}), VERDICT)

    scanned = clients(scripted.url, retries=Retries(first=0.4)).scan_file(b"picture" * 30_000)

    keys = {seen.headers["idempotency-key"] for seen in scripted.seen}
    assert (scanned.action, len(scripted.seen), len(keys)) == ("block", 4, 1)
    assert len({seen.body for seen in scripted.seen}) == 1
    assert 2 <= slept[0] <= 2.2
    assert 0.4 <= slept[1] <= 0.8
    assert 7 <= slept[2] <= 7.5


def test_another_call_has_another_key_unless_it_is_given(
    scripted: Scripted, clients: Clients
) -> None:
    scripted.says(VERDICT)
    client = clients(scripted.url)
    client.scan_text("x")
    client.scan_text("x")
    client.scan_text("x", idempotency_key="task-1")

    keys = [seen.headers["idempotency-key"] for seen in scripted.seen]
    assert len(set(keys)) == 3
    assert keys[2] == "task-1"


def test_it_gives_up_in_the_end(scripted: Scripted, clients: Clients, slept: list[float]) -> None:
    scripted.says(BUSY)

    with pytest.raises(Unavailable) as raised:
        clients(scripted.url, retries=Retries(attempts=3)).scan_text("x")

    assert (raised.value.attempts, len(scripted.seen), len(slept)) == (3, 3, 2)
    assert raised.value.retry_after == 2


def test_it_does_not_wait_longer_than_its_patience(
    scripted: Scripted, clients: Clients, slept: list[float]
) -> None:
    scripted.says(Said(429, {}, {"Retry-After": "3600"}))

    with pytest.raises(TooManyRequests):
        clients(scripted.url, retries=Retries(patience=60)).scan_text("x")

    assert (len(scripted.seen), slept) == (1, [])


def test_slow_answers_end_in_time(scripted: Scripted, clients: Clients) -> None:
    scripted.says(Said(wait=2.0), VERDICT)
    client = clients(scripted.url, timeout=1.0)

    assert client.scan_text("x").action == "block"
    scripted.says(Said(wait=1.0))
    with pytest.raises(TimedOut) as raised:
        clients(scripted.url, timeout=0.1, retries=Retries(attempts=2, first=0)).scan_text("x")
    assert raised.value.attempts == 2


def test_nobody_there_is_said(scripted: Scripted, clients: Clients) -> None:
    with pytest.raises(Unreachable) as raised:
        clients("http://127.0.0.1:9").whoami()

    assert raised.value.attempts == 4
    assert "http://127.0.0.1:9" in str(raised.value)


def test_what_must_not_be_done_twice_is_not_repeated_in_doubt(
    scripted: Scripted, clients: Clients, slept: list[float]
) -> None:
    added = Said(201, {"entry": "e", "new": True})
    client = clients(scripted.url, retries=Retries())

    scripted.says(Said(broken=True), added)
    with pytest.raises(Unreachable):
        client.add_fingerprints("known", [PDQ])
    scripted.says(BUSY, added)
    with pytest.raises(Unavailable):
        client.add_file("known", b"picture")
    assert slept == []

    scripted.says(Said(429, {}), added)
    assert client.add_fingerprints("known", [PDQ]).new
    scripted.says(Said(broken=True), BUSY, added)
    assert client.add_fingerprints("known", [PDQ], ref="case 17").entry == "e"
    assert len(slept) == 3


def test_what_an_earlier_attempt_removed_is_gone(
    scripted: Scripted, clients: Clients, slept: list[float]
) -> None:
    client = clients(scripted.url)
    scripted.says(Said(broken=True), problem(404))
    client.remove_bank("known")
    scripted.says(Said(broken=True), problem(404))
    assert client.forget("p-1").withdrawn == ()

    scripted.says(Said(429, {}), problem(404))
    with pytest.raises(NotFound):
        client.remove_bank("known")


def test_connections_are_used_again(scripted: Scripted, clients: Clients) -> None:
    client = clients(scripted.url)
    for _ in range(5):
        client.whoami()

    assert len({seen.port for seen in scripted.seen}) == 1


def test_the_key_is_never_shown(scripted: Scripted, clients: Clients) -> None:
    scripted.says(problem(403))
    client = clients(scripted.url)
    with pytest.raises(ServiceError) as raised:
        client.whoami()

    shown = (
        repr(client.client) + repr(raised.value) + str(client.client) + repr(vars(client.client))
    )
    assert scripted.url in shown
    assert KEY not in shown


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("ftp://h", KEY),
        ("http://u:p@h", KEY),
        ("//h", KEY),
        ("http://h/?a=b", KEY),
        ("http://h", "a\nb"),
        ("http://h", ""),
        ("http://h", "clé"),
    ],
)
def test_addresses_and_keys_that_cannot_be_are_refused(kind: Any, url: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"address|API key") as raised:
        kind(url, key)

    assert not key or key not in str(raised.value)


def test_it_is_made_from_the_environment(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGIDE_SERVICE_URL", scripted.url)
    with pytest.raises(ValueError, match="EGIDE_SERVICE_KEY"):
        Client.from_environment()
    monkeypatch.setenv("EGIDE_SERVICE_KEY", KEY)
    monkeypatch.setenv("EGIDE_WEBHOOK_SECRETS", f"{new_secret()} {new_secret()}")

    with Client.from_environment(timeout=3) as client:
        client.whoami()
        assert "2 secrets" in repr(client.webhooks)

    assert scripted.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_both_clients_are_typed(scripted: Scripted) -> None:
    """What mypy makes of the methods: it would not accept another type here."""
    scripted.says(VERDICT)

    async def later() -> Scanned:
        async with AsyncClient(scripted.url, KEY) as client:
            assert_type(client.copies(entry="e"), AsyncIterator[Copy])
            return assert_type(await client.scan_text("x", context="post"), Scanned)

    with Client(scripted.url, KEY) as client:
        now = assert_type(client.scan_text("x", context="post"), Scanned)
        assert_type(client.copies(entry="e"), Iterator[Copy])
        assert_type(client.export_list("known"), Iterator[bytes])
    assert asyncio.run(later()) == now
    assert "Scans a text" in (Client.scan_text.__doc__ or "")


def test_files_that_are_not_there_are_an_error_of_this_machine(clients: Clients) -> None:
    with pytest.raises(FileNotFoundError):
        clients("http://127.0.0.1:9").scan_file("not-there.jpg")
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        clients("http://127.0.0.1:9").scan_file(closed)


def test_it_is_loaded_by_those_who_use_it() -> None:
    code = (
        "import sys, json, egide; before = 'egide.client' in sys.modules or 'httpx2' in sys.modules"
        "\nimport egide.client; print(json.dumps([before, sorted(n for n in sys.modules if n in"
        " ('numpy', 'egide._kernel', 'egide.db', 'egide.bank', 'fastapi', 'pydantic'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert json.loads(done.stdout) == [False, []]
