"""`/v1/notices`, `/v1/copies`, `/v1/works`, and what a scan tells the desk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from egide import Item, fingerprints_of
from egide.desk.asks import Decision
from egide.fingerprint import FingerprintType
from egide.identity.scopes import CONSOLE
from tests import pictures
from tests.unit.web.conftest import Opens, Serving

PICTURE = pictures.encode(pictures.smooth_noise(seed=41), "PNG")
SAME = pictures.encode(pictures.smooth_noise(seed=41), "JPEG", quality=80)
PDQ = next(
    each.hex
    for each in fingerprints_of(Item.from_bytes(PICTURE))
    if each.type is FingerprintType.PDQ
)
NOTICE: dict[str, Any] = {
    "jurisdiction": "US",
    "role": "self",
    "statement": "It shows me, and I did not agree.",
    "good_faith": True,
    "signature": "Camille Example",
    "locations": ["post-1"],
    "fingerprints": [{"type": "pdq", "value": PDQ}],
    "contact": None,
}


def send(serving: Serving, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    """The answer to a notice."""
    return serving.client.post("/v1/notices", json={**NOTICE, **changes}, headers=headers or {})


def look(serving: Serving, case: str, pin: str) -> Any:
    """The answer to a question how a case stands."""
    return serving.client.get(f"/v1/notices/{case}", headers={"X-Case-Pin": pin})


def test_a_notice_takes_no_key_and_gives_a_case(opens: Opens) -> None:
    serving = opens()
    answer = send(serving)
    assert answer.status_code == 201
    receipt = answer.json()
    assert set(receipt) == {"case", "pin", "state", "deadline", "missing"}
    assert (receipt["state"], receipt["missing"]) == ("open", [])
    assert receipt["deadline"].endswith("Z")
    status = look(serving, receipt["case"], receipt["pin"])
    assert status.status_code == 200
    shown = status.json()
    assert {"state", "deadline", "copies_found", "events"} <= set(shown)
    assert shown["deadline"] == receipt["deadline"]
    assert [each["event"] for each in shown["events"]][:2] == ["received", "accepted"]


def test_wrong_numbers_and_pins_get_the_same_answer(opens: Opens) -> None:
    serving = opens()
    receipt = send(serving).json()
    answers = [
        look(serving, receipt["case"], "0000000000"),
        look(serving, "EG-2222-2222", receipt["pin"]),
        look(serving, "nothing", ""),
        serving.client.get(f"/v1/notices/{receipt['case']}"),
        serving.client.post(f"/v1/notices/{receipt['case']}/withdraw"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    # Neither key nor session opens a person's case.
    case = f"/v1/notices/{receipt['case']}"
    assert serving.ask("GET", case, scopes=("case:read",)).status_code == 404


def test_what_is_missing_is_told_and_what_is_malformed_is_refused(opens: Opens) -> None:
    serving = opens()
    incomplete = send(serving, signature=None)
    assert incomplete.status_code == 201
    assert incomplete.json()["state"] == "incomplete"
    assert incomplete.json()["missing"] == ["signature"]
    case, pin = incomplete.json()["case"], incomplete.json()["pin"]
    added = serving.client.post(
        f"/v1/notices/{case}/add", json={"signature": "C."}, headers={"X-Case-Pin": pin}
    )
    assert (added.status_code, added.json()["state"]) == (200, "open")
    for changes, field in (
        ({"locations": [5]}, "locations.0"),
        ({"fingerprints": [{"type": "pdq", "value": "00"}]}, "fingerprints.0.value"),
        ({"jurisdiction": "XX"}, "jurisdiction"),
        ({"more": 1}, "more"),
    ):
        wrong = send(serving, **changes)
        assert wrong.status_code == 422
        assert wrong.headers["content-type"] == "application/problem+json"
        assert [each["field"] for each in wrong.json()["errors"]] == [field]
    assert serving.client.post("/v1/notices", content=b"[", headers=JSON).status_code == 422
    assert (
        serving.client.post("/v1/notices", content=b"x" * 300_000, headers=JSON).status_code == 413
    )
    assert serving.client.post("/v1/notices", data={"a": "b"}).status_code == 415


def test_a_key_that_may_send_none_is_refused_and_noted_as_such(opens: Opens) -> None:
    serving = opens()
    key = {"Authorization": f"Bearer {serving.key('scan:write')}"}
    assert send(serving, key).status_code == 403
    serving.service.identity.audit.flush()
    rows = serving.service.identity.audit.rows()
    noted = {(each.outcome, each.reason) for each in rows if each.action == "POST /v1/notices"}
    assert noted == {("denied", "NotAllowed")}


def test_a_notice_sent_twice_with_a_key_is_one(opens: Opens) -> None:
    serving = opens()
    headers = {"Idempotency-Key": "a1"}
    first, again = send(serving, headers), send(serving, headers)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert send(serving, headers, statement="other").status_code == 422
    held = serving.home.database.fetch("SELECT count(*) AS n FROM desk_case")
    assert held[0]["n"] == 1
    kept = serving.home.database.fetch("SELECT body FROM answered")
    assert first.json()["pin"].encode() not in bytes(kept[0]["body"])


def test_of_two_that_come_at_once_with_a_key_one_is_kept(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = opens()
    headers = {"Idempotency-Key": "a1"}
    first = send(serving, headers)
    monkeypatch.setattr(serving.service.answers, "find", lambda *_: None)
    again = send(serving, headers)
    assert again.content == first.content
    held = serving.home.database.fetch("SELECT count(*) AS n FROM desk_case")
    assert held[0]["n"] == 1


def test_where_banks_are_chosen_those_of_the_desk_are_looked_in_too(opens: Opens) -> None:
    serving = opens(banks=("known",))
    send(serving)
    assert serving.scan(SAME, content_id="post-2").json()["action"] == "review"


def test_the_public_form_is_rate_limited_and_a_key_is_not(opens: Opens) -> None:
    serving = opens()
    codes = [send(serving, signature=f"P {n}", locations=[f"p{n}"]).status_code for n in range(32)]
    assert codes == [201] * 30 + [429] * 2
    headers = {"Authorization": f"Bearer {serving.key('notice:write')}"}
    assert send(serving, headers, signature="Q").status_code == 201
    assert send(serving, {"Authorization": "Bearer egide_no"}).status_code == 401
    wrong = {"Authorization": f"Bearer {serving.key('scan:read')}"}
    assert send(serving, wrong).status_code == 403


def test_from_upload_to_notice_to_removal_and_back(opens: Opens, monkeypatch: Any) -> None:
    monkeypatch.setenv("EGIDE_DESK_UNDO_SECONDS", "0")
    serving = opens()
    serving.service.outbox.add("https://platform.example/hook", ["*"])
    fields = {"remember": "true", "content_url": "https://platform.example/p/1"}
    assert serving.scan(PICTURE, content_id="post-1", **fields).json()["action"] == "allow"
    receipt = send(serving, locations=["https://platform.example/p/1"]).json()
    assert look(serving, receipt["case"], receipt["pin"]).json()["copies_found"] == 1

    # Before anybody has decided a copy goes to a person, and into the case.
    assert serving.scan(SAME, content_id="post-2", **fields).json()["action"] == "review"
    assert look(serving, receipt["case"], receipt["pin"]).json()["copies_found"] == 2

    desk = serving.service.desk
    desk.decide(CONSOLE, receipt["case"], Decision("remove", ("intimate_without_consent",)))
    desk.tick()
    told = [
        json.loads(row["body"])["data"]
        for row in serving.home.database.fetch(
            "SELECT body FROM message WHERE type = 'content.remove' ORDER BY id"
        )
    ]
    assert {each["content_id"] for each in told} == {"post-1", "post-2"}
    assert serving.scan(SAME, content_id="post-3").json()["action"] == "block"
    for each in told:
        answer = serving.ask(
            "POST",
            f"/v1/copies/{each['copy']}/acknowledge",
            scopes=("copy:write",),
            json={"outcome": "removed"},
        )
        assert (answer.status_code, answer.json()["state"]) == (200, "removed")
    status = look(serving, receipt["case"], receipt["pin"]).json()
    assert (status["state"], status["copies_removed"]) == ("removed", 3)

    gone = serving.client.post(
        f"/v1/notices/{receipt['case']}/withdraw", headers={"X-Case-Pin": receipt["pin"]}
    )
    assert gone.json()["state"] == "withdrawn"
    assert serving.scan(SAME, content_id="post-4").json()["action"] == "allow"
    again = serving.client.post(
        f"/v1/notices/{receipt['case']}/withdraw", headers={"X-Case-Pin": receipt["pin"]}
    )
    assert again.status_code == 409


def test_what_screening_leaves_to_a_person_is_in_the_queue(opens: Opens) -> None:
    serving = opens()
    said = serving.scan(b"\x89PNG\r\n\x1a\n broken", "b.png", content_id="post-9").json()
    assert said["action"] == "review"
    (row,) = serving.service.desk.queue(CONSOLE).rows
    assert row.kind == "screening"
    assert serving.scan(b"\x89PNG\r\n\x1a\n broken", "b.png").json()["action"] == "review"
    assert len(serving.service.desk.queue(CONSOLE).rows) == 1


def test_a_work_is_marked_over_http(opens: Opens) -> None:
    from tests.unit.desk.test_bad_faith import signed

    serving = opens()
    mark, signature, public = signed({"fingerprints": NOTICE["fingerprints"]})
    body = {"mark": mark, "signature": signature, "public_key": public}
    work = serving.ask("POST", "/v1/works", scopes=("work:write",), json=body)
    assert work.status_code == 201
    assert serving.ask("POST", "/v1/works", scopes=("work:write",), json=body).status_code == 200
    entry = f"/v1/works/{work.json()['entry']}"
    assert serving.ask("DELETE", entry, scopes=("work:write",)).status_code == 204
    assert serving.ask("DELETE", entry, scopes=("work:write",)).status_code == 404


JSON = {"Content-Type": "application/json"}
