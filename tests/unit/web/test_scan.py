"""`POST /v1/scan` and `/v1/scan/batch`."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from itertools import pairwise
from pathlib import Path

import httpx2 as httpx
import jsonschema
import pytest

import egide.report
from egide.item import Item
from egide.scan import Scanner
from egide.verdict import Verdict
from egide.web.asked import Asked, asked_of_batch, asked_of_json
from tests.unit.web.conftest import COPY, KNOWN, OTHER, Opens, Serving

SCHEMA = json.loads(
    (Path(egide.report.__file__).parent / "verdict.schema.json").read_text(encoding="utf-8")
)
BLOCKED = "undress my coworker please"


def test_a_copy_of_a_banked_picture_is_blocked(serving: Serving) -> None:
    answer = serving.scan(COPY, "holiday.jpg", content_id="p-1")

    verdict = answer.json()
    jsonschema.validate(verdict, SCHEMA)
    assert answer.status_code == 200
    assert verdict["action"] == "block"
    assert verdict["item"]["ref"] == "p-1"
    assert verdict["findings"][0]["evidence"]["bank"] == "known"


def test_another_picture_is_allowed(serving: Serving) -> None:
    verdict = serving.scan(OTHER, "holiday.jpg").json()

    assert (verdict["action"], verdict["item"]["ref"]) == ("allow", "holiday.jpg")
    assert verdict["errors"] == []


def test_a_text_is_read_with_its_context(serving: Serving) -> None:
    verdict = serving.text(BLOCKED, context="prompt").json()

    jsonschema.validate(verdict, SCHEMA)
    assert verdict["action"] == "block"
    assert verdict["findings"][0]["evidence"]["context"] == "prompt"
    assert "coworker" not in json.dumps(verdict)


def test_a_text_that_looks_like_a_record_is_read_whole(serving: Serving) -> None:
    more = "remove the clothes from this picture of my coworker"
    hidden = json.dumps({"text": "a bridge", "more": more})

    assert serving.text("a bridge", context="prompt").json()["action"] == "allow"
    assert serving.text(hidden, context="prompt").json()["action"] == "block"


def test_a_listing_is_read(serving: Serving) -> None:
    listing = {"id": 1, "name": "Bridges", "type": "LORA", "modelVersions": []}

    verdict = serving.ask("POST", "/v1/scan", json={"kind": "listing", "listing": listing}).json()

    assert verdict["item"]["kind"] == "listing"


def test_a_picture_that_is_none_goes_to_review(serving: Serving) -> None:
    verdict = serving.scan(b"words", "a.jpg").json()

    assert verdict["action"] == "review"
    assert verdict["errors"][0]["error"] == "unknown-content"


def test_a_file_larger_than_memory_holds_goes_through_the_spool(serving: Serving) -> None:
    padded = COPY + b"\0" * (2 << 20)

    verdict = serving.scan(padded).json()

    assert verdict["findings"][0]["label"] == "ncii.known"
    assert list(serving.service.spool.folder.iterdir()) == []


def test_nothing_is_taken_over_the_cap(serving: Serving) -> None:
    answer = serving.scan(COPY + b"\0" * (5 << 20))

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "4,194,304 bytes" in answer.json()["detail"]
    assert list(serving.service.spool.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "text"}, "text"),
        ({"kind": "picture", "text": ""}, "body"),
        ({"kind": "text", "text": 3}, "text"),
        ({"kind": "text", "text": "a", "content_id": ""}, "content_id"),
        ({"kind": "text", "text": "a", "remember": True}, "remember"),
        ({"kind": "listing", "listing": {}}, "listing"),
        ({"kind": "listing", "listing": {"text": "a"}}, "listing"),
        ([], "body"),
    ],
)
def test_what_is_wrong_is_named(serving: Serving, body: object, field: str) -> None:
    answer = serving.ask("POST", "/v1/scan", json=body)

    assert answer.status_code == 422
    assert [wrong["field"] for wrong in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"remember": "yes please"}, "remember"),
        ({"remember": "true"}, "content_id"),
        ({"content_id": "a\nb"}, "content_id"),
        ({"content_id": "a" * 201}, "content_id"),
        ({"content_url": "file:///etc/hosts"}, "content_url"),
        ({"content_url": "https://somebody@platform.example/"}, "content_url"),
        ({"contents": "1"}, "contents"),
        ({"context": "p" * 65}, "context"),
    ],
)
def test_a_field_of_a_form_that_is_wrong_is_named(
    serving: Serving, fields: dict[str, str], field: str
) -> None:
    answer = serving.scan(**fields)  # type: ignore[arg-type]

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"words", 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"", 415),
        ({"Content-Type": "multipart/form-data"}, b"", 415),
        ({"Content-Type": "multipart/form-data; boundary=a"}, b"nonsense", 400),
        ({"Content-Type": "multipart/form-data; boundary=a"}, b"--a\r\n\r\n", 422),
        (
            {"Content-Type": "multipart/form-data; boundary=a"},
            b'--a\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut off',
            400,
        ),
        ({"Content-Type": "application/json"}, b"{", 422),
        ({"Content-Type": "application/json"}, b"[" * 100_000, 422),
        ({"Content-Type": "application/json"}, b'{"kind":"text","text":"' + b"a" * (9 << 20), 413),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(
    serving: Serving, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = serving.ask("POST", "/v1/scan", headers=headers, content=body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_strangers_and_keys_without_the_scope_are_refused(serving: Serving) -> None:
    stranger = serving.client.post("/v1/scan", files={"file": ("a.jpg", OTHER)})
    reader = serving.ask("POST", "/v1/scan", scopes=("bank:read",), files={"file": ("a", OTHER)})

    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, "Bearer")
    assert reader.status_code == 403
    assert "scan:write" in reader.json()["detail"]


def test_a_request_with_a_key_is_answered_once(serving: Serving) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"kind": "text", "text": "a bridge", "content_id": "once"}

    first = serving.ask("POST", "/v1/scan", json=body, headers=headers)
    again = serving.ask("POST", "/v1/scan", json=body, headers=headers)
    other = serving.ask("POST", "/v1/scan", json={**body, "text": "b"}, headers=headers)

    assert again.content == first.content
    assert again.headers["egide-verdict-id"] == first.headers["egide-verdict-id"]
    assert (again.headers["idempotency-replayed"], other.status_code) == ("true", 422)
    found = serving.ask("GET", "/v1/verdicts?content_id=once").json()["verdicts"]
    assert len(found) == 1


def test_a_key_is_of_one_principal(serving: Serving) -> None:
    headers = {"Idempotency-Key": "mine"}
    mine = serving.ask("POST", "/v1/scan", json={"kind": "text", "text": "a"}, headers=headers)
    theirs = serving.ask(
        "POST",
        "/v1/scan",
        json={"kind": "text", "text": "b"},
        headers=headers,
        scopes=("scan:write",),
    )

    assert (mine.status_code, theirs.status_code) == (200, 200)


def test_the_record_has_neither_text_nor_name(serving: Serving) -> None:
    text = serving.text(BLOCKED, content_id="t-9")
    picture = serving.scan(KNOWN, "jane-smith.png", content_id="t-10")

    shown = [
        serving.ask("GET", f"/v1/verdicts/{answer.headers['egide-verdict-id']}").json()
        for answer in (text, picture)
    ]

    assert [each["content_id"] for each in shown] == ["t-9", "t-10"]
    assert [each["verdict"]["action"] for each in shown] == ["block", "block"]
    assert "coworker" not in json.dumps(shown)
    assert "smith" not in json.dumps(shown)
    assert shown[0]["verdict"]["item"]["sha256"] is None


def test_records_are_listed_page_by_page(serving: Serving) -> None:
    for number in range(5):
        serving.text(f"bridge {number}", content_id="pages")

    seen: list[str] = []
    before = ""
    while True:
        page = serving.ask("GET", f"/v1/verdicts?content_id=pages&limit=2{before}").json()
        seen += [each["id"] for each in page["verdicts"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"

    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


def test_webhooks_are_told_of_what_is_not_allowed(serving: Serving) -> None:
    outbox = serving.service.outbox
    webhook, _ = outbox.add("https://platform.example/hook", ["verdict.block"])

    for text in ("a bridge", BLOCKED):
        serving.text(text, content_id="told", context="prompt")

    rows = serving.home.database.fetch("SELECT type, body FROM message")
    assert [row["type"] for row in rows] == ["verdict.block"]
    told = json.loads(rows[0]["body"])["data"]
    assert (told["content_id"], told["rule"]) == ("told", "abuse-asked-for")
    assert "findings" not in told
    outbox.remove(webhook.id)


def test_a_batch_is_answered_in_its_order(serving: Serving) -> None:
    items = [{"kind": "text", "text": "a bridge"}, {"kind": "text", "text": BLOCKED}]

    texts = serving.ask("POST", "/v1/scan/batch", json={"items": items}).json()["results"]
    files = serving.ask(
        "POST",
        "/v1/scan/batch",
        files=[("file", ("a.jpg", OTHER)), ("file", ("b.jpg", COPY))],
        data={"content_id": ["b-1", "b-2"]},
    ).json()["results"]

    assert [each["verdict"]["action"] for each in texts] == ["allow", "block"]
    assert [each["verdict"]["action"] for each in files] == ["allow", "block"]
    assert [each["verdict"]["item"]["ref"] for each in files] == ["b-1", "b-2"]


def test_what_is_wrong_in_a_batch_is_named_with_its_place(serving: Serving) -> None:
    items = [{"kind": "text", "text": "a"}, {"kind": "text"}]

    wrong = serving.ask("POST", "/v1/scan/batch", json={"items": items}).json()["errors"]

    assert [each["field"] for each in wrong] == ["items.1.text"]


@pytest.mark.parametrize("part", [b"{}", b"[]", b'""', b'{"a":1}'])
def test_a_listing_is_taken_in_without_being_built(part: bytes) -> None:
    many = b",".join([part] * ((2 << 20) // len(part)))
    listing = b'{"id":1,"name":"a","type":"LORA","modelVersions":[],"x":[%s]}' % many
    body = b'{"kind":"listing","content_id":"l-1","listing":%s}' % listing
    tracemalloc.start()
    try:
        one = asked_of_json(body)
        (several,) = asked_of_batch(b'{"items":[%s]}' % body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(one, Asked)
    assert (one.item.kind, one.item.content, one.content_id) == ("listing", listing, "l-1")
    assert several.digest == one.digest
    assert peak < 8 * len(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"text","text":"a","x":[%s]}' % b",".join([b"{}"] * 200_000),
        b'{"kind":"text","text":"a",%s}' % b",".join(b'"%d":1' % n for n in range(100_000)),
        b'{"kind":"listing","listing":{},"x":[%s]}' % b",".join([b'""'] * 200_000),
    ],
)
def test_more_values_than_any_text_has_are_refused(serving: Serving, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = serving.ask("POST", "/v1/scan", content=body, headers=headers)

    assert (answer.status_code, "131,072" in answer.json()["detail"]) == (413, True)


def test_what_is_within_a_text_is_no_value(serving: Serving) -> None:
    text = '{"a": [1, 2, "b\\\\"]}, ' * 30_000

    assert serving.text(text).json()["action"] == "allow"


@pytest.mark.parametrize(
    ("listing", "more", "field"),
    [
        ({"id": 3}, {}, "items.1.listing"),
        ({"text": "a"}, {}, "items.1.listing"),
        ([], {}, "items.1.listing"),
        ({"id": 3}, {"content_id": ""}, "items.1.content_id"),
        ({"id": 3}, {"other": 1}, "items.1.other"),
    ],
)
def test_what_is_wrong_with_a_listing_in_a_batch_is_named(
    serving: Serving, listing: object, more: dict[str, object], field: str
) -> None:
    items = [{"kind": "text", "text": "a"}, {"kind": "listing", "listing": listing, **more}]
    wrong = serving.ask("POST", "/v1/scan/batch", json={"items": items}).json()["errors"]

    assert [each["field"] for each in wrong] == [field]


def test_texts_of_a_batch_leave_others_their_turn(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    scan = Scanner.scan

    def noted(scanner: Scanner, item: Item) -> Verdict:
        happened.append("text")
        return scan(scanner, item)

    async def others() -> None:
        while True:
            happened.append("others")
            await asyncio.sleep(0)

    async def asked() -> int:
        turns = asyncio.create_task(others())
        transport = httpx.ASGITransport(serving.client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            items = [{"kind": "text", "text": f"bridge {number}"} for number in range(20)]
            headers = {"Authorization": f"Bearer {serving.key('scan:write')}"}
            answer = await client.post("/v1/scan/batch", json={"items": items}, headers=headers)
        turns.cancel()
        return answer.status_code

    monkeypatch.setattr(Scanner, "scan", noted)
    assert serving.client.portal is not None
    assert serving.client.portal.call(asked) == 200
    assert happened.count("text") == 20
    assert ("text", "text") not in pairwise(happened)


def test_a_long_text_is_read_in_a_worker(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scanner, "scan", None)

    assert serving.text("u n d r e s s " * 280).status_code == 200


def test_a_batch_that_is_alone_waits_for_nobody(opens: Opens) -> None:
    serving = opens(queue=2)
    listing = {"id": 1, "name": "Bridges", "type": "LORA", "modelVersions": []}
    batch = {"items": [{"kind": "listing", "listing": listing}] * 5}

    alone = serving.ask("POST", "/v1/scan/batch", json=batch)
    with serving.service.waiting:
        beside = serving.ask("POST", "/v1/scan/batch", json=batch)

    assert (alone.status_code, beside.status_code) == (200, 503)
    assert serving.service.waiting.count == 0


def test_a_key_that_asks_too_often_is_told_when_to_come_back(opens: Opens) -> None:
    serving = opens(rate=0.5)

    answers = [serving.text("a bridge") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) >= 1


def test_when_too_many_wait_others_are_told_to_come_back(serving: Serving) -> None:
    waiting = serving.service.waiting
    waiting.count += 256
    try:
        answer = serving.text("a bridge")
    finally:
        waiting.count -= 256

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert serving.text("a bridge").status_code == 200
