"""`/v1/webhooks…` and `/v1/outbox…`: who is told, and what is on its way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from egide.outbox.signing import headers_of, key_of
from tests.unit.outbox.conftest import Listener
from tests.unit.web.conftest import COPY, Opens, Serving

SCOPES = ("outbox:read", "outbox:write", "scan:write")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


@pytest.fixture
def telling(opens: Opens, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """A service that may tell the listener."""
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", f"http://127.0.0.1:{listener.port}/hooks/")
    return opens()


def ask(serving: Serving, method: str, path: str, **given: Any) -> httpx.Response:
    return serving.ask(method, path, scopes=SCOPES, **given)


def until(found: Callable[[], Any]) -> Any:
    """What `found` gives once it gives something."""
    ends = time.monotonic() + 10
    while not (value := found()):
        assert time.monotonic() < ends
        time.sleep(0.02)
    return value


def test_a_webhook_is_added_told_rotated_and_removed(telling: Serving, listener: Listener) -> None:
    wanted = {"url": listener.url, "events": ["verdict.block"]}
    added = ask(telling, "POST", "/v1/webhooks", json=wanted)
    webhook, secret = added.json()["webhook"], added.json()["secret"]
    listed = ask(telling, "GET", "/v1/webhooks").json()["webhooks"]

    assert added.status_code == 201
    assert [each["webhook"] for each in listed] == [webhook]
    assert listed[0]["host"] == f"http://127.0.0.1:{listener.port}"
    assert "secret" not in str(listed[0]).replace("secrets", "")

    telling.scan(COPY, content_id="p-1")
    told = until(lambda: listener.requests)[0]
    seconds = int(told.headers["webhook-timestamp"])
    signed = headers_of(told.headers["webhook-id"], seconds, told.body, [key_of(secret)])
    assert told.headers["webhook-signature"] == signed["webhook-signature"]
    assert told.data["content_id"] == "p-1"

    rotated = ask(telling, "POST", f"/v1/webhooks/{webhook}/rotate", json={"overlap_hours": 1})
    assert rotated.json()["secret"] not in ("", secret)
    assert ask(telling, "GET", "/v1/webhooks").json()["webhooks"][0]["secrets"] == 2
    off = ask(telling, "POST", f"/v1/webhooks/{webhook}/disable").json()
    on = ask(telling, "POST", f"/v1/webhooks/{webhook}/enable").json()
    assert (off["disabled"] is not None, on["disabled"]) == (True, None)
    assert ask(telling, "DELETE", f"/v1/webhooks/{webhook}").status_code == 204
    assert ask(telling, "GET", "/v1/webhooks").json() == {"webhooks": []}


def test_what_is_on_its_way_is_listed_and_sent_again(telling: Serving, listener: Listener) -> None:
    ask(telling, "POST", "/v1/webhooks", json={"url": listener.url})
    for number in range(3):
        telling.scan(COPY, content_id=f"p-{number}")
    until(lambda: len(listener.requests) == 3)
    delivered = "/v1/outbox?state=delivered"
    until(lambda: len(ask(telling, "GET", delivered).json()["deliveries"]) == 3)

    first = ask(telling, "GET", "/v1/outbox?limit=2").json()
    second = ask(telling, "GET", f"/v1/outbox?limit=2&before={first['next']}").json()
    numbers = [each["delivery"] for each in first["deliveries"] + second["deliveries"]]
    assert numbers == sorted(numbers, reverse=True)
    assert (len(numbers), second["next"]) == (3, None)
    assert ask(telling, "GET", "/v1/outbox?state=dead").json()["deliveries"] == []

    again = ask(telling, "POST", f"/v1/outbox/{numbers[0]}/replay")
    until(lambda: len(listener.requests) == 4)
    assert again.json() == {"delivery": numbers[0]}
    assert len({told.headers["webhook-id"] for told in listener.requests}) == 3


def test_what_is_being_sent_is_not_sent_again(telling: Serving, listener: Listener) -> None:
    listener.seconds = 1.0
    ask(telling, "POST", "/v1/webhooks", json={"url": listener.url})
    telling.scan(COPY)
    until(lambda: listener.requests)
    number = ask(telling, "GET", "/v1/outbox").json()["deliveries"][0]["delivery"]

    assert ask(telling, "POST", f"/v1/outbox/{number}/replay").status_code == 409


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/webhooks/wh_none/rotate", 404),
        ("/v1/webhooks/wh_none/disable", 404),
        ("/v1/webhooks/wh_none/enable", 404),
        ("/v1/outbox/99999999/replay", 404),
        ("/v1/outbox/0/replay", 422),
        ("/v1/outbox/nine/replay", 422),
    ],
)
def test_what_is_not_there_is_told(serving: Serving, path: str, status: int) -> None:
    answer = ask(serving, "POST", path, json={} if path.endswith("rotate") else None)
    assert answer.status_code == status
    assert "egide outbox" not in answer.text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://user@hooks.example/"}, "url"),
        ({"url": "https://hooks.example/", "events": []}, "events"),
        ({"url": "https://hooks.example/", "events": ["Verdict"]}, "events.0"),
        ({"url": "https://hooks.example/", "secret": "x"}, "secret"),
        ({}, "url"),
    ],
)
def test_what_cannot_be_told_is_refused(serving: Serving, given: Any, field: str) -> None:
    answer = ask(serving, "POST", "/v1/webhooks", json=given)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert ask(serving, "GET", "/v1/webhooks").json() == {"webhooks": []}
